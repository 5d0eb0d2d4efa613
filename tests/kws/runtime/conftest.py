"""A small network with random weights, converted once: enough for all that is not training."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from kws.bundle import golden_vectors
from kws.bundle.contents import BundleContents
from kws.detection.params import DetectorParams
from kws.detection.rates import hourly_rate, share
from kws.detection.sensitivities import MeasuredErrors, Sensitivities, Sensitivity
from kws.export.convert import Conversion, Labelled, convert
from kws.export.params import BudgetParams, ConversionParams
from kws.features.example import FeatureExample
from kws.features.params import FeatureParams
from kws.runtime.tflite_model import Int8Model
from kws.runtime.validate import MicroFigures, budget_gates, measure
from kws.splits import EVAL, TEST

LABELS = ("_silence_", "_unknown_", "yes", "no")
FEATURE_PARAMS = FeatureParams()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trial:
    """The converted network and what it was converted with."""

    keras_model: Any
    representative: Labelled
    judged: Labelled
    conversion: Conversion
    int8: Int8Model
    examples: tuple[FeatureExample, ...]


def random_features(rng: np.random.Generator, count: int) -> np.ndarray:
    """uint16 windows of very different level and tilt, so that answers differ."""
    frames, channels = FEATURE_PARAMS.feature_shape
    level = rng.uniform(0, 1, (count, 1, 1)) * rng.uniform(0, 1, (count, frames, 1))
    tilt = 1 + np.sin(rng.uniform(0, 1, (count, 1, 1)) * np.arange(channels))
    values = level * tilt * rng.uniform(0, 670, (count, frames, channels))
    return np.minimum(values, 670).astype(np.uint16)


def build_keras_model() -> Any:
    import tensorflow as tf

    layers, initial = tf.keras.layers, tf.keras.initializers
    model = tf.keras.Sequential(
        [
            layers.InputLayer(FEATURE_PARAMS.feature_shape),
            layers.Reshape((*FEATURE_PARAMS.feature_shape, 1)),
            layers.Conv2D(8, (8, 4), strides=3, kernel_initializer=initial.GlorotUniform(1)),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.DepthwiseConv2D(3, depthwise_initializer=initial.GlorotUniform(2)),
            layers.ReLU(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(len(LABELS), kernel_initializer=initial.RandomNormal(0, 1, seed=3)),
        ]
    )
    # Logits with their mean over typical windows taken off, so that every label is said.
    features = random_features(np.random.default_rng(9), 64).astype(np.float32) * 10 / 256
    logits = model(features, training=False).numpy()
    kernel, bias = model.layers[-1].get_weights()
    spread = logits.std(axis=0)
    model.layers[-1].set_weights([kernel / spread, bias - logits.mean(axis=0) / spread])
    return tf.keras.Sequential([model, layers.Softmax()])


@pytest.fixture(scope="session")
def trial() -> Trial:
    model = build_keras_model()

    def labelled(seed: int, count: int, kept_of_each: int) -> Labelled:
        """Windows of which the network is surest; what it says of them is the truth."""
        features = random_features(np.random.default_rng(seed), count)
        posteriors = model(features.astype(np.float32) * np.float32(10 / 256)).numpy()
        answers, sureness = posteriors.argmax(axis=1), posteriors.max(axis=1)
        order = np.argsort(-sureness)
        kept = [order[answers[order] == label][:kept_of_each] for label in range(len(LABELS))]
        chosen = np.concatenate(kept)
        return Labelled(features=features[chosen], label_index=answers[chosen])

    representative, judged = labelled(1, 24, 24), labelled(2, 400, 25)
    conversion = convert(
        model,
        representative,
        judged,
        LABELS,
        FEATURE_PARAMS,
        ConversionParams(max_accuracy_drop=0.05),
    )
    examples = tuple(
        FeatureExample(
            features=features,
            label_index=int(index),
            label=LABELS[index],
            word=LABELS[index],
            speaker="nobody",
            source="random",
            snr_bucket="clean",
            augmentation="none",
            novelty="keyword",
            clip_id=f"{number:016x}",
        )
        for number, (features, index) in enumerate(
            zip(judged.features, judged.label_index, strict=True)
        )
    )
    return Trial(
        keras_model=model,
        representative=representative,
        judged=judged,
        conversion=conversion,
        int8=Int8Model(conversion.model, LABELS, FEATURE_PARAMS),
        examples=examples,
    )


@pytest.fixture(scope="session")
def figures(trial: Trial) -> MicroFigures:
    inputs = trial.int8.quantize(trial.judged.features[:8])
    params = BudgetParams()
    return measure(trial.conversion.model, trial.int8, inputs, params, stride_ms=40)


def sensitivities_at(**thresholds: float) -> Sensitivities:
    """Named so, with the targets of low, medium and high, and figures drawn by hand."""
    targets = {"low": 0.05, "medium": 0.1, "high": 0.5}
    points = tuple(
        Sensitivity(
            name=name,
            target_false_accepts_per_hour=targets[name],
            detection_threshold=threshold,
            reached=True,
            grounds=f"{targets[name]:g} /h by hand",
            measured={
                split: MeasuredErrors(
                    false_accepts_per_hour=hourly_rate(count, 4.0), miss_rate=share(7, 100)
                )
                for split, count in ((EVAL, 0), (TEST, 1))
            },
        )
        for name, threshold in thresholds.items()
    )
    return Sensitivities(default="medium", points=points)


@pytest.fixture
def contents(trial: Trial, figures: MicroFigures) -> BundleContents:
    vectors = golden_vectors.make(trial.int8, golden_vectors.choose(trial.examples, 4))
    with_audio = dataclasses.replace(vectors[0], audio=np.arange(16000, dtype=np.int16))
    return BundleContents(
        name="two words",
        version="17",
        created="2026-01-31T12:00:00Z",
        model=trial.conversion.model,
        float_io=trial.conversion.float_io,
        labels=LABELS,
        feature_params=FEATURE_PARAMS,
        detector=DetectorParams(),
        micro=figures,
        gates=tuple(budget_gates(figures, BudgetParams(max_arena_bytes=1_000_000))),
        figures={"conversion": trial.conversion.figures.model_dump(), "nothing": float("nan")},
        vectors=(with_audio, *vectors[1:]),
        info={"data": "random numbers", "licence": "none needed"},
    )
