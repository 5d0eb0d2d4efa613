"""Pieces of background recordings."""

import numpy as np
import pytest

from kws.augment.surroundings import cut_background


def test_a_piece_of_a_long_recording_is_that_piece():
    recording = np.arange(30000, dtype=np.int16)
    piece = cut_background(recording, 1000, np.random.default_rng(3))
    assert np.array_equal(piece, np.arange(piece[0], piece[0] + 1000))


def test_a_short_recording_is_looped_without_a_step():
    t = np.arange(4001)
    slow = (8000 * np.sin(2 * np.pi * t / 1333)).astype(np.int16)
    piece = cut_background(slow, 50000, np.random.default_rng(0))
    assert len(piece) == 50000
    largest_step_of_the_wave = 8000 * 2 * np.pi / 1333
    assert np.abs(np.diff(piece.astype(int))).max() < 2 * largest_step_of_the_wave


def test_a_looped_noise_keeps_its_level():
    noise = np.random.default_rng(0).normal(0, 1000, 16000).astype(np.int16)
    piece = cut_background(noise, 160000, np.random.default_rng(0)).reshape(-1, 800)
    levels_db = 20 * np.log10(piece.astype(float).std(axis=1) / 1000)
    assert np.abs(levels_db).max() < 1.5


def test_an_empty_recording_is_refused():
    with pytest.raises(ValueError, match="no samples"):
        cut_background(np.zeros(0, np.int16), 10, np.random.default_rng(0))
