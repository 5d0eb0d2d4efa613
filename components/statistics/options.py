"""What StatisticsGen computes over audio examples: of all clips, of each label, of each source."""

import tensorflow_data_validation as tfdv
from tfx_bsl.public.proto import slicing_spec_pb2

from kws.report.data_statistics import SLICED_BY


def statistics_options() -> tfdv.StatsOptions:
    """Options that StatisticsGen can serialise.

    Beside all clips (TFDV's "All Examples", which validation looks at) every label and every source
    is a dataset of its own in the statistics, called `label_<label>` and `source_<source>`.

    The most frequent values are found by sketches: exact where a feature has up to a thousand
    values, as labels, sources and words have, and without the shuffle of all values, which for the
    audio itself is a shuffle of the corpus.
    """
    return tfdv.StatsOptions(
        slicing_config=slicing_spec_pb2.SlicingConfig(
            slicing_specs=[
                slicing_spec_pb2.SlicingSpec(feature_keys=[feature]) for feature in SLICED_BY
            ]
        ),
        use_sketch_based_topk_uniques=True,
    )
