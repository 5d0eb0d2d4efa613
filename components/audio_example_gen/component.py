"""TFX AudioExampleGen component definition."""

import json
import posixpath

from google.protobuf import wrappers_pb2
from tfx.components.example_gen.component import FileBasedExampleGen
from tfx.dsl.components.base import executor_spec
from tfx.proto import example_gen_pb2, range_config_pb2

from components.audio_example_gen import driver, executor
from kws.corpus.folders import SOURCES_FILE
from kws.corpus.params import IngestParams

PATTERNS = {"lists": "*", "words": "*/*", "recordings": "*/*/*"}
"""What the driver takes its fingerprint from, so that a changed file means a new run; which file
is what, `kws.corpus.layout` says. The splits are not these inputs: the executor makes them."""
MIX_PATTERNS = {"sources": SOURCES_FILE}
"""The same for a mix, whose file changes with the files of its folders."""


class AudioExampleGen(FileBasedExampleGen):
    """Ingests a folder of recordings in Speech Commands layout (see `kws.corpus.layout`), or a mix.

    A mix is a folder with a `sources.json` (`kws.corpus.folders`), which names other folders of any
    kind. Archives are unpacked and addresses loaded before, by `pipeline.source`. The driver is
    TFX's own: the artifact carries its fingerprint and span, and unchanged files with unchanged
    params are not ingested again.

    Component `outputs` contains:
     - `examples`: Channel of type `standard_artifacts.Examples` with the splits train, eval and
       test, disjoint in speakers: one tf.Example (`kws.audio.clip`) of exactly `clip_duration_ms`
       a clip. In the artifact's root: `quarantine.jsonl`, the files that were not used with path,
       reason and detail, `notes.jsonl`, the files that were used although something is odd about
       them (`kws.audio.container.Note`), `ingest.json`, the counts of everything, and
       `long_recordings.json`, which backgrounds and negatives each split may use
       (`kws.corpus.long_recordings`). Where speakers are hashed, the examples do not name them;
       file
       names in these four may. Custom properties: `quarantined`, `quarantine_reasons` (JSON),
       `notes` (JSON: how many files have each), `cross_split_duplicates` (quarantined copies of a
       clip in another split), `keyword_in_transcript` (recordings of public corpora that are left
       out, if any), `clips_train`, `clips_eval`, `clips_test`.

    The run fails with a `KwsError` if a source has no usable audio or loses most of it
    (`kws.corpus.source_yield`), if more files than `max_quarantine_share` are in quarantine, if a
    word looks like a keyword and is not, or if a keyword has no clip in one of the splits.

    Example:
      gen = AudioExampleGen(input_base="/data/words", params=IngestParams(keywords=("yes", "no")))
    """

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)
    DRIVER_CLASS = driver.Driver

    def __init__(
        self,
        input_base: str,
        params: IngestParams,
        span_folder: str = "",
        last_spans: int = 1,
        mix: bool = False,
        range_config: range_config_pb2.RangeConfig | None = None,
    ):
        """Constructs the component.

        Args:
          input_base: the folder of the corpus, or of the spans.
          params: keywords, splits, shares; they travel in the execution property `custom_config`.
          span_folder: where a corpus grows by spans, the pattern of its folders below
            `input_base`, such as `day-{SPAN}`; the latest span is ingested.
          last_spans: so many of the newest spans, up to the one that the driver chose, are ingested
            together. The driver looks for changes in that one alone: correct an older span by a
            new one. (In a mix of `pipeline.combined_corpus`, any change of any span is seen.)
          mix: the folder (of each span) holds `sources.json`.
          range_config: which span, if not the latest.
        """
        inputs = [
            example_gen_pb2.Input.Split(name=name, pattern=posixpath.join(span_folder, pattern))
            for name, pattern in (MIX_PATTERNS if mix else PATTERNS).items()
            # To find a span the driver needs a match of every pattern, and the deepest may have
            # none; the one above sees its folders, whose time changes with their files.
            if not span_folder or name != "recordings"
        ]
        custom_config = example_gen_pb2.CustomConfig()
        # The driver replaces the pattern by the span that it chose; the executor needs both.
        spans = {"span_folder": span_folder, "last_spans": last_spans} if last_spans > 1 else {}
        packed = json.dumps({"params": params.to_json(), **spans})
        custom_config.custom_config.Pack(wrappers_pb2.StringValue(value=packed))
        super().__init__(
            input_base=input_base,
            input_config=example_gen_pb2.Input(splits=inputs),
            custom_config=custom_config,
            range_config=range_config,
        )
