"""Styles of speaking, measured on a vowel that is made of a pulse train and two formants."""

import numpy as np
import pytest
from scipy import signal

from kws.augment.chain import Treatment, change_voice, draw
from kws.augment.level import active_speech
from kws.augment.params import AugmentParams
from kws.augment.seed import generator
from kws.augment.speaking_styles import STYLES, draw_style, raise_end, speak, whisper
from tests.kws.augment.signals import RATE

PITCH_HZ = 125
WORD = slice(8000, 16000)
"""Half a second of a vowel, from half a second on."""


def vowel(pitch_hz: float = PITCH_HZ) -> np.ndarray:
    """float32, 1.5 s."""
    source = np.zeros(WORD.stop - WORD.start)
    source[:: round(RATE / pitch_hz)] = 1.0
    for hz, bandwidth_hz in ((700, 90), (1200, 110)):
        radius = np.exp(-np.pi * bandwidth_hz / RATE)
        source = signal.lfilter(
            [1], [1, -2 * radius * np.cos(2 * np.pi * hz / RATE), radius**2], source
        )
    source *= np.minimum(1, np.minimum(np.arange(8000), 7999 - np.arange(8000)) / 400)
    audio = np.zeros(24000, np.float32)
    audio[WORD] = 6000 * source / np.abs(source).max()
    return audio


def pitch_of(audio: np.ndarray) -> tuple[float, float]:
    """Hz of the highest peak of the autocorrelation between 80 and 400 Hz, and its height."""
    frame = audio.astype(float) * np.hanning(len(audio))
    plain = np.fft.irfft(np.abs(np.fft.rfft(frame, 1 << 15)) ** 2)
    window = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(len(audio)), 1 << 15)) ** 2)
    lags = np.arange(RATE // 400, RATE // 80)
    height = (plain / window)[lags] / (plain / window)[0]
    return RATE / lags[height.argmax()], float(height.max())


def third_octaves_db(audio: np.ndarray) -> np.ndarray:
    hz, power = signal.welch(audio[WORD].astype(float), RATE, nperseg=2048)
    centres = 400 * 2 ** (np.arange(10) / 3)
    return np.array([
        10 * np.log10(power[(hz > centre / 2 ** (1 / 6)) & (hz < centre * 2 ** (1 / 6))].mean())
        for centre in centres
    ])  # fmt: skip


def said_in(name: str, seed: int = 0) -> tuple[np.ndarray, object]:
    style = draw_style(name, generator(seed, name))
    audio = np.rint(vowel()).astype(np.int16)
    word = active_speech(audio, RATE)
    return change_voice(audio, word, Treatment(style=style), RATE), style


def test_a_whisper_has_the_envelope_of_the_voice_and_no_pitch():
    voiced = vowel()
    whispered = whisper(voiced, np.random.default_rng(0), RATE)
    assert whispered.dtype == np.float32 and len(whispered) == len(voiced)
    middle = slice(WORD.start + 2000, WORD.stop - 2000)
    assert pitch_of(voiced[middle])[1] > 0.9
    assert pitch_of(whispered[middle])[1] < 0.4
    apart_db = np.abs(third_octaves_db(whispered) - third_octaves_db(voiced))
    assert apart_db.max() < 5 and apart_db.mean() < 2
    level = [np.sqrt(np.mean(audio[WORD].astype(float) ** 2)) for audio in (voiced, whispered)]
    assert 20 * np.log10(level[1] / level[0]) == pytest.approx(0, abs=0.5)
    # What was silent stays so, but for a frame at the edges.
    assert np.abs(whispered[: WORD.start - 600]).max() < 1e-3 * np.abs(whispered).max()


def test_the_low_frequencies_of_a_whisper_are_attenuated():
    style = draw_style("whisper", generator(0, "x"))
    plain = whisper(vowel(), np.random.default_rng(style.seed), RATE)
    weaker = third_octaves_db(speak(vowel(), WORD, style, RATE)) - third_octaves_db(plain)
    assert weaker[0] < 0.7 * style.low_db < 0
    assert weaker[-1] == pytest.approx(0, abs=1)


def test_a_question_rises_in_its_last_third_and_takes_as_long():
    plain = vowel()
    asked = raise_end(plain, WORD, 6.0, RATE)
    third = WORD.stop - 8000 // 3
    assert np.array_equal(asked[:third], plain[:third])
    assert np.array_equal(asked[WORD.stop :], plain[WORD.stop :])
    expected = PITCH_HZ * 2 ** (6 / 12 * (1 - 560 / (8000 / 3)))
    assert pitch_of(asked[WORD.stop - 960 : WORD.stop - 160])[0] == pytest.approx(
        expected, rel=0.04
    )
    mid = PITCH_HZ * 2 ** (3 / 12)
    assert pitch_of(asked[WORD.stop - 1733 : WORD.stop - 933])[0] == pytest.approx(mid, rel=0.04)
    # Neither a hole nor a click where the parts are joined.
    steps = np.abs(np.diff(asked[third - 400 : third + 400])).max()
    assert steps < 1.3 * np.abs(np.diff(plain[WORD])).max()


def test_a_shout_is_higher_brighter_and_has_rounded_peaks():
    said, style = said_in("shouted")
    word = active_speech(said, RATE)
    middle = slice(word.start + 2000, word.start + 5000)
    shouted_hz = PITCH_HZ * 2 ** (style.pitch_semitones / 12)
    assert pitch_of(said[middle])[0] == pytest.approx(shouted_hz, rel=0.04)
    crest = [np.abs(a).max() / np.sqrt(np.mean(a**2)) for a in (vowel()[WORD], said[middle])]
    assert crest[1] < 0.7 * crest[0]


def test_a_sleepy_word_is_slower_lower_and_duller():
    said, style = said_in("sleepy")
    word = active_speech(said, RATE)
    before = active_speech(vowel(), RATE)
    slower = (before.stop - before.start) / (word.stop - word.start)
    assert slower == pytest.approx(style.tempo, rel=0.06)
    middle = slice(word.start + 2000, word.stop - 2000)
    sleepy_hz = PITCH_HZ * 2 ** (style.pitch_semitones / 12)
    assert pitch_of(said[middle])[0] == pytest.approx(sleepy_hz, rel=0.04)
    tilt = [np.ptp(third_octaves_db(audio)[[2, -1]]) for audio in (vowel(), said)]
    assert tilt[1] > tilt[0] + 0.5 * -style.tilt_db


@pytest.mark.parametrize("name", STYLES)
def test_a_style_is_drawn_as_often_as_asked_and_changes_no_other_draw(name):
    others = AugmentParams(speed_share=0.5, codec_share=0.5)
    styled = others.model_copy(update={f"{name}_share": 0.3})
    count = 0
    for seed in range(300):
        plain, with_style = (draw(p, (), RATE, generator(seed, "x")) for p in (others, styled))
        assert (plain.speed, plain.codec) == (with_style.speed, with_style.codec)
        assert with_style.style.name in (None, name) and plain.style.name is None
        count += with_style.style.name == name
    assert count / 300 == pytest.approx(0.3, abs=0.08)


def test_a_word_is_said_in_one_style():
    with pytest.raises(ValueError, match=r"= 1\.2: a copy is said in one style"):
        AugmentParams(whisper_share=0.6, sleepy_share=0.6)
