"""Augmentation moves and hides what it says, and is a function of the seed."""

import numpy as np
import pytest

from kws.training import spec_augment
from kws.training.params import TrainingParams


@pytest.fixture(scope="module")
def batch() -> np.ndarray:
    return np.random.default_rng(0).uniform(1, 2, (64, 12, 7)).astype(np.float32)


def test_a_shifted_clip_is_the_clip_moved_with_its_edge_frame_repeated(batch):
    shifted = spec_augment.time_shift(batch, 3, [1, 2]).numpy()
    seen = set()
    for before, after in zip(batch, shifted, strict=True):
        candidates = {0: before}
        for n in (1, 2, 3):
            candidates[n] = np.concatenate([np.repeat(before[:1], n, 0), before[:-n]])
            candidates[-n] = np.concatenate([before[n:], np.repeat(before[-1:], n, 0)])
        [shift] = [n for n, frames in candidates.items() if np.array_equal(frames, after)]
        seen.add(shift)
    assert seen == {-3, -2, -1, 0, 1, 2, 3}


@pytest.mark.parametrize("axis", [1, 2])
def test_a_mask_hides_one_run_of_frames_or_channels_behind_the_mean(batch, axis):
    masked = spec_augment.mask(batch, 4, [3, 4], axis=axis).numpy()
    widths = set()
    for before, after in zip(batch, masked, strict=True):
        changed = before != after
        lines = changed.all(axis=2 - axis)
        assert (changed.any(axis=2 - axis) == lines).all()
        np.testing.assert_allclose(after[changed], before.mean(), rtol=1e-5)
        hidden = np.flatnonzero(lines)
        assert len(hidden) == 0 or hidden[-1] - hidden[0] + 1 == len(hidden)
        widths.add(len(hidden))
    assert widths == {0, 1, 2, 3, 4}


def test_equal_seeds_give_equal_clips_and_other_seeds_others(batch):
    params = TrainingParams(time_shift_frames=2, time_mask_frames=2, channel_mask=2)
    first, again, other = (
        spec_augment.augment(batch, params, [7, step]).numpy() for step in (1, 1, 2)
    )
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_nothing_asked_for_changes_nothing(batch):
    off = TrainingParams(time_shift_frames=0, time_mask_frames=0, channel_mask=0)
    assert np.array_equal(spec_augment.augment(batch, off, [0, 0]), batch)
