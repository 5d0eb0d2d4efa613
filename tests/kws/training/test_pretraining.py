"""Pretraining: what a step predicts, what that costs, and how its weights travel."""

import dataclasses

import numpy as np
import pytest

from kws.errors import KwsError
from kws.features.params import FeatureParams
from kws.labels import label_list
from kws.models import mixed_net, registry
from kws.models.params import ModelParams
from kws.training import dataset
from kws.training.fit import fit
from kws.training.params import TrainingParams
from kws.training.pretraining import PretrainingObjective, pretraining_form
from pipeline import config as configuration
from tests.kws.training.test_spotting import OPTIONS

# 10 ms hop, 30 ms windows: clips of 200 frames, 152 of them one posterior's context.
FEATURES = FeatureParams(
    clip_duration_ms=2020, context_ms=1540, window_stride_ms=10, feature_bin_count=8
)
STEP, EMBEDDINGS = 3, 16
PARAMS = TrainingParams(epochs=30, batch_size=8, learning_rate=0.01, time_shift_frames=0)


def spotter(**options):
    return registry.build(
        ModelParams(name="mixed_net", options={**OPTIONS, **options}),
        FEATURES.feature_shape,
        3,
        seed=1,
        context_frames=FEATURES.context_frames,
    )


def objective(trainee, embeddings):
    return PretrainingObjective(trainee, embeddings, PARAMS, FEATURES, STEP)


def test_a_step_costs_its_distance_to_the_embeddings_that_end_with_it_and_before_it():
    model = spotter()
    trainee = pretraining_form(model)
    steps = model.get_layer("logits").output.shape[1]
    asked = range(0, steps, 2)
    assert trainee.output_shape[1] == len(asked)
    rng = np.random.default_rng(0)
    embeddings = rng.normal(3, 2, (5, EMBEDDINGS, 96)).astype(np.float16)
    outputs = rng.normal(0, 1, (5, len(asked), 4 * 96)).astype(np.float32)
    cost = objective(trainee, embeddings)
    given = embeddings.reshape(5, -1)
    inputs = np.zeros((5, *FEATURES.feature_shape), np.float32)
    _, targets = cost.prepare(inputs, given, np.array([0, 1]))
    found = cost.losses(inputs, targets, outputs).numpy()

    flat = embeddings.astype(np.float64).reshape(-1, 96)
    normal = (embeddings - flat.mean(0)) / (flat.std(0) + 1e-3)
    expected = np.zeros(5)
    for number, step in enumerate(asked):
        # The last step ends with the clip's 200th frame, which begins at 1,990 ms.
        ends_ms = 1990 - (steps - 1 - step) * STEP * 10 + 30
        newest = round((ends_ms - 782) / 80)
        rows = [min(max(newest - back, 0), EMBEDDINGS - 1) for back in (0, 4, 8, 12)]
        wanted = normal[:, rows].reshape(5, -1)
        expected += ((outputs[:, number] - wanted) ** 2).mean(axis=1) / len(asked)
    np.testing.assert_allclose(found, expected, rtol=2e-3)


def test_it_learns_and_another_model_starts_from_it(tmp_path):
    rng = np.random.default_rng(0)
    # What is to be predicted is heard: the channels say which of two things the embedding is.
    kind = rng.integers(0, 2, 64)
    features = (100 * kind[:, None, None] + rng.normal(0, 5, (64, *FEATURES.feature_shape))).clip(0)
    embeddings = kind[:, None, None] + rng.normal(0, 0.1, (64, EMBEDDINGS, 96))
    plain = dataset.from_arrays(
        features.astype(np.float32),
        np.ones(64, np.int32),
        [f"{number:02d}" for number in range(64)],
        ("_silence_", "_unknown_", "yes"),
        0.02,
    )
    train = dataclasses.replace(plain, targets=embeddings.reshape(64, -1).astype(np.float16))
    model = spotter()
    trainee = pretraining_form(model)
    history = fit(trainee, train, train, PARAMS, objective=objective(trainee, embeddings))
    assert history.best.eval_accuracy > 0.8  # of the variance; 0.96 however the sums are divided

    mixed_net.keep(model, tmp_path / "weights.npz")
    other = spotter()
    head = [weight.copy() for weight in other.get_layer("logits_head").get_weights()]
    mixed_net.start_from(other, tmp_path / "weights.npz")
    for layer in model.layers:
        found = other.get_layer(layer.name).get_weights()
        expected = head if layer.name == "logits_head" else layer.get_weights()
        if layer.name == "silence_logits_head":
            continue
        for one, two in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-3, atol=1e-6)

    # Of a longer kernel over time the last steps are taken.
    shorter = spotter(kernels=((3, 5),))
    mixed_net.start_from(shorter, tmp_path / "weights.npz")
    for name, steps in (("block_1_1", 3), ("block_1_2", 5)):
        kernel = model.get_layer(name).get_weights()[0]
        assert len(kernel) > steps
        found = shorter.get_layer(name).get_weights()[0]
        np.testing.assert_allclose(found, kernel[-steps:], rtol=1e-3, atol=1e-6)

    with pytest.raises(KwsError, match=r"weights\.npz are of other sizes than layer block_1"):
        mixed_net.start_from(spotter(filters=(8,)), tmp_path / "weights.npz")


def test_the_keyword_preset_starts_from_the_weights_that_are_shipped():
    config = configuration.load("keyword")
    features = config.features
    model = registry.build(
        config.model,
        features.feature_shape,
        len(label_list(config.keywords)),
        context_frames=features.context_frames,
    )
    with np.load(mixed_net.PRETRAINED) as shipped:
        kernel = shipped["all_channels/0"].astype(np.float32)
    assert np.array_equal(model.get_layer("all_channels").get_weights()[0], kernel)
    assert kernel.std() > 0.01
