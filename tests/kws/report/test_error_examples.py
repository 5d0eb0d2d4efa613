"""Which errors are shown, and that the sound is the sound of the error."""

import dataclasses

import numpy as np
import pytest
import soundfile

from kws.report import page
from kws.report.error_examples import BEFORE_MS, StreamReader, worst_errors


def test_the_misses_that_came_least_near_come_first(data):
    misses, _ = worst_errors(data, StreamReader(data), 8)
    assert [example.word_ms[0] for example in misses] == [1_000, 11_000, 21_000]
    assert [example.score for example in misses] == pytest.approx([0.1, 0.3225, 0.545], abs=0.01)
    assert all(example.kind == "miss" and example.keyword == "yes" for example in misses)


def test_the_false_accept_is_shown_with_what_it_was_taken_for(data):
    _, accepts = worst_errors(data, StreamReader(data), 8)
    assert [example.keyword for example in accepts] == ["no"]
    assert 55_000 < accepts[0].detected_ms < 57_000 and accepts[0].word is None


def test_the_sound_is_that_of_the_stream_around_the_word(data):
    streams = StreamReader(data)
    (_, second, _), _ = worst_errors(data, streams, 8)
    excerpt = streams.excerpt(second)
    whole, rate = soundfile.read(data.streams / "words-test-00.wav", dtype="int16")
    start = (11_000 - BEFORE_MS) * rate // 1000
    np.testing.assert_array_equal(excerpt.audio, whole[start : start + len(excerpt.audio)])
    assert len(excerpt.audio) == (second.end_ms - second.start_ms) * rate // 1000
    assert excerpt.posteriors.max() == pytest.approx(0.3225, abs=0.01)


def test_the_page_stays_below_its_bound_and_says_what_is_left_out(data, monkeypatch):
    def size(cards) -> int:
        return sum(len(svg) + len(url) for _, shown, _, _ in cards for _, svg, url in shown)

    whole = page.error_cards(data)
    assert [len(shown) for _, shown, _, _ in whole] == [3, 1]
    monkeypatch.setattr(page, "MOST_ERROR_BYTES", size(whole) // 2)
    some = page.error_cards(data)
    assert 0 < size(some) <= size(whole) // 2
    assert sum(len(shown) + left_out for _, shown, left_out, _ in some) == 4
    assert "left out to limit the page's size" in page.render_report(data)


def test_streams_whose_audio_was_deleted_are_passed_over(data, tmp_path):
    gone = dataclasses.replace(data, streams=tmp_path / "gone")
    assert worst_errors(gone, StreamReader(gone), 8) == ([], [])
    assert page.render_report(gone).count("The streams have been deleted.") == 2
