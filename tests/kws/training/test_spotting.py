"""Training at every step: its costs, its times, its teacher, and the spotter on streams."""

import dataclasses

import numpy as np
import pytest

from kws import features as frontends
from kws.errors import KwsError
from kws.features.params import FeatureParams
from kws.models import registry
from kws.models.params import ModelParams
from kws.speech.head import HeadParams
from kws.training import dataset, spotting
from kws.training.fit import fit
from kws.training.params import SpottingParams, TrainingParams
from kws.training.spotting import (
    SpottingObjective,
    Taught,
    asked_steps,
    step_times_ms,
    training_form,
)
from kws.training.teacher import Teacher, TeacherParams

LABELS = ("_silence_", "_unknown_", "yes")
OPTIONS = {
    "first_filters": 4,
    "kernels": ((4, 6),),
    "filters": (6,),
    "residual": (False,),
    "ending": "sigmoid",
    "padding": "none",
}
MODEL = ModelParams(name="mixed_net", options=OPTIONS)
# 10 ms hop, 30 ms windows: clips of 60 frames (38 of them one posterior's context), 8 channels.
FEATURES = FeatureParams(
    clip_duration_ms=620, context_ms=400, window_stride_ms=10, feature_bin_count=8
)
STEP = 3


def spotter(seed: int = 0, **options):
    params = MODEL.model_copy(update={"options": {**OPTIONS, **options}})
    model = registry.build(
        params,
        FEATURES.feature_shape,
        len(LABELS),
        seed=seed,
        context_frames=FEATURES.context_frames,
    )
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if layer.name.endswith("_bn"):
            layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    return model


def softplus(x):
    return np.logaddexp(0, x)


def cross_entropy(target, logit):
    return softplus(logit) - target * logit


@pytest.mark.parametrize("keywords", [1, 3])
def test_the_costs_are_those_of_their_definition(keywords):
    rng = np.random.default_rng(0)
    steps, asked, size = 7, asked_steps(7), 96
    assert list(asked) == [0, 3, 6]
    labels = (*LABELS, "no", "left")[: 2 + keywords]
    label_index = np.array([2, 0, 1, 1 + keywords, 1, 0])
    posteriors = rng.dirichlet(np.ones(keywords + 1), (6, steps))[:, :, 1:].astype(np.float16)
    teacher_logits = rng.normal(0, 3, (6, steps, keywords)).astype(np.float16)
    silent = rng.uniform(0, 1, (6, steps, 1)).astype(np.float16)
    embeddings = rng.normal(0, 1, (6, len(asked), size)).astype(np.float16)
    own = SpottingParams(
        hardest_weight=0.4, posterior_weight=3.0, embedding_weight=0.6, ranking_weight=0.2,
        ranking_margin=1.5, silence_weight=0.3, logit_weight=0.7,
    )  # fmt: skip
    said = Taught(
        posteriors=posteriors, logits=teacher_logits, silence=silent, embeddings=embeddings,
        places=np.ones(steps), fingerprint="",
    )  # fmt: skip
    objective = SpottingObjective(TrainingParams(spotting=own), labels, None, said)
    targets = objective.targets(label_index)
    columns = 1 + 2 * steps * keywords + steps + len(asked) * size
    assert targets.dtype == np.float16 and targets.shape == (6, columns)
    # One keyword has its logit alone, several have one of anything else before theirs.
    logits = 1 if keywords == 1 else 1 + keywords
    outputs = rng.normal(0, 2, (6, steps, logits + 1 + size)).astype(np.float32)

    z, s, h = (part.astype(float) for part in np.split(outputs, [logits, logits + 1], axis=2))
    z, s = z if keywords == 1 else z[..., 1:] - z[..., :1], s[..., 0]
    odds = np.exp(z)
    total = 1 + odds.sum(axis=2)
    strongest, worst = np.zeros(6), np.zeros(6)
    for i, label in enumerate(label_index):
        mine = odds[i, :, label - 2] if label >= 2 else 0
        others = odds[i].sum(axis=1) - mine
        worst[i] = np.log(others.max()) if others.max() > 1e-9 else -np.inf
        if label >= 2:
            strongest[i] = np.log(((mine / (1 + others)) ** 2).mean()) / 2
    keyword = label_index >= 2
    # The highest of other clips (all four) against the lowest of the keywords' (both).
    ranking = softplus(1.5 + worst[~keyword][:, None] - strongest[keyword][None]).mean()
    off = np.abs(z - teacher_logits.astype(float))
    huber = np.where(off < 1, off**2 / 2, off - 0.5).mean(axis=(1, 2))
    assert (off < 1).any() and (off > 1).any()
    taught_posteriors = posteriors.astype(float)
    of_teacher = -(taught_posteriors * np.log(odds / total[..., None])).sum(axis=2)
    of_teacher += (1 - taught_posteriors.sum(axis=2)) * np.log(total)
    expected, taught, alone = [], [], []
    for i, label in enumerate(label_index):
        cost = 0.4 * softplus(worst[i]) + 0.2 * ranking
        if label >= 2:
            cost += softplus(-strongest[i]) * 6 / 3
        else:
            cost += np.log(total[i]).mean() * 6 / 5
        # What is labelled silence is silent at all its steps, other sound at those of the teacher.
        of_label = 0.3 * cross_entropy(float(label == 0), s[i]).mean()
        of_steps = cross_entropy(1.0 if label == 0 else silent[i, :, 0].astype(float), s[i]).mean()
        alone.append(cost + (of_label if label < 2 else 0))
        cost += 0.3 * of_steps if label < 2 else 0
        taught.append(
            3.0 * of_teacher[i].mean()
            + 0.7 * huber[i]
            + 0.6 * np.mean((h[i][[0, 3, 6]] - embeddings[i].astype(float)) ** 2)
        )
        expected.append(cost + taught[-1])
    prepared = targets.astype(np.float32)
    found = objective.losses(None, prepared, outputs).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-4)

    right = []
    for i, label in enumerate(label_index):
        step, best = np.unravel_index((odds[i] / total[i][:, None]).argmax(), odds[i].shape)
        right.append((best + 2 if odds[i, step, best] >= 1 else 1) == max(label, 1))
    assert float(objective.accuracy(prepared, outputs)) == pytest.approx(np.mean(right))
    # Without a teacher its costs are missing, and the targets are the labels alone.
    untaught = SpottingObjective(TrainingParams(spotting=own), labels, None, None)
    only_labels = untaught.targets(label_index)
    assert only_labels.shape == (6, 1)
    without = untaught.losses(None, only_labels.astype(np.float32), outputs[:, :, : logits + 1])
    np.testing.assert_allclose(without.numpy(), alone, rtol=1e-4)


@pytest.mark.parametrize("label", [1, 2])
def test_a_batch_of_one_kind_costs_a_finite_sum_without_ranking(label):
    own = SpottingParams(ranking_weight=1.0, silence_weight=0, hardest_weight=0)
    objective = SpottingObjective(TrainingParams(spotting=own), LABELS, None, None)
    logits = np.random.default_rng(1).normal(0, 2, (4, 5, 2)).astype(np.float32)
    targets = np.full((4, 1), label, np.float32)
    z = logits[..., 0].astype(float)
    strongest = np.log(np.exp(2 * z).mean(axis=1)) / 2
    expected = softplus(-strongest) if label == 2 else softplus(z).mean(axis=1)
    found = objective.losses(None, targets, logits).numpy()
    np.testing.assert_allclose(found, expected * 4 / 5, rtol=1e-4)


def test_clips_are_masked_but_not_shifted_away_from_what_the_teacher_says():
    import tensorflow as tf

    params = TrainingParams(spotting=SpottingParams(), time_shift_frames=5)
    objective = SpottingObjective(params, LABELS, None, None)
    inputs = np.random.default_rng(0).normal(0, 1, (4, 20, 8)).astype(np.float32)
    seed = tf.constant([1, 2], tf.int64)
    prepared, _ = objective.prepare(inputs, np.zeros((4, 1), np.float16), seed)
    np.testing.assert_array_equal(prepared, inputs)
    masked = SpottingObjective(
        params.model_copy(update={"time_mask_frames": 9}), LABELS, None, None
    ).prepare(inputs, np.zeros((4, 1), np.float16), seed)[0]
    assert (masked.numpy() != inputs).any()


def test_clips_of_other_sound_go_on_as_another_does_with_what_the_teacher_says_of_it():
    import tensorflow as tf

    count, frames, steps = 400, 20, 10
    rng = np.random.default_rng(0)
    label_index = rng.choice(3, count, p=[0.2, 0.5, 0.3])
    # Whose each frame, posterior and embedding is.
    number = np.arange(count, dtype=np.float16)
    said = Taught(
        posteriors=np.repeat(number[:, None, None], steps, 1),
        logits=np.repeat(number[:, None, None] + 1, steps, 1),
        silence=np.repeat(number[:, None, None] + 2, steps, 1),
        embeddings=np.tile(number[:, None, None], (1, len(asked_steps(steps)), 96)),
        places=np.linspace(0.1, 1.0, steps).astype(np.float32),
        fingerprint="",
    )
    params = TrainingParams(spotting=SpottingParams(splice_share=0.6), time_shift_frames=0)
    objective = SpottingObjective(params, LABELS, None, said)
    inputs = np.tile(number[:, None, None], (1, frames, 8)).astype(np.float32)
    made, targets = objective.prepare(
        inputs, objective.targets(label_index), tf.constant([1, 2], tf.int64)
    )
    heard, targets = made.numpy()[:, :, 0], targets.numpy()
    taught, logits = targets[:, 1 : 1 + steps], targets[:, 1 + steps : 1 + 2 * steps]
    embedded = targets[:, 1 + 3 * steps :].reshape(count, -1, 96)
    np.testing.assert_array_equal(logits, taught + 1)
    np.testing.assert_array_equal(targets[:, 1 + 2 * steps : 1 + 3 * steps], taught + 2)
    cut = heard[:, -1] != number
    allowed = (label_index == 1) & (np.roll(label_index, 1) == 1)
    assert cut[~allowed].sum() == 0 and 0.5 < cut[allowed].mean() < 0.7
    np.testing.assert_array_equal(targets[:, 0], label_index)
    for clip in np.flatnonzero(cut):
        before = (clip - 1) % count
        at = (heard[clip] == number[clip]).sum() / frames
        assert 0.15 <= at <= 0.9 and (heard[clip, int(at * frames) :] == number[before]).all()
        for places, whose in ((said.places, taught), (said.places[::3], embedded[:, :, 0])):
            sure = np.abs(places - at) > 1 / frames
            expected = np.where(places < at, number[clip], number[before])
            np.testing.assert_array_equal(whose[clip][sure], expected[sure])


def test_each_step_ends_where_its_last_frame_ends():
    # By hand: 60 frames, of which the last is of 590 to 620 ms; a step is 3 frames.
    assert FEATURES.feature_shape == (60, 8)
    np.testing.assert_array_equal(step_times_ms(FEATURES, 3, STEP), [560, 590, 620])
    # A click in a clip is in no step that ends before it, and in the first that ends after it.
    frontend = frontends.create(FEATURES)
    audio = np.random.default_rng(0).integers(-50, 50, 620 * 16).astype(np.int16)
    clicked = audio.copy()
    clicked[495 * 16] = 30_000
    differs = (frontend.compute(audio) != frontend.compute(clicked)).any(axis=1)
    steps = differs.reshape(20, STEP).any(axis=1)
    ends_ms = step_times_ms(FEATURES, 20, STEP)
    assert steps.any() and int(np.argmax(steps)) == int(np.argmax(ends_ms > 495))


def test_the_training_form_has_the_weights_of_the_model_and_an_embedding_of_its_own():
    model = spotter()
    form = training_form(model, 96)
    own = {id(variable) for variable in model.variables}
    more = [v for v in form.trainable_variables if id(v) not in own]
    assert own <= {id(variable) for variable in form.variables}
    assert {v.name.split("/")[0] for v in more} == {"embedding"}
    inputs = np.random.default_rng(1).normal(1, 1, (2, *FEATURES.feature_shape)).astype(np.float32)
    logits = form(inputs).numpy()
    steps = (60 - 38) // STEP + 1
    assert logits.shape == (2, steps, 2 + 96)
    # The model's posteriors are the sigmoids of the strongest step.
    strongest = logits[:, :, 0].argmax(axis=1)
    word, silence = (1 / (1 + np.exp(-logits[[0, 1], strongest, i])) for i in (0, 1))
    expected = np.stack([(1 - word) * silence, (1 - word) * (1 - silence), word], axis=1)
    np.testing.assert_allclose(model(inputs).numpy(), expected, atol=1e-6)
    # A step of training the one moves the other.
    before = model(inputs).numpy()
    form.get_layer("conv").kernel.assign_add(0.1 * np.ones_like(form.get_layer("conv").kernel))
    assert np.abs(model(inputs).numpy() - before).max() > 1e-4


@pytest.mark.parametrize(
    ("params", "context", "labels"),
    [
        (ModelParams(name="tiny_conv", options={"filters": 2}), None, 3),
        (MODEL, None, 3),
        (MODEL.model_copy(update={"options": {**OPTIONS, "ending": "softmax"}}), 38, 3),
    ],
    ids=["windowed", "whole clips", "softmax"],
)
def test_a_model_that_does_not_answer_at_every_step_is_refused(params, context, labels):
    model = registry.build(params, FEATURES.feature_shape, labels, context_frames=context)
    with pytest.raises(
        KwsError, match=r"training.spotting: model .* does not answer at every step"
    ):
        training_form(model)


class Rising:
    """A "head": the logit of a step is the mean of the first channel over its embeddings; that of
    silence is its opposite."""

    output_shape = (None, None, 2)

    def __call__(self, embeddings, training):
        import tensorflow as tf

        means = [embeddings[:, k : k + 8, :1] for k in range(embeddings.shape[1] - 7)]
        logits = tf.stack([tf.reduce_mean(part, axis=1) for part in means], axis=1)
        return tf.concat([logits, -logits], axis=2)

    def get_weights(self):
        return []


@pytest.mark.parametrize("count", [8, 12])
def test_what_a_teacher_says_is_placed_at_the_times_of_the_student(count):
    # The first channel counts embeddings: a teacher's step k has the logit k + 3.5.
    embeddings = np.zeros((3, count, 96), np.float16)
    embeddings[..., 0] = np.arange(count)
    embeddings[1, :, 1] = 5
    params = TeacherParams(embeddings=8, head=HeadParams(layers=1))
    own_ms = 782 + 7 * 80
    times_ms = own_ms + np.array([-200.0, 0, 20, 80, 300])
    said = spotting.taught(Teacher(heads=[Rising()], params=params), embeddings, times_ms, [0, 3])
    own = 1 / (1 + np.exp(-(np.arange(count - 7) + 3.5)))
    place = np.clip((times_ms - own_ms) / 80, 0, count - 8)
    expected = np.interp(place, np.arange(count - 7), own)
    np.testing.assert_allclose(said.posteriors, np.tile(expected[:, None], (3, 1, 1)), rtol=2e-3)
    logits = np.interp(place, np.arange(count - 7), np.arange(count - 7) + 3.5)
    np.testing.assert_allclose(said.logits, np.tile(logits[:, None], (3, 1, 1)), rtol=2e-3)
    np.testing.assert_allclose(said.silence, np.tile(1 - expected[:, None], (3, 1, 1)), atol=2e-3)
    # Embedding 7 ends with the teacher's first step, so 200 ms before it 4 or 5 do, and 80 ms
    # after it 8, or the clip's last.
    nearest = np.array([4 if (7 - 2.5) % 2 < 1 else 5, min(8, count - 1)])
    flat = embeddings.reshape(-1, 96).astype(float)
    mean, deviation = flat.mean(axis=0), flat.std(axis=0) + 1e-3
    wanted = (embeddings[:, nearest].astype(float) - mean) / deviation
    np.testing.assert_allclose(said.embeddings, wanted, atol=2e-3)


def examples(count: int, seed: int) -> tuple[dataset.Dataset, dataset.Dataset]:
    """Clips, and their embeddings; the word is a loud stretch in both, wherever it is."""
    rng = np.random.default_rng(seed)
    features = rng.integers(0, 60, (count, *FEATURES.feature_shape))
    embeddings = rng.normal(0, 1, (count, 9, 96)).astype(np.float16)
    label_index = np.arange(count) % 3
    for number in np.flatnonzero(label_index == 2):
        start = rng.integers(22, 50)
        features[number, start : start + 9] += 300
        embeddings[number, 3:6, :20] += 3
    ids = [f"{seed}-{number:03d}" for number in range(count)]
    clips = dataset.from_arrays(
        features.astype(np.uint16), label_index, ids, LABELS, 10 / 256, "micro"
    )
    order = rng.permutation(count)
    own = dataset.from_arrays(
        embeddings[order], label_index[order], [ids[i] for i in order], LABELS
    )
    return clips, own


TEACHER = TeacherParams(
    heads=1, embeddings=8, head=HeadParams(layers=1, filters=8, hidden_units=8), epochs=4,
    batch_size=16, learning_rate=0.01, channel_dropout=0.0,
)  # fmt: skip


def test_a_spotter_learns_from_clips_and_a_killed_training_goes_on(tmp_path):
    params = TrainingParams(
        epochs=8, batch_size=12, learning_rate=0.01,
        spotting=SpottingParams(teacher=TEACHER, splice_share=0.3),
        checkpoint_every_steps=10,
    )  # fmt: skip
    train, embeddings = examples(120, 1)
    judged, _ = examples(60, 2)

    def trained(most_steps=None):
        spotter(1)  # Whatever was built before in the process.
        model = spotter()
        trainee, taught, objective = spotting.prepare(
            model, train, embeddings, params, FEATURES, STEP, tmp_path
        )
        watcher = KilledAfter(most_steps)
        return model, fit(
            trainee, taught, judged, params, objective=objective, checkpoint_dir=tmp_path,
            progress=watcher,
        )  # fmt: skip

    with pytest.raises(KilledAfter.Killed):
        trained(25)
    model, history = trained()
    assert history.resumed_at_step == 20 and len(history.epochs) == 8
    best = history.epochs[history.best_epoch - 1]
    posteriors = model(judged.features.astype(np.float32) * np.float32(10 / 256)).numpy()
    right = np.mean((posteriors[:, 2] > 0.5) == (judged.label_index == 2))
    assert right > 0.9
    assert best.eval_accuracy == pytest.approx(
        np.mean(posteriors.argmax(axis=1) == judged.label_index)
    )


class KilledAfter:
    """Watches a training, and ends it where it is told to."""

    class Killed(Exception):
        pass

    def __init__(self, steps):
        self._steps = steps

    def on_step(self, report):
        if self._steps is not None and report.step >= self._steps:
            raise self.Killed

    def on_epoch(self, report, labels):
        pass


def test_clips_and_embeddings_that_do_not_belong_together_are_refused():
    params = TrainingParams(spotting=SpottingParams(teacher=TEACHER))
    train, embeddings = examples(9, 1)

    def prepare(clips, own):
        return spotting.prepare(spotter(), clips, own, params, FEATURES, STEP)

    with pytest.raises(KwsError, match="needs the speech embedding of the examples"):
        prepare(train, None)
    with pytest.raises(KwsError, match=r"9 of 9 training clips have no speech embedding, 1-000"):
        prepare(train, examples(9, 2)[1])
    with pytest.raises(KwsError, match="needs its 9 examples in memory"):
        prepare(dataclasses.replace(train, features=None), embeddings)
    with pytest.raises(KwsError, match="embeddings of 9 training clips do not fit"):
        prepare(train, dataclasses.replace(embeddings, features=None))
    of_others = dataclasses.replace(train, label_index=np.zeros(9, np.int32))
    with pytest.raises(KwsError, match="0 of 9 training clips are of a keyword"):
        prepare(of_others, embeddings)
    # In whatever order they come, each clip gets its own embedding.
    found = spotting.aligned(embeddings, train.clip_ids)
    assert (found[train.label_index == 2][:, 3:6, :20].astype(float).mean(axis=(1, 2)) > 2).all()


def test_the_roc_area_is_the_share_of_pairs_in_the_right_order():
    rng = np.random.default_rng(4)
    scores, positive = rng.integers(0, 9, 60) / 8.0, rng.uniform(size=60) < 0.4
    pairs = [
        1.0 if ours > other else 0.5 if ours == other else 0.0
        for ours in scores[positive]
        for other in scores[~positive]
    ]
    assert spotting.roc_area(scores, positive) == pytest.approx(np.mean(pairs))
    assert spotting.roc_area(scores, np.ones(60, bool)) == 0.5
