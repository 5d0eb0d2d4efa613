"""An epoch's model heard on the eval streams: misses at a target rate of false accepts.

Accuracy on clips and misses on streams part ways: a model that is right about one clip in a hundred
more may still fire at a word that the clips do not have. The frontend runs once over each stream,
before the first epoch; the rest is what the StreamingEvaluator does to the int8 model.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kws import features as frontends
from kws.audio.read import read
from kws.detection.operating_point import choose_operating_point
from kws.detection.params import MatchParams, OperatingPointParams
from kws.detection.posteriors import (
    LONGEST_STREAM_MS,
    StreamPosteriors,
    stream_posteriors,
    stride_steps,
)
from kws.errors import KwsError
from kws.features import model_input
from kws.features.params import FeatureParams
from kws.labels import RESERVED
from kws.scenes.ground_truth import GroundTruth
from kws.training.objective import Evaluation
from kws.training.params import EarlyStoppingParams

if TYPE_CHECKING:
    import tensorflow as tf

_SPOTTER_BATCH = 64
"""Clips of a stream that a spotter scores at a time."""


class EvalStreams:
    """Streams as features `[stream frames, channels]`, each with its ground truth."""

    def __init__(
        self,
        params: FeatureParams,
        streams: Sequence[tuple[GroundTruth, np.ndarray]],
        frames_per_step: int = 1,
    ):
        """Keeps the streams and their features.

        Args:
          params: of the features.
          streams: ground truth and features of each.
          frames_per_step: of a model that answers at every step of a clip.
        """
        self.params = params
        self.frames_per_step = frames_per_step
        self.streams = tuple(streams)

    @classmethod
    def read(
        cls, folder: str | Path, params: FeatureParams, frames_per_step: int = 1
    ) -> "EvalStreams":
        """Reads `<id>.wav` and `<id>.json` of a folder and computes the features.

        Raises:
          KwsError: there are none.
        """
        frontend = frontends.create(params)
        streams = []
        for wav in sorted(Path(folder).glob("*.wav")):
            audio = read(wav, params.sample_rate, max_duration_ms=LONGEST_STREAM_MS).audio
            truth = GroundTruth.from_json(wav.with_suffix(".json").read_text())
            streams.append((truth, frontend.compute(audio)))
        if not streams:
            raise KwsError(
                f"{folder} holds no stream, and training.early_stopping goes by misses on streams",
                hint="lay some (section streams), or set early_stopping.metric to accuracy",
            )
        return cls(params, streams, frames_per_step)

    @property
    def fingerprint(self) -> str:
        """16 hex digits, equal for equal features and truths."""
        digest = hashlib.sha256()
        for truth, features in self.streams:
            digest.update(truth.to_json().encode() + features.tobytes())
        return digest.hexdigest()[:16]


class StreamJudge:
    """Adds to an evaluation what the model does on streams, and lets that choose the epoch."""

    def __init__(
        self,
        model: "tf.keras.Model",
        labels: Sequence[str],
        streams: EvalStreams,
        params: EarlyStoppingParams,
    ):
        """Raises KwsError if the streams have none of the keywords, on which misses are counted, or
        if the model cannot be asked every `clip_stride_ms`."""
        said = {word.label for truth, _ in streams.streams for word in truth.words}
        if said.isdisjoint(set(labels) - set(RESERVED)):
            raise KwsError(
                f"the {len(streams.streams)} eval streams hold no keyword, and "
                "training.early_stopping goes by misses",
                hint="lay words into them (section streams), or set its metric to accuracy",
            )
        self._scored: _Scored | SpotterOnStreams = _Scored(model, labels, streams.params)
        if streams.params.context_frames is not None:
            frames = streams.frames_per_step
            # Raises here, not after an epoch.
            stride_steps(params.clip_stride_ms, frames, streams.params.window_stride_ms)
            self._scored = SpotterOnStreams(model, labels, streams.params, frames)
        self._streams = streams
        self._params = params

    def __call__(self, evaluation: Evaluation) -> Evaluation:
        """The merit becomes: the target reached, fewest misses, fewest false accepts, accuracy.

        Where no threshold reaches the target, false accepts come before misses.
        """
        target = self._params.target_false_accepts_per_hour
        heard = [self._hear(truth, features) for truth, features in self._streams.streams]
        point = choose_operating_point(
            heard,
            self._scored.labels,
            self._params.detector,
            MatchParams(),
            OperatingPointParams(target_false_accepts_per_hour=target),
        )
        threshold = point.detector.detection_threshold
        [chosen] = [row for row in point.det if row.threshold == threshold]
        errors = [chosen.miss_rate, chosen.false_accepts_per_hour]
        merit = [-error for error in (errors if point.reached else errors[::-1])]
        return evaluation.model_copy(
            update={
                "merit": (float(point.reached), *merit, *evaluation.merit),
                "metrics": {
                    **evaluation.metrics,
                    "miss_rate": chosen.miss_rate,
                    "false_accepts_per_hour": chosen.false_accepts_per_hour,
                },
            }
        )

    def _hear(self, truth: GroundTruth, features: np.ndarray) -> StreamPosteriors:
        times_ms, posteriors = stream_posteriors(
            self._scored,
            _Computed(self._streams.params),
            features,
            self._params.detector.clip_stride_ms,
        )
        return StreamPosteriors(truth=truth, times_ms=times_ms, posteriors=posteriors)


class _Computed:
    """The frontend of a stream whose features are there already."""

    def __init__(self, params: FeatureParams):
        self.params = params

    def compute(self, audio: np.ndarray) -> np.ndarray:
        return audio


class _Scored:
    """The Keras model as `kws.detection.posteriors.ScoringModel`, with its weights of the time."""

    def __init__(self, model: "tf.keras.Model", labels: Sequence[str], params: FeatureParams):
        import tensorflow as tf

        self.labels = list(labels)
        self._params = params
        self._predict = tf.function(
            lambda inputs: model(inputs, training=False),
            autograph=False,
            input_signature=[tf.TensorSpec([None, *params.feature_shape], tf.float32)],
        )

    def posteriors(self, features: np.ndarray) -> np.ndarray:
        return self._predict(model_input.to_model_input(features, self._params)).numpy()


class SpotterOnStreams:
    """A spotter's float model on whole streams: a `kws.detection.posteriors.StreamingModel`.

    The training form takes clips; a stream is cut into clips that overlap by the context, so that
    each gives the next few dozen steps.
    """

    def __init__(
        self,
        spotter: "tf.keras.Model",
        labels: Sequence[str],
        params: "FeatureParams",
        frames_per_step: int,
    ):
        import tensorflow as tf

        self.labels = list(labels)
        self.frames_per_step = frames_per_step
        self.warm_up_steps = params.context_shape[0] // frames_per_step - 1
        self._params = params
        self._frames, channels = params.feature_shape
        every = tf.keras.Model(spotter.input, spotter.get_layer("posteriors").output)
        self._steps = every.output_shape[1]
        self._past = np.zeros((0, channels), np.float32)
        self._predict = tf.function(
            lambda inputs: every(inputs, training=False),
            autograph=False,
            input_signature=[tf.TensorSpec([None, self._frames, channels], tf.float32)],
        )

    def stream(self, features: np.ndarray, *, fresh: bool = True) -> np.ndarray:
        """See `StreamingModel.stream`; the weights are those of the time."""
        step, frames = self.frames_per_step, self._frames
        if fresh:
            self._past = np.zeros((frames, features.shape[1]), np.float32)
        count = len(features) // step
        inputs = model_input.to_model_input(features[: count * step], self._params)
        heard = np.concatenate([self._past, inputs])
        clips = -(-count // self._steps)
        # The last clip ends with the last step; the first may repeat steps that nobody asked for.
        ends = len(heard) - step * self._steps * np.arange(clips)[::-1]
        windows = np.stack([_clip(heard, end, frames) for end in ends]) if clips else None
        self._past = heard[len(heard) - frames :]
        if windows is None:
            return np.zeros((0, len(self.labels)), np.float32)
        posteriors = [
            self._predict(windows[start : start + _SPOTTER_BATCH]).numpy()
            for start in range(0, clips, _SPOTTER_BATCH)
        ]
        return np.concatenate(posteriors).reshape(-1, len(self.labels))[-count:]


def _clip(stream: np.ndarray, end: int, frames: int) -> np.ndarray:
    """The frames before `end`; zeros before the stream."""
    clip = stream[max(0, end - frames) : end]
    return np.pad(clip, ((frames - len(clip), 0), (0, 0)))
