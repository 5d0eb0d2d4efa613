"""TFX AudioExampleGen component definition."""

import posixpath

from google.protobuf import wrappers_pb2
from tfx.components.example_gen.component import FileBasedExampleGen
from tfx.dsl.components.base import executor_spec
from tfx.proto import example_gen_pb2, range_config_pb2

from components.audio_example_gen import executor
from kws.audio.params import IngestParams

PATTERNS = {"lists": "*", "words": "*/*", "recordings": "*/*/*"}
"""What the driver takes its fingerprint from, so that a changed file means a new run; which file
is what, `kws.audio.layout` says. The splits are not these inputs: the executor makes them."""


class AudioExampleGen(FileBasedExampleGen):
    """Ingests a folder of recordings in Speech Commands layout (see `kws.audio.layout`).

    An archive is unpacked first, by `kws.audio.archive.unpack`. The driver is TFX's own: the
    artifact carries its fingerprint and span, and unchanged files with unchanged params are not
    ingested again.

    Component `outputs` contains:
     - `examples`: Channel of type `standard_artifacts.Examples` with the splits train, eval and
       test, disjoint in speakers: one tf.Example (`kws.audio.clip`) of exactly `clip_duration_ms`
       a clip. In the artifact's root: `quarantine.jsonl`, the files that were not used with path,
       reason and detail, and `ingest.json`, the counts of everything. Custom properties:
       `quarantined`, `quarantine_reasons` (JSON), `clips_train`, `clips_eval`, `clips_test`.

    The run fails with a `KwsError` if more files than `max_quarantine_share` are in quarantine, or
    if a keyword has no clip in one of the splits.

    Example:
      gen = AudioExampleGen(input_base="/data/words", params=IngestParams(keywords=("yes", "no")))
    """

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(
        self,
        input_base: str,
        params: IngestParams,
        span_folder: str = "",
        range_config: range_config_pb2.RangeConfig | None = None,
    ):
        """Constructs the component.

        Args:
          input_base: the folder of the corpus, or of the spans.
          params: keywords, splits, shares; they travel in the execution property `custom_config`.
          span_folder: where a corpus grows by spans, the pattern of its folders below
            `input_base`, such as `day-{SPAN}`; the latest span is ingested.
          range_config: which span, if not the latest.
        """
        inputs = [
            example_gen_pb2.Input.Split(name=name, pattern=posixpath.join(span_folder, pattern))
            for name, pattern in PATTERNS.items()
            # To find a span the driver needs a match of every pattern, and the deepest may have
            # none; the one above sees its folders, whose time changes with their files.
            if not span_folder or name != "recordings"
        ]
        custom_config = example_gen_pb2.CustomConfig()
        custom_config.custom_config.Pack(wrappers_pb2.StringValue(value=params.to_json()))
        super().__init__(
            input_base=input_base,
            input_config=example_gen_pb2.Input(splits=inputs),
            custom_config=custom_config,
            range_config=range_config,
        )
