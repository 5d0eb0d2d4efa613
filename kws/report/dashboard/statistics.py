"""TFDV's statistics of some datasets beside each other: what Facets Overview would show of them.

TFDV's own page fetches Facets from the internet; the figures are all in the proto. See
tensorflow_metadata/proto/v0/statistics.proto.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from kws.report.data_statistics import WHOLE

STANDARD, QUANTILES = 0, 1
"""`Histogram.HistogramType`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Numbers:
    """A feature of numbers in one dataset.

    Attributes:
      mean, std, minimum, median, maximum: over the values.
      zeros: share of the values that are 0.
      histogram: (low, high, count), equally wide.
      quantiles: (low, high) with equally many values each.
    """

    mean: float
    std: float
    minimum: float
    median: float
    maximum: float
    zeros: float
    histogram: tuple[tuple[float, float, float], ...]
    quantiles: tuple[tuple[float, float], ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Words:
    """A feature of strings in one dataset.

    Attributes:
      unique: different values.
      mean_length: characters, or bytes.
      counts: value -> how often, the most frequent first.
    """

    unique: int
    mean_length: float
    counts: dict[str, float]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Column:
    """A feature in one dataset.

    Attributes:
      examples: of the dataset.
      present: examples that have the feature.
      values: what is known of the values.
    """

    examples: int
    present: int
    values: Numbers | Words | None


Features = dict[str, dict[str, Column]]
"""Feature -> dataset -> what it has of it."""


def slices(statistics: bytes) -> list[str]:
    """The datasets of a `FeatureStats.pb`: the whole, then its slices by name."""
    names = [dataset.name for dataset in _datasets(statistics)]
    return sorted(names, key=lambda name: (name not in ("", WHOLE), name))


def features(statistics: Mapping[str, bytes], part: str | None = None) -> Features:
    """The features of some datasets; those of numbers first, then by name.

    Args:
      statistics: dataset, such as a split -> serialized DatasetFeatureStatisticsList.
      part: of `slices`; None: the whole. A dataset without it is left out.
    """
    found: Features = {}
    for name, content in statistics.items():
        for dataset in _datasets(content):
            if dataset.name == part or (part is None and dataset.name in ("", WHOLE)):
                for feature in dataset.features:
                    column = _column(feature, int(dataset.num_examples))
                    found.setdefault(".".join(feature.path.step), {})[name] = column

    def order(item: tuple[str, dict[str, Column]]) -> tuple[bool, str]:
        return not any(isinstance(c.values, Numbers) for c in item[1].values()), item[0]

    return dict(sorted(found.items(), key=order))


def _datasets(statistics: bytes) -> Any:
    from tensorflow_metadata.proto.v0 import statistics_pb2

    return statistics_pb2.DatasetFeatureStatisticsList.FromString(statistics).datasets


def _column(feature: Any, examples: int) -> Column:
    kind = feature.WhichOneof("stats")
    values: Numbers | Words | None = None
    common = feature.num_stats.common_stats
    if kind == "num_stats":
        values = _numbers(feature.num_stats)
    elif kind == "string_stats":
        common = feature.string_stats.common_stats
        values = _words(feature.string_stats)
    elif kind == "bytes_stats":
        common = feature.bytes_stats.common_stats
    return Column(examples=examples, present=int(common.num_non_missing), values=values)


def _numbers(stats: Any) -> Numbers:
    total = stats.common_stats.tot_num_values or stats.common_stats.num_non_missing
    by_type = {histogram.type: histogram.buckets for histogram in stats.histograms}
    return Numbers(
        mean=stats.mean,
        std=stats.std_dev,
        minimum=stats.min,
        median=stats.median,
        maximum=stats.max,
        zeros=stats.num_zeros / total if total else 0.0,
        histogram=tuple(
            (b.low_value, b.high_value, b.sample_count) for b in by_type.get(STANDARD, ())
        ),
        quantiles=tuple((b.low_value, b.high_value) for b in by_type.get(QUANTILES, ())),
    )


def _words(stats: Any) -> Words:
    counts = {bucket.label: bucket.sample_count for bucket in stats.rank_histogram.buckets}
    return Words(unique=int(stats.unique), mean_length=stats.avg_length, counts=counts)
