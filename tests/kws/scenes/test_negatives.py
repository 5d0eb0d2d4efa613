"""Streams of recordings without keywords."""

import itertools

import numpy as np
import pytest

from kws.scenes.negatives import Piece, join_negatives, plan_negatives


def test_a_long_recording_is_cut_into_equal_pieces_that_leave_nothing_out():
    streams = plan_negatives([Piece("long.wav", 100_000, 1_700_000)], 600_000)
    assert [len(pieces) for pieces in streams] == [1, 1, 1]
    flat = [piece for pieces in streams for piece in pieces]
    assert flat[0].start_ms == 100_000 and flat[-1].stop_ms == pytest.approx(1_700_000)
    assert all(a.stop_ms == b.start_ms for a, b in itertools.pairwise(flat))
    assert all(p.duration_ms <= 600_000 for p in flat)


def test_short_recordings_share_a_stream():
    streams = plan_negatives([Piece(f"{i}.wav", 0, 5000) for i in range(50)], 100_000)
    assert [len(pieces) for pieces in streams] == [20, 20, 10]


def test_no_recordings_make_no_streams():
    assert plan_negatives([], 600_000) == []


def test_a_negative_stream_has_all_its_sound_and_not_one_word():
    rng = np.random.default_rng(0)
    audios = [rng.normal(0, 1000, n).astype(np.int16) for n in (16000, 8000)]
    joined, truth = join_negatives(audios, 16000, "negatives-test-000")
    assert np.array_equal(joined[:15000], audios[0][:15000])
    assert np.array_equal(joined[17000:], audios[1][1000:])
    assert (truth.kind, truth.words, truth.duration_ms) == ("negatives", (), 1500)


def test_a_negative_stream_says_where_each_collection_is_heard():
    mine, voices = Piece("b.wav", 0, 500), Piece("c.wav", 0, 500, synthesized=True)
    (pieces,) = plan_negatives([Piece("a.wav", 0, 1500, "speech"), mine, voices], 2500)
    assert [piece.source for piece in pieces] == ["speech", "", ""]
    audios = [np.ones(int(piece.duration_ms * 16), np.int16) for piece in pieces]
    _, truth = join_negatives(audios, 16000, "n", pieces)
    spans = [(s.start_ms, s.end_ms, s.source, s.synthesized) for s in truth.negatives]
    assert spans == [(0, 1500, "speech", False), (2000, 2500, "", True)]
    assert truth.duration_ms == 2500
