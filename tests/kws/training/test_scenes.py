"""Scenes for training, the objective of steps, and both together."""

import numpy as np
import pytest

from kws.errors import KwsError
from kws.features.params import FeatureParams
from kws.models.params import ModelParams
from kws.scenes.example import SceneFeatures, encode_features
from kws.scenes.ground_truth import GroundTruth, Word
from kws.training import scene_training, scenes
from kws.training.params import StepParams, TrainingParams
from kws.training.scene_training import StepObjective

FEATURES = FeatureParams(
    frontend="spectrogram", window_size_ms=8, window_stride_ms=8, feature_bin_count=65,
    clip_duration_ms=1600, decibel_floor=0,
)  # fmt: skip
MODEL = ModelParams(
    name="trigger_gru",
    options={
        "filters": 8, "kernel": 6, "stride": 4, "gru_units": [8, 8], "dropout": 0.0,
        "batch_norm_momentum": 0.8,
    },
)  # fmt: skip
FRAMES, CHANNELS = FEATURES.feature_shape
STEPS = scene_training.steps_of(MODEL, FRAMES)
PIECING = scenes.Piecing(kernel=6, stride=4, steps=10)


def scene(number, steps=STEPS):
    """A word of eight loud frames; channels 0 and 1 say which frame of which scene it is."""
    rng = np.random.default_rng(number)
    features = rng.uniform(1, 3, (FRAMES, CHANNELS)).astype(np.float32)
    features[:, 0] = np.arange(FRAMES) / 100
    features[:, 1] = number / 10
    end = int(rng.integers(8, STEPS - 15))
    features[4 * end - 8 : 4 * end, 2:] += 20
    labels = np.zeros(steps, np.int64)
    labels[end + 1 : end + 7] = 1
    said = Word(
        label="yes", word="yes", start_ms=(4 * end - 8) * 8, end_ms=4 * end * 8, speaker="a",
        source="b", clip_id="c",
    )  # fmt: skip
    truth = GroundTruth(
        stream_id=f"scene-{number:02d}", kind="words", duration_ms=1600, sample_rate=16000,
        words=(said,),
    )  # fmt: skip
    return SceneFeatures(features=features, steps=labels, truth=truth)


def write(path, found):
    import tensorflow as tf

    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for item in found:
            writer.write(encode_features(item))
    return str(path)


def read(path, piecing=PIECING, cache_bytes=10**9, steps=STEPS):
    return scenes.read(
        [path], (FRAMES, CHANNELS), np.float32, "yes", steps, piecing, scale=1.0,
        cache_bytes=cache_bytes,
    )  # fmt: skip


@pytest.fixture(scope="module")
def six(tmp_path_factory):
    return write(tmp_path_factory.mktemp("scenes") / "a.gz", [scene(i) for i in range(6)])


@pytest.mark.parametrize("cache_bytes", [10**9, 0])
def test_a_piece_is_a_stretch_of_its_scene_with_the_labels_of_its_steps(six, cache_bytes):
    data = read(six, cache_bytes=cache_bytes)
    assert (data.features is None) == (cache_bytes == 0)
    assert data.feature_shape == (9 * 4 + 6, CHANNELS)
    assert len(data) == 6 * (STEPS // 10)
    batches = list(data.shuffled(8, seed=1, epoch=0))
    assert len(batches) == data.steps_per_epoch(8)
    for features, labels in batches:
        assert features.shape == (8, 42, CHANNELS) and labels.shape == (8, 10)
        for piece, ones in zip(features, labels, strict=True):
            begin = round(100 * float(piece[0, 0])) // 4
            original = scene(round(10 * float(piece[0, 1])))
            assert (piece == original.features[4 * begin : 4 * begin + 42]).all()
            assert (ones == original.steps[begin : begin + 10]).all()
            assert not scenes.barred_steps(original)[begin], "it begins within the word"


@pytest.mark.parametrize("cache_bytes", [10**9, 0])
def test_an_epoch_gone_on_with_gives_the_batches_that_were_left(six, cache_bytes):
    data = read(six, cache_bytes=cache_bytes)
    whole = list(data.shuffled(5, seed=1, epoch=3))
    rest = list(data.shuffled(5, seed=1, epoch=3, start=2))
    assert len(rest) == len(whole) - 2
    for (a, b), (c, d) in zip(whole[2:], rest, strict=True):
        assert (a == c).all() and (b == d).all()
    other = next(data.shuffled(5, seed=1, epoch=4))
    assert (other[0] != whole[0][0]).any()


def test_scenes_come_whole_and_in_order_for_evaluation(six):
    data = read(six, scenes.Piecing(kernel=6, stride=4))
    found = [10 * features[:, 0, 1] for features, _ in data.in_order(4)]
    assert np.sort(np.concatenate(found)) == pytest.approx([0, 1, 2, 3, 4, 5])
    assert next(data.in_order(4))[0].shape == (4, FRAMES, CHANNELS)
    assert data.label_counts.tolist() == [6 * (STEPS - 6), 36]


def test_labels_of_another_number_of_steps_are_refused(tmp_path):
    path = write(tmp_path / "a.gz", [scene(0, steps=STEPS + 1)])
    with pytest.raises(KwsError, match=f"labels of {STEPS + 1} steps, the model {STEPS}"):
        read(path)


def test_the_loss_is_the_binary_cross_entropy_with_positives_weighed():
    import tensorflow as tf

    params = TrainingParams(steps=StepParams(positive_weight=3))
    objective = StepObjective(params)
    targets = np.array([[0, 1], [1, 1]], np.float32)
    outputs = np.array([[0.2, 0.7], [0.9, 0.4]], np.float32)[..., None]
    expected = [
        -(np.log(0.8) + 3 * np.log(0.7)) / 2,
        -3 * (np.log(0.9) + np.log(0.4)) / 2,
    ]
    losses = objective.losses(None, tf.constant(targets), tf.constant(outputs))
    assert losses.numpy() == pytest.approx(expected, rel=1e-5)
    assert float(objective.accuracy(tf.constant(targets), tf.constant(outputs))) == 0.75


def test_labels_are_never_parted_from_their_words_by_a_shift():
    import tensorflow as tf

    objective = StepObjective(TrainingParams(time_shift_frames=5))
    inputs = tf.random.stateless_normal([2, 8, 3], [1, 2])
    heard, _ = objective.prepare(inputs, tf.zeros([2, 3], tf.uint8), tf.constant([0, 1], tf.int64))
    assert (heard.numpy() == inputs.numpy()).all()


def test_a_model_learns_pieces_and_is_judged_on_whole_scenes(tmp_path):
    train = write(tmp_path / "train.gz", [scene(i) for i in range(16)])
    held = write(tmp_path / "eval.gz", [scene(i) for i in range(20, 24)])
    params = TrainingParams(
        epochs=12, batch_size=8, learning_rate=0.02, steps=StepParams(crop_steps=24)
    )
    trained = scene_training.train([train], [held], MODEL, params, "yes", FEATURES)
    assert trained.model.input_shape == (None, FRAMES, CHANNELS)
    first, best = trained.history.epochs[0], trained.history.best
    assert best.eval_examples == 4 * STEPS
    assert best.metrics["f1"] == best.merit[0] > max(0.3, first.metrics["f1"])
    features, labels = next(trained.eval_data.in_order(4))
    said = trained.model(features).numpy()[..., 0] >= 0.5
    hits = int((said & (labels == 1)).sum())
    f1 = 2 * hits / (said.sum() + labels.sum())
    assert f1 == pytest.approx(best.metrics["f1"]), "the model has the best epoch's weights"
