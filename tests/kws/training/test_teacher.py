"""Heads on the speech embedding: what they minimise, what they learn, and how they are kept."""

import numpy as np
import pytest

from kws.speech.head import HeadParams
from kws.training import checkpoint, teacher
from kws.training.teacher import Teacher, TeacherParams, soft_maximum, train_teacher

SMALL = TeacherParams(
    heads=2,
    embeddings=8,
    head=HeadParams(layers=1, filters=8, hidden_units=8, dropout=0.0),
    channel_dropout=0.1,
    epochs=10,
    batch_size=16,
    learning_rate=0.01,
)


def clips(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """float16 `[count, 14, 96]`; in every other clip two embeddings somewhere are "the word"."""
    rng = np.random.default_rng(seed)
    embeddings = rng.normal(0, 1, (count, 14, 96))
    is_keyword = np.arange(count) % 2 == 0
    for number in np.flatnonzero(is_keyword):
        start = rng.integers(0, 12)
        embeddings[number, start : start + 2, :16] += 3
    return embeddings.astype(np.float16), is_keyword


def test_the_soft_maximum_is_a_mean_of_equal_steps_and_nearly_the_highest_of_others():
    logits = np.array([[1.5, 1.5, 1.5], [-9.0, 4.0, -9.0], [0.0, 1.0, 2.0]], np.float32)
    expected = np.log(np.exp(2 * logits.astype(float)).mean(axis=1)) / 2
    np.testing.assert_allclose(soft_maximum(logits).numpy(), expected, rtol=1e-5)
    assert expected[0] == pytest.approx(1.5) and 3.4 < expected[1] < 4
    # Steps outside `where` are not there.
    first_two = np.array([[1, 1, 0]] * 3, np.float32)
    of_two = np.log(np.exp(2 * logits[:, :2].astype(float)).mean(axis=1)) / 2
    np.testing.assert_allclose(soft_maximum(logits, first_two).numpy(), of_two, rtol=1e-5)


@pytest.mark.parametrize("keywords", [1, 3])
def test_the_loss_is_that_of_its_definition(keywords):
    rng = np.random.default_rng(0)
    outputs, label = rng.normal(0, 3, (5, 4, keywords + 1)), np.array([2, 0, 1, keywords + 1, 0])
    odds, silence, expected = np.exp(outputs[..., :-1]), outputs[..., -1], 0.0
    for own, clip, z in zip(label - 2, odds, silence, strict=True):
        mine = clip[:, own] if own >= 0 else 0
        others = clip.sum(axis=1) - mine
        if own >= 0:
            strongest = np.log(((mine / (1 + others)) ** 2).mean()) / 2
            expected += np.log1p(np.exp(-strongest)) / 3
        else:
            expected += np.log1p(others).mean() / 4
            expected += np.log1p(np.exp(-z if own == -2 else z)).mean() / 4
        expected += 0.7 * np.log1p(others.max()) / 5
    found = teacher._loss(outputs.astype(np.float32), label.astype(np.int32), 0.7)
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_posteriors_of_any_logits_are_those_of_a_softmax_beside_a_zero():
    logits = np.array([[0.0, 0.0, 0.0], [500.0, 3.0, -2.0], [-700.0, -800.0, -900.0]])
    expected = np.exp(logits[:1]) / (1 + np.exp(logits[:1]).sum())
    found = teacher.posteriors_of(logits)
    np.testing.assert_allclose(found[:1], expected)
    np.testing.assert_allclose(found[1:], [[1, 0, 0], [0, 0, 0]], atol=1e-9)
    one = np.array([[-3.0], [2.0]])
    np.testing.assert_allclose(teacher.posteriors_of(one), 1 / (1 + np.exp(-one)))


def test_heads_find_a_word_where_it_is_in_clips_that_only_say_that_it_is_somewhere(tmp_path):
    embeddings, is_keyword = clips(192, 1)
    label_index = np.where(is_keyword, 2, 1)
    told = []
    taught = train_teacher(
        embeddings,
        label_index,
        1,
        SMALL,
        seed=3,
        checkpoint_dir=tmp_path,
        progress=lambda number, loss: told.append((number, loss)),
    )
    judged, truth = clips(64, 2)
    posteriors = taught.posteriors(judged)
    assert posteriors.shape == (64, 14 - 8 + 1, 1) and [number for number, _ in told] == [1, 2]
    strongest = posteriors[..., 0].max(axis=1)
    assert np.mean((strongest > 0.5) == truth) > 0.9
    # A stream of noise, then the word at embeddings 20 and 21: steps that contain both fire.
    stream = np.random.default_rng(5).normal(0, 1, (1, 40, 96))
    stream[0, 20:22, :16] += 3
    steps = taught.posteriors(stream)[0, :, 0]
    with_word = slice(21 - 7, 20 + 1)
    assert steps[with_word].min() > 3 * np.delete(steps, range(12, 23)).mean()

    # Once more they are read, not trained: no progress, the same numbers.
    again = train_teacher(
        embeddings, label_index, 1, SMALL, seed=3, checkpoint_dir=tmp_path, progress=pytest.fail
    )
    np.testing.assert_array_equal(again.posteriors(judged), posteriors)
    assert again.fingerprint == taught.fingerprint
    # Other data are another teacher; a finished training leaves none behind.
    other = train_teacher(
        embeddings,
        3 - label_index,
        1,
        SMALL.model_copy(update={"epochs": 1}),
        checkpoint_dir=tmp_path,
    )
    assert other.fingerprint != taught.fingerprint and len(list(tmp_path.iterdir())) == 2
    checkpoint.clear(tmp_path)
    assert not list(tmp_path.iterdir())


def test_posteriors_are_the_mean_of_the_heads_whatever_the_batches(monkeypatch):
    heads = [teacher._build(SMALL, 2, seed) for seed in (1, 2)]
    embeddings = clips(7, 3)[0]
    alone = [Teacher(heads=[head], params=SMALL).posteriors(embeddings) for head in heads]
    monkeypatch.setattr(teacher, "_EVAL_BATCH", 3)
    both = Teacher(heads=heads, params=SMALL).posteriors(embeddings)
    np.testing.assert_allclose(both, (alone[0] + alone[1]) / 2, atol=1e-6)
    assert np.abs(alone[0] - alone[1]).max() > 1e-3


def test_a_step_ends_with_the_sound_of_its_last_embedding():
    # The eighth embedding begins at 560 ms and is of 782 ms.
    times_ms = Teacher(heads=(), params=SMALL).step_times_ms(3)
    np.testing.assert_array_equal(times_ms, [1342, 1422, 1502])
    assert SMALL.window_ms == 1342


def test_what_cannot_be_learned_from_is_refused():
    embeddings, is_keyword = clips(8, 0)
    label_index = np.where(is_keyword, 2, 1)
    with pytest.raises(ValueError, match="clips of 7 embeddings are shorter than the 8"):
        train_teacher(embeddings[:, :7], label_index, 1, SMALL)
    with pytest.raises(ValueError, match="8 of 8 clips are of a keyword"):
        train_teacher(embeddings, np.full(8, 2), 1, SMALL)
    with pytest.raises(ValueError, match="embeddings=8 are fewer than the 17 that 8 convolutions"):
        TeacherParams(embeddings=8, head=HeadParams(layers=8))
