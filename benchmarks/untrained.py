"""Models of the zoo as int8 files, with the weights that they begin with: enough to be timed."""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from kws import features
from kws.export.device_form import DeviceForm
from kws.features import model_input
from kws.features.params import FeatureParams
from kws.models import registry
from kws.models.params import ModelParams
from kws.runtime import footprint, load
from pipeline import config as configuration

if TYPE_CHECKING:
    import tensorflow as tf

LABELS = ("_silence_", "_unknown_", "down", "go", "left", "no", "off", "on", "right", "yes")
_CLIPS = 8


@dataclasses.dataclass(frozen=True, kw_only=True)
class Candidate:
    """A model as some preset or table of docs/results.md has it.

    Attributes:
      model: architecture, variant and options.
      features: what it hears.
      stride_ms: how often it runs over a stream: the `keyword` preset's as the preset says, other
        windowed ones every 40 ms, streaming ones every step.
      labels: of its outputs.
    """

    model: ModelParams
    features: FeatureParams
    stride_ms: float
    labels: tuple[str, ...] = LABELS


@dataclasses.dataclass(frozen=True, kw_only=True)
class Converted:
    """A candidate's files.

    Attributes:
      keras_model: as trained, on clips.
      form: as a device runs it.
      content, float_io: `.tflite` files with int8 and with float32 input and output.
      clips: what it was calibrated with, `[n, frames, channels]` in the frontend's type.
    """

    keras_model: "tf.keras.Model"
    form: DeviceForm
    content: bytes
    float_io: bytes
    clips: np.ndarray

    def int8(self, candidate: Candidate, runtime: load.Runtime = "tflite") -> load.Int8Any:
        """The int8 file, loaded."""
        return load.of_content(
            self.content, candidate.labels, candidate.features, self.form.kind, runtime=runtime
        )


def candidates() -> dict[str, Candidate]:
    """By the names that the tables have."""
    hop_20, hop_10 = FeatureParams(), FeatureParams(window_stride_ms=10)
    keyword = configuration.load("keyword", ["keywords=[computer]"])
    commands = configuration.load("speech_commands_windowed", [])
    trigger = configuration.load("trigger_word", [])
    assert keyword.model and commands.model and trigger.model
    return {
        "ds_cnn S": Candidate(model=ModelParams(name="ds_cnn"), features=hop_20, stride_ms=40),
        "ds_cnn of speech_commands_windowed": Candidate(
            model=commands.model, features=commands.features, stride_ms=40
        ),
        "model of keyword": Candidate(
            model=keyword.model,
            features=keyword.features,
            stride_ms=keyword.streaming.detector.clip_stride_ms,
            labels=LABELS[:3],
        ),
        "tc_resnet8": Candidate(model=ModelParams(name="tc_resnet"), features=hop_10, stride_ms=40),
        "tiny_conv": Candidate(model=ModelParams(name="tiny_conv"), features=hop_10, stride_ms=40),
        "bc_resnet 1": Candidate(
            model=ModelParams(name="bc_resnet"), features=hop_20, stride_ms=40
        ),
        "mixed_net, hop 20 ms": Candidate(
            model=ModelParams(name="mixed_net"), features=hop_20, stride_ms=60
        ),
        "mixed_net, hop 10 ms": Candidate(
            model=ModelParams(name="mixed_net"), features=hop_10, stride_ms=30
        ),
        "ds_tc_resnet": Candidate(
            model=ModelParams(name="ds_tc_resnet"), features=hop_20, stride_ms=40
        ),
        "trigger_gru (trigger_word)": Candidate(
            model=trigger.model,
            features=trigger.scene_features,
            stride_ms=4 * trigger.scene_features.window_stride_ms,
            labels=LABELS[2:3],
        ),
    }


def convert(candidate: Candidate, *, float_io: bool = False) -> Converted:
    """Builds, gives the normalizations typical averages and converts; some seconds."""
    import tensorflow as tf

    params, labels = candidate.features, candidate.labels
    clips = features.create(params).compute_batch(noise(params, _CLIPS))
    model = registry.build(
        candidate.model,
        params.feature_shape,
        len(labels),
        context_frames=params.context_frames,
    )
    footprint.settle(model, model_input.to_model_input(clips, params))
    form = DeviceForm.of(model, candidate.model, params, len(labels))
    return Converted(
        keras_model=model,
        form=form,
        content=form.to_tflite(clips, params, tf.int8),
        float_io=form.to_tflite(clips, params, tf.float32) if float_io else b"",
        clips=clips,
    )


def noise(params: FeatureParams, clips: int) -> np.ndarray:
    """int16 `[clips, samples]`: noise of many levels, which come and go eight times a second."""
    rng = np.random.default_rng(0)
    part = params.sample_rate // 8
    parts = -(-params.clip_samples // part)
    level = np.repeat(4000 * rng.uniform(0, 1, (clips, parts)) ** 2, part, axis=1)
    shape = (clips, params.clip_samples)
    return (rng.normal(0, 1, shape) * level[:, : params.clip_samples]).astype(np.int16)
