"""Which errors are shown, and that the sound is the sound of the error."""

import dataclasses

import numpy as np
import pytest
import soundfile

from kws.report.page import listen
from kws.report.page.moments import BEFORE_MS, Streams, worst


def test_the_misses_that_came_least_near_come_first(facts):
    misses, _ = worst(facts, Streams(facts), 8)
    assert [moment.said_ms[0] for moment in misses] == [1_000, 11_000, 21_000]
    assert [moment.score for moment in misses] == pytest.approx([0.1, 0.3225, 0.545], abs=0.01)
    assert all(moment.kind == "miss" and moment.keyword == "yes" for moment in misses)


def test_the_false_accept_is_shown_with_what_it_was_taken_for(facts):
    _, accepts = worst(facts, Streams(facts), 8)
    assert [moment.keyword for moment in accepts] == ["no"]
    assert 55_000 < accepts[0].detected_ms < 57_000 and accepts[0].word is None


def test_the_sound_is_that_of_the_stream_around_the_word(facts):
    streams = Streams(facts)
    (_, second, _), _ = worst(facts, streams, 8)
    heard = streams.heard(second)
    whole, rate = soundfile.read(facts.streams / "words-test-00.wav", dtype="int16")
    start = (11_000 - BEFORE_MS) * rate // 1000
    np.testing.assert_array_equal(heard.audio, whole[start : start + len(heard.audio)])
    assert len(heard.audio) == (second.end_ms - second.start_ms) * rate // 1000
    assert heard.posteriors.max() == pytest.approx(0.3225, abs=0.01)


def test_the_page_stays_below_its_bound_and_says_what_is_left_out(facts, monkeypatch):
    whole = len(listen.section(facts).body)
    monkeypatch.setattr(listen, "MOST_BYTES", whole // 2)
    body = listen.section(facts).body
    assert "<audio" in body and len(body) < whole // 2 + 3_000
    assert "left out for the page&#x27;s size" in body


def test_streams_whose_sound_was_removed_are_passed_over(facts, tmp_path):
    gone = dataclasses.replace(facts, streams=tmp_path / "gone")
    assert worst(gone, Streams(gone), 8) == ([], [])
    assert listen.section(gone).body.count("The streams are no longer there.") == 2
