"""What the engines say: in level, in length, and again the same."""

import dataclasses

import numpy as np
import pytest

from kws.errors import KwsError
from kws.voices import engines, hibari_engine, pronounce, render
from kws.voices.engine import Request


def request(engine, text="stop", **changes):
    voice = {"hibari": "heart", "kokoro": "am_puck+af_bella"}[engine]
    fields = {"engine": engine, "text": text, "phonemes": pronounce.word(text), "voice": voice}
    return Request(**{**fields, **changes})


def median_f0_hz(clip):
    """Of voiced 40 ms frames, by the highest peak of the autocorrelation within 70 to 400 Hz."""
    found = []
    for first in range(0, len(clip) - 640, 160):
        frame = clip[first : first + 640].astype(float)
        correlation = np.correlate(frame, frame, "full")[639:]
        lag = 40 + np.argmax(correlation[40:229])
        if correlation[0] > 640 * 1000**2 and correlation[lag] > 0.5 * correlation[0]:
            found.append(16000 / lag)
    return np.median(found)


@pytest.mark.parametrize("engine", ["hibari", "kokoro"])
def test_a_word_is_a_levelled_clip_and_the_same_when_said_again(engine):
    clip = render.render(request(engine))
    assert clip.dtype == np.int16
    assert 0.25 < len(clip) / 16000 < 1.0
    assert 2000 < np.abs(clip).max() < 32000
    np.testing.assert_array_equal(clip, render.render(request(engine)))


def test_a_word_that_takes_too_long_is_said_faster():
    slow = request("hibari", "backward", speed=0.6)
    limited = dataclasses.replace(slow, max_ms=700)
    assert len(render.render(slow)) > 0.9 * 16000
    assert 0.5 * 16000 < len(render.render(limited)) <= 0.7 * 16000


def test_f0_scale_moves_the_pitch_by_its_factor():
    plain = median_f0_hz(render.render(request("hibari", "no")))
    low = median_f0_hz(render.render(request("hibari", "no", f0_scale=0.6)))
    assert low / plain == pytest.approx(0.6, rel=0.08)


def test_formant_scale_moves_what_is_at_a_frequency_to_its_multiple():
    head = np.zeros((601, 1), np.float32)
    head[200] = 1.0
    assert hibari_engine.stretch(head, 1.2).argmax() == 240
    assert hibari_engine.stretch(head, 0.8, nearest=True).argmax() == 160


def test_what_an_engine_cannot_do_is_said():
    with pytest.raises(KwsError, match="not on this machine"):
        render.render(request("hibari", voice="emma"))
    with pytest.raises(KwsError, match="cannot warp"):
        render.render(request("kokoro", f0_scale=1.2))
    with pytest.raises(KwsError, match="unknown"):
        engines.load("marytts")


def test_the_hash_changes_with_everything_that_is_heard_and_with_the_version():
    base = request("hibari")
    changed = [
        dataclasses.replace(base, **{name: value})
        for name, value in [("speed", 1.1), ("seed", 1), ("f0_scale", 0.9), ("phonemes", "ˈʌp.")]
    ]
    hashes = {r.content_hash("1") for r in [base, *changed]} | {base.content_hash("2")}
    assert len(hashes) == 6
    # Written down: a clip cached by an older version of this code is found again.
    fixed = Request(engine="hibari", text="a", phonemes="ˈA.", voice="heart")
    assert fixed.content_hash("1").startswith("c570c03b952a28e0")


def test_trimming_keeps_the_sound_with_small_margins():
    audio = np.zeros(24000, np.float32)
    audio[9600:16800] = 0.3 * np.sin(2 * np.pi * 200 * np.arange(7200) / 24000)  # 0.4 to 0.7 s
    clip = render.to_clip(audio, 24000)
    assert 0.3 * 16000 < len(clip) <= 0.39 * 16000
    assert abs(int(clip[0])) < 50
    assert abs(int(clip[-1])) < 50


@pytest.mark.parametrize("audio", [np.zeros(2400, np.float32), np.full(2400, np.nan, np.float32)])
def test_silence_and_nan_are_refused(audio):
    with pytest.raises(ValueError, match="audio"):
        render.to_clip(audio, 24000)
