"""The Beam side: batches of serialized clips to serialized feature examples."""

import json
from collections.abc import Iterable, Iterator, Sequence

import apache_beam as beam
from tfx.dsl.io import fileio

from kws import features
from kws.audio import clip as clips
from kws.errors import KwsError
from kws.features import clip_features, example
from kws.features.params import FeatureParams

METRICS = "kws.SpectrogramTransform"
"""Namespace of the counters `clips_<split>`, `milliseconds_<split>` and `refused_<split>`.

Milliseconds are of all audio that went through the frontend, lead-ins included.
"""
MIN_BATCH, MAX_BATCH = 16, 128
"""Clips an element: at most some 5 MB of audio."""
REFUSED = "refused"


class ComputeFeatures(beam.PTransform):
    """Serialized `Clip`s to `(serialized FeatureExamples, complaints)`.

    Complaints are `(message, hint)` of the clips that do not fit. They are no errors yet: raised
    in here, an error would reach the user as a runner's stack trace.
    """

    def __init__(self, params: FeatureParams, labels: Sequence[str], split: str):
        super().__init__()
        self._args = (params.to_json(), tuple(labels), split)

    def expand(self, serialized: beam.PCollection):  # Beam takes no tuple of outputs as a hint.
        computed = (
            serialized
            | "Batch" >> beam.BatchElements(MIN_BATCH, MAX_BATCH)
            | "Compute" >> beam.ParDo(_Compute(*self._args)).with_outputs(REFUSED, main="computed")
        )
        return computed.computed, computed[REFUSED]


class _Compute(beam.DoFn):
    """Batches of serialized clips to serialized feature examples; one frontend a worker."""

    def __init__(self, params_json: str, labels: Sequence[str], split: str):
        self._params_json = params_json
        self._labels = labels
        self._clips = beam.metrics.Metrics.counter(METRICS, f"clips_{split}")
        self._milliseconds = beam.metrics.Metrics.counter(METRICS, f"milliseconds_{split}")
        self._refused = beam.metrics.Metrics.counter(METRICS, f"refused_{split}")

    def setup(self) -> None:
        self._params = FeatureParams.from_json(self._params_json)
        self._frontend = features.create(self._params)

    def process(self, batch: list[bytes]) -> Iterator[bytes | beam.pvalue.TaggedOutput]:
        fitting, milliseconds = [], 0
        for serialized in batch:
            clip = clips.decode(serialized)
            try:
                clip_features.check_clip(clip, self._params, self._labels)
            except KwsError as error:
                self._refused.inc()
                yield beam.pvalue.TaggedOutput(REFUSED, (error.message, error.hint))
                continue
            fitting.append(clip)
            milliseconds += len(clip.audio) * 1000 // clip.sample_rate
        self._clips.inc(len(fitting))
        self._milliseconds.inc(milliseconds)
        computed = clip_features.features_of(fitting, self._frontend)
        for clip, clip_feature in zip(fitting, computed, strict=True):
            yield example.encode(clip_features.feature_example(clip, clip_feature, self._labels))


class NoteComplaint(beam.PTransform):
    """Writes the first complaint in the alphabet into a JSON file, if there is any."""

    def __init__(self, file: str):
        super().__init__()
        self._file = file

    def expand(self, complaints: beam.PCollection) -> beam.PCollection:
        return (
            complaints
            | "First" >> beam.CombineGlobally(_first).without_defaults()
            | "Write" >> beam.Map(_write, self._file)
        )


def _first(complaints: Iterable[tuple[str, str] | None]) -> tuple[str, str] | None:
    return min((c for c in complaints if c is not None), default=None)


def _write(complaint: tuple[str, str] | None, file: str) -> None:
    if complaint is not None:
        with fileio.open(file, "w") as out:
            json.dump(complaint, out)
