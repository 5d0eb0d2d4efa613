"""A teacher's posteriors reach the model, in the amount and the softness that was asked for."""

import numpy as np
import pytest

from kws.errors import KwsError
from kws.models import registry
from kws.models.params import ModelParams
from kws.training import dataset, distillation
from kws.training.distillation import DistillationObjective
from kws.training.fit import fit
from kws.training.objective import LabelObjective
from kws.training.params import DistillationParams, TrainingParams
from tests.kws.training.test_fit import LABELS, Killed, Watcher, toy

TEACHER = ModelParams(name="ds_cnn", options={"filters": 6, "blocks": 1, "first_kernel": (3, 3)})
STUDENT = ModelParams(name="single_fc")


def params(**changes) -> TrainingParams:
    taught = {"teacher": TEACHER, "teacher_epochs": 2, **changes.pop("distillation", {})}
    return TrainingParams(
        epochs=2,
        batch_size=16,
        learning_rate=0.02,
        time_shift_frames=1,
        checkpoint_every_steps=2,
        seed=3,
        distillation=DistillationParams(**taught),
        **changes,
    )


def student():
    return registry.build(STUDENT, (8, 6), len(LABELS), seed=3)


def softmax(logits: np.ndarray) -> np.ndarray:
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("in_graph", [False, True])
@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_the_loss_is_hintons(temperature, in_graph):
    import tensorflow as tf

    rng = np.random.default_rng(0)
    z, v = rng.normal(0, 2, (5, 3)), [rng.normal(0, 2, (5, 3)) for _ in range(2)]
    one_hot = np.eye(3)[[0, 1, 2, 0, 1]]
    taught = (softmax(v[0]) + softmax(v[1])) / 2
    # The mean of posteriors p has the logits log p.
    q = softmax(np.log(taught) / temperature)
    hard = -(one_hot * np.log(softmax(z))).sum(axis=1)
    soft = -(q * np.log(softmax(z / temperature))).sum(axis=1)
    expected = 0.3 * hard + 0.7 * temperature**2 * soft

    wanted = DistillationParams(share=0.7, temperature=temperature)
    said = [tf.constant(softmax(logits), tf.float32) for logits in v]
    teachers = [lambda inputs, training, p=p: p for p in said]
    train = toy(45, 0)
    objective = DistillationObjective(LabelObjective(train, params()), teachers, wanted)

    def losses():
        outputs = tf.keras.activations.softmax(tf.constant(z, tf.float32))
        if not in_graph:  # a posterior whose logits are not known
            outputs = tf.constant(outputs.numpy())
        return objective.losses(None, tf.constant(one_hot, tf.float32), outputs)

    got = tf.function(losses)() if in_graph else losses()
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_a_confident_models_gradient_does_not_vanish():
    import tensorflow as tf

    z = tf.Variable([[60.0, 0.0, 0.0]])
    taught = tf.constant([[0.2, 0.7, 0.1]])
    with tf.GradientTape() as tape:
        loss = distillation.soft_cross_entropy(taught, tf.keras.activations.softmax(z), 1.0)
    gradient = tape.gradient(loss, z).numpy()[0]
    np.testing.assert_allclose(gradient, [0.8, -0.7, -0.1], atol=1e-6)


def test_a_model_taught_by_the_teacher_alone_comes_to_say_what_the_teacher_says():
    import tensorflow as tf

    def teacher(inputs, training):
        """Never sure; and the louder a clip, the more it is `_unknown_`, whatever its label."""
        loud = tf.reduce_mean(inputs, axis=(1, 2))
        return tf.nn.softmax(tf.stack([0 * loud, 0.5 * loud, -0.5 * loud], axis=1))

    # Clips of one level each, so that a model of one layer can say what the teacher says. One
    # epoch, for the best of several would be chosen by the labels.
    level = np.random.default_rng(0).integers(0, 100, 1600)
    features = np.broadcast_to(level[:, None, None], (1600, 8, 6)).astype(np.uint16)
    train = dataset.from_arrays(features, level // 34, ["x"] * 1600, LABELS, 0.0390625)
    own = params(distillation={"share": 1.0, "temperature": 1.0}).model_copy(
        update={"epochs": 1, "learning_rate": 0.003, "time_shift_frames": 0}
    )

    class Constant(DistillationObjective):
        fingerprint = "constant"

    model = student()
    inputs = train.features.astype(np.float32) * np.float32(train.scale)
    said = teacher(inputs, training=False).numpy()

    def distance() -> float:
        return float(np.abs(model(inputs).numpy() - said).sum(axis=1).mean() / 2)

    before = distance()
    objective = Constant(LabelObjective(train, own), [teacher], own.distillation)
    fit(model, train, train, own, objective=objective, progress=Watcher())
    assert before > 0.2 and distance() < 0.03


def trained(checkpoint_dir=None, progress=None):
    """Teachers and student as the Trainer makes them; the two models and the report."""
    train, eval_data, own = toy(45, 0), toy(30, 1), params()
    teachers, report = distillation.train_teachers(
        train,
        eval_data,
        own,
        checkpoint_dir=checkpoint_dir,
        progress=progress or Watcher(),
    )
    model = student()
    objective = DistillationObjective(LabelObjective(train, own), teachers, own.distillation)
    history = fit(
        model,
        train,
        eval_data,
        own,
        objective=objective,
        checkpoint_dir=checkpoint_dir,
        progress=progress or Watcher(),
    )
    return teachers, model, report, history


class KilledAt(Watcher):
    """Killed after so many steps, counted over teacher and student (6 each)."""

    def on_step(self, report) -> None:
        self.steps.append(report)
        if len(self.steps) == self._killed_after:
            raise Killed


def test_a_training_killed_in_the_teacher_or_in_the_student_ends_where_the_unbroken_one_ended(
    tmp_path,
):
    [teacher], model, report, _ = trained()
    assert report.parameters == teacher.count_params()
    assert report.each_eval_accuracy == (report.eval_accuracy,)
    for steps_more in (5, 5):  # in the teacher's second epoch; then in the student's first
        with pytest.raises(Killed):
            trained(tmp_path, KilledAt(steps_more))
    [again], resumed, _, history = trained(tmp_path)
    assert history.resumed_at_step == 2
    for one, other in zip(again.get_weights(), teacher.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    for one, other in zip(resumed.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_several_teachers_are_of_several_seeds_and_judged_together():
    own = params(distillation={"teachers": 2, "teacher_epochs": 1})
    teachers, report = distillation.train_teachers(toy(45, 0), toy(30, 1), own, progress=Watcher())
    first, second = (teacher.get_weights()[0] for teacher in teachers)
    assert not np.allclose(first, second)
    assert report.teachers == 2 and len(report.each_eval_accuracy) == 2


@pytest.mark.parametrize(
    "model, teacher, complaint",
    [
        ("tiny_conv", {"name": "no_such"}, "no_such"),
        ("tiny_conv", {"name": "ds_cnn", "options": {"size": 3}}, "size"),
        ("tiny_conv", {"name": "trigger_gru"}, "teacher trigger_gru answers at every step"),
        ("trigger_gru", {"name": "ds_cnn"}, "model trigger_gru answers at every step"),
    ],
)
def test_a_teacher_that_cannot_teach_is_refused(model, teacher, complaint):
    wanted = DistillationParams(teacher=ModelParams(**teacher))
    with pytest.raises(KwsError, match=complaint):
        wanted.check(ModelParams(name=model))
