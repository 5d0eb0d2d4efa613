"""Training learns, keeps the best epoch, and survives being killed."""

import json

import numpy as np
import pytest

from kws.errors import KwsError
from kws.features import files
from kws.features.params import FeatureParams
from kws.models import registry
from kws.models.params import ModelParams
from kws.training import checkpoint, dataset, objective, saved_model
from kws.training.callbacks import EpochReport, StepReport, confusion_table
from kws.training.dataset import Dataset
from kws.training.fit import fit
from kws.training.params import EarlyStoppingParams, TrainingParams

LABELS = ("_silence_", "_unknown_", "yes")
MODEL = ModelParams(name="ds_cnn", options={"filters": 4, "blocks": 1, "first_kernel": (3, 3)})
PARAMS = TrainingParams(
    epochs=3,
    batch_size=16,
    learning_rate=0.02,
    time_shift_frames=1,
    time_mask_frames=1,
    channel_mask=1,
    checkpoint_every_steps=2,
    seed=3,
)


def toy(count: int, seed: int) -> Dataset:
    """Clips whose label is how loud they are."""
    rng = np.random.default_rng(seed)
    label_index = np.arange(count) % 3
    features = rng.integers(0, 20, (count, 8, 6)) + 40 * label_index[:, None, None]
    clip_ids = [f"{number:04d}" for number in range(count)]
    return dataset.from_arrays(features.astype(np.uint16), label_index, clip_ids, LABELS, 0.0390625)


class Watcher:
    """Collects reports; raises Killed after so many steps, as a killed process would stop."""

    def __init__(self, killed_after: int | None = None):
        self.steps: list[StepReport] = []
        self.epochs: list[EpochReport] = []
        self._killed_after = killed_after

    def on_step(self, report: StepReport) -> None:
        self.steps.append(report)
        if report.step == self._killed_after:
            raise Killed

    def on_epoch(self, report: EpochReport, labels) -> None:
        self.epochs.append(report)


class Killed(Exception):
    pass


def model():
    return registry.build(MODEL, (8, 6), len(LABELS), seed=PARAMS.seed)


def model_of_constant_outputs():
    """Says the same of every clip, whatever it learns."""
    import tensorflow as tf

    inputs = tf.keras.layers.Input((8, 6), name="features")
    silent = tf.keras.layers.Rescaling(0.0, name="silent")(inputs)
    pooled = tf.keras.layers.GlobalAveragePooling1D(name="pool")(silent)
    layer = tf.keras.layers.Dense(
        3, kernel_initializer="zeros", use_bias=False, activation="softmax", name="posteriors"
    )
    return tf.keras.Model(inputs, layer(pooled), name="constant")


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """A training that nobody disturbed: (model, history, what was watched, log folder)."""
    trained, watcher, logs = model(), Watcher(), tmp_path_factory.mktemp("logs")
    history = fit(trained, toy(45, 0), toy(30, 1), PARAMS, log_dir=logs, progress=watcher)
    return trained, history, watcher, logs


def test_a_training_learns_and_reports_each_step_and_epoch(unbroken):
    _, history, watcher, _ = unbroken
    assert [report.step for report in watcher.steps] == list(range(1, 10))
    assert [report.epoch for report in history.epochs] == [1, 2, 3]
    assert history.epochs[-1].cross_entropy < history.epochs[0].cross_entropy
    assert sum(map(sum, history.best.confusion)) == 30
    assert history.resumed_at_step == 0 and history.examples_per_second > 0
    assert 0 <= history.outside_step_share < 1 and history.evaluation_seconds > 0
    assert "(N=30)" in history.best.line() and not history.stopped_early


def test_tensorboard_has_scalars_the_confusion_matrix_and_inputs_as_pictures(unbroken):
    import tensorflow as tf

    _, _, _, logs = unbroken
    found = {
        f"{split}: {value.tag}"
        for split in ("train", "eval")
        for path in logs.glob(f"{split}/events*")
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
        for value in tf.compat.v1.Event.FromString(record).summary.value
    }
    assert {"train: augmented inputs", "eval: confusion matrix"} <= found
    assert {"train: accuracy", "train: learning_rate", "eval: cross_entropy"} <= found


def test_a_training_that_gets_no_better_stops_and_can_be_resumed_where_it_stopped(tmp_path):
    params = PARAMS.model_copy(
        update={
            "epochs": 50,
            "learning_rate": 1e-12,
            "schedule": "constant",
            "checkpoint_every_steps": 1000,
            "early_stopping": EarlyStoppingParams(patience_epochs=2),
        }
    )
    frozen = model_of_constant_outputs()
    history = fit(frozen, toy(45, 0), toy(30, 1), params, checkpoint_dir=tmp_path)
    assert history.stopped_early and history.best_epoch == 1 and len(history.epochs) == 3
    again = fit(
        model_of_constant_outputs(), toy(45, 0), toy(30, 1), params, checkpoint_dir=tmp_path
    )
    assert again.epochs == history.epochs and again.resumed_at_step == history.steps == 9


def test_early_stopping_on_misses_without_streams_is_refused():
    stopping = EarlyStoppingParams(metric="misses")
    params = PARAMS.model_copy(update={"early_stopping": stopping})
    with pytest.raises(KwsError, match="metric=misses needs eval streams"):
        fit(model_of_constant_outputs(), toy(45, 0), toy(30, 1), params)


def test_the_model_has_the_weights_of_the_epoch_with_the_best_eval_accuracy(unbroken):
    trained, history, _, _ = unbroken
    assert history.best.eval_accuracy == max(e.eval_accuracy for e in history.epochs)
    again = objective.LabelEvaluator(trained, toy(30, 1))()
    assert again.accuracy == pytest.approx(history.best.eval_accuracy)
    assert again.cross_entropy == pytest.approx(history.best.eval_cross_entropy, rel=1e-4)


def test_where_the_last_epoch_is_to_be_kept_it_is_though_another_was_better():
    params = PARAMS.model_copy(update={"learning_rate": 1e-12, "schedule": "constant"})
    kept = {
        keep: fit(
            model_of_constant_outputs(), toy(45, 0), toy(30, 1),
            params.model_copy(update={"keep": keep}),
        ).best_epoch
        for keep in ("best", "last")
    }  # fmt: skip
    assert kept == {"best": 1, "last": 3}


EVERYTHING = {
    "optimizer": "sgd",
    "sampling": "balanced",
    "mixup_alpha": 0.4,
    "label_smoothing": 0.1,
    "weight_average": 0.8,
}


@pytest.mark.parametrize("changes", [{}, EVERYTHING], ids=["plain", "everything"])
def test_a_killed_training_ends_where_the_unbroken_one_ended(changes, tmp_path):
    params = PARAMS.model_copy(update=changes)
    data = toy(45, 0), toy(30, 1), params
    trained = model()
    history = fit(trained, *data, progress=Watcher())
    with pytest.raises(Killed):
        fit(model(), *data, checkpoint_dir=tmp_path, progress=Watcher(killed_after=5))
    resumed = model()
    went_on = fit(resumed, *data, checkpoint_dir=tmp_path, progress=Watcher())
    assert went_on.resumed_at_step == 4  # in the middle of the second epoch
    assert went_on.best_epoch == history.best_epoch
    assert [e.confusion for e in went_on.epochs] == [e.confusion for e in history.epochs]
    for one, other in zip(resumed.get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_only_what_decides_the_result_decides_which_checkpoint_is_resumed():
    def key(train=None, **changes) -> str:
        params, data = PARAMS.model_copy(update=changes), train or toy(45, 0)
        labels = objective.LabelObjective(data, params)
        return checkpoint.key(model(), data, toy(30, 1), params, labels)

    assert key() == key(checkpoint_every_steps=7, cache_bytes=0)
    assert len({key(), key(label_smoothing=0.1), key(seed=4), key(train=toy(45, 2))}) == 4


def test_label_weights_are_inverse_to_frequency_and_one_on_average():
    index = np.array([1] * 6 + [2] * 3)
    data = dataset.from_arrays(np.zeros((9, 2, 2), np.uint16), index, ["x"] * 9, LABELS)
    weights = objective.label_weights(data, PARAMS)
    assert weights[1] * 2 == weights[2] and weights[0] == 0
    assert weights[index].mean() == pytest.approx(1)


def test_the_confusion_table_has_a_row_for_what_was_said():
    table = confusion_table([[5, 0], [12, 3]], ["no", "yes"]).splitlines()
    assert table[1].split() == ["no", "yes"]
    assert table[2].split() == ["no", "5", "0"] and table[3].split() == ["yes", "12", "3"]


def test_an_exported_model_gives_the_same_posteriors_and_says_how_it_was_made(unbroken, tmp_path):
    import tensorflow as tf

    trained, history, _, _ = unbroken
    train, feature_params = toy(45, 0), FeatureParams()
    report = saved_model.report(trained, train, toy(30, 1), MODEL, PARAMS, history)
    saved_model.export(trained, tmp_path / "model", LABELS, feature_params, report)
    batch = train.features[:4].astype(np.float32) * np.float32(train.scale)
    serving = tf.saved_model.load(str(tmp_path / "model")).signatures["serving_default"]
    [posteriors] = serving(tf.constant(batch)).values()
    np.testing.assert_allclose(posteriors, trained(batch), rtol=1e-5)
    assert (tmp_path / "model" / "labels.txt").read_text().split() == list(LABELS)
    assert files.read(tmp_path / "model") == feature_params
    written = json.loads((tmp_path / "model" / "training.json").read_text())
    assert written["parameters"] == trained.count_params()
    assert written["label_counts"] == {"_silence_": 15, "_unknown_": 15, "yes": 15}
