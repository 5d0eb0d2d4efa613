"""The Beam side for scenes: serialized scenes to serialized feature examples of scenes."""

from collections.abc import Iterator

import apache_beam as beam

from components.spectrogram_transform.transform import METRICS, REFUSED
from kws import features
from kws.errors import KwsError
from kws.features.params import FeatureParams
from kws.scenes import example
from kws.scenes.scene import Scene


class ComputeSceneFeatures(beam.PTransform):
    """Serialized `Scene`s to `(serialized SceneFeatures, complaints)`, as `ComputeFeatures`.

    One at a time: a scene of ten seconds at 44.1 kHz is 0.9 MB of audio and 2.2 MB of features.
    """

    def __init__(self, params: FeatureParams, split: str):
        super().__init__()
        self._args = (params.to_json(), split)

    def expand(self, serialized: beam.PCollection):  # Beam takes no tuple of outputs as a hint.
        computed = serialized | "Compute" >> beam.ParDo(_Compute(*self._args)).with_outputs(
            REFUSED, main="computed"
        )
        return computed.computed, computed[REFUSED]


class _Compute(beam.DoFn):
    """One frontend a worker."""

    def __init__(self, params_json: str, split: str):
        self._params_json = params_json
        self._scenes = beam.metrics.Metrics.counter(METRICS, f"clips_{split}")
        self._milliseconds = beam.metrics.Metrics.counter(METRICS, f"milliseconds_{split}")
        self._refused = beam.metrics.Metrics.counter(METRICS, f"refused_{split}")

    def setup(self) -> None:
        self._params = FeatureParams.from_json(self._params_json)
        self._frontend = features.create(self._params)

    def process(self, serialized: bytes) -> Iterator[bytes | beam.pvalue.TaggedOutput]:
        scene = example.decode(serialized)
        try:
            check_scene(scene, self._params)
        except KwsError as error:
            self._refused.inc()
            yield beam.pvalue.TaggedOutput(REFUSED, (error.message, error.hint))
            return
        self._scenes.inc()
        self._milliseconds.inc(scene.truth.duration_ms)
        yield example.encode_features(
            example.SceneFeatures(
                features=self._frontend.compute(scene.audio), steps=scene.steps, truth=scene.truth
            )
        )


def check_scene(scene: Scene, params: FeatureParams) -> None:
    """Raises KwsError, naming the scene, if its rate or length does not fit."""
    name, rate = f"scene {scene.truth.stream_id}", scene.truth.sample_rate
    if rate != params.sample_rate:
        raise KwsError(
            f"{name} has sample_rate={rate}, the frontend {params.sample_rate} Hz",
            hint="ingest and features must have the same sample_rate",
        )
    if len(scene.audio) != params.clip_samples:
        raise KwsError(
            f"{name} has {len(scene.audio)} samples: "
            f"clip_duration_ms={params.clip_duration_ms} is {params.clip_samples}",
            hint="the features of scenes need clip_duration_ms = scenes.duration_ms",
        )
