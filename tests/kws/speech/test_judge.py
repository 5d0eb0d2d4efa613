"""The judge finds clips that do not say what the others say, and leaves the others."""

import itertools

import numpy as np
import pytest

from kws.errors import KwsError
from kws.speech import judge
from tests.kws.speech.test_embedding import AUDIO


def cheapest_alignment(local: np.ndarray) -> float:
    """By trying every path from corner to corner: the definition, not the recursion."""
    rows, columns = local.shape
    best = np.inf
    for length in range(max(rows, columns) - 1, rows + columns - 1):
        for steps in itertools.product(((0, 1), (1, 0), (1, 1)), repeat=length):
            if np.sum(steps, axis=0).tolist() != [rows - 1, columns - 1]:
                continue
            i = j = 0
            cost = 2 * local[0, 0]
            for down, right in steps:
                i, j = i + down, j + right
                cost += (down + right) * local[i, j]
            best = min(best, cost)
    return best / (rows + columns)


def test_the_distance_is_that_of_the_cheapest_of_all_alignments():
    rng = np.random.default_rng(0)
    paths = [rng.normal(size=(n, 96)) for n in (3, 4, 2)]
    paths = [path / np.linalg.norm(path, axis=1, keepdims=True) for path in paths]
    found = judge.warped_distances(paths[0], paths)
    expected = [cheapest_alignment(1 - paths[0] @ other.T) for other in paths]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    assert found[0] == pytest.approx(0, abs=1e-12)


def variants(words: np.ndarray, count: int) -> list[np.ndarray]:
    """The words faster and slower, louder and softer, in noise."""
    rng = np.random.default_rng(1)
    found = []
    for speed in np.linspace(0.9, 1.1, count):
        at = np.arange(0, len(words) - 1, speed)
        clip = np.interp(at, np.arange(len(words)), words) * rng.uniform(0.3, 1)
        found.append((clip + rng.normal(0, 30, len(clip))).astype(np.int16))
    return found


def test_clips_that_say_something_else_are_found_and_the_others_are_not():
    phrase, another = AUDIO[8000:24000], AUDIO[30000:46000]
    clips = variants(phrase, 14)
    wrong = {2: another, 5: phrase[::-1].copy(), 9: np.zeros_like(phrase), 11: phrase[:6000]}
    for place, clip in wrong.items():
        clips.insert(place, clip)
    found = judge.judge_clips(clips)
    assert np.flatnonzero(found.outliers).tolist() == sorted(wrong)
    assert found.count == len(wrong)
    assert not found.outliers[found.nearest].any()
    assert (found.nearest != np.arange(len(clips))).all()
    again = judge.judge_clips(clips)
    np.testing.assert_array_equal(again.scores, found.scores)


def test_a_clip_has_the_same_path_whatever_it_is_embedded_with():
    clips = [AUDIO[:9000], AUDIO[4000:25000], AUDIO[30000:41111]]
    together = judge.embedding_paths(clips)
    assert len({len(path) for path in together}) == 3
    for clip, path in zip(clips, together, strict=True):
        np.testing.assert_allclose(path, judge.embedding_paths([clip])[0], atol=1e-5)


def test_too_few_clips_are_refused():
    with pytest.raises(KwsError, match="7 clips of a phrase cannot be judged"):
        judge.judge_clips([AUDIO[:16000]] * 7)
