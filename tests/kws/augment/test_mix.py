"""Noisy copies: the SNR measured by other means; nothing clips; lengths are exact."""

import numpy as np
import pytest

from kws.audio.clip import Clip
from kws.augment.mix import noisy_copy
from kws.augment.params import NoisyCopyParams
from kws.augment.seed import generator
from kws.labels import SILENCE

RATE = 16000
STILL = NoisyCopyParams(snr_db=(10, 10), gain_db=(0, 0), time_shift_ms=0, lead_in_ms=500)


def tone(hz: float, amplitude: float, seconds: float) -> np.ndarray:
    t = np.arange(int(RATE * seconds)) / RATE
    return np.rint(amplitude * np.sin(2 * np.pi * hz * t)).astype(np.int16)


def word_clip(amplitude: float = 5000, **fields) -> Clip:
    """A second with a 1 kHz tone from 300 to 700 ms."""
    audio = np.zeros(RATE, np.int16)
    audio[4800:11200] = tone(1000, amplitude, 0.4)
    values = dict(label="yes", word="yes", speaker="s", source="t", clip_id="c", novelty="keyword")
    return Clip(audio=audio, sample_rate=RATE, **{**values, **fields})


def level_at(audio: np.ndarray, hz: float) -> float:
    """RMS of one frequency, by projection on sine and cosine over whole periods."""
    turn = np.exp(-2j * np.pi * hz * np.arange(len(audio)) / RATE)
    return abs(np.dot(audio.astype(float), turn)) / len(audio) * np.sqrt(2)


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 10.0, 25.0])
@pytest.mark.parametrize("gain_db", [-20.0, 0.0])
def test_the_snr_of_a_mix_is_the_one_it_carries(snr_db, gain_db):
    params = STILL.model_copy(update={"snr_db": (snr_db, snr_db), "gain_db": (gain_db, gain_db)})
    copy = noisy_copy(word_clip(), tone(3000, 900, 7), params, generator(0, "x"))
    word = copy.audio[copy.lead_in_samples + 4800 : copy.lead_in_samples + 11200]
    background = copy.audio[: copy.lead_in_samples]
    measured = 20 * np.log10(level_at(word, 1000) / level_at(background, 3000))
    assert measured == pytest.approx(snr_db, abs=0.5)
    assert copy.snr_db == pytest.approx(snr_db)
    assert level_at(word, 1000) == pytest.approx(5000 / np.sqrt(2) * 10 ** (gain_db / 20), rel=0.01)


def test_the_lead_in_is_background_alone_and_lengths_are_exact():
    clip = word_clip()
    copy = noisy_copy(clip, tone(3000, 900, 0.3), STILL, generator(0, "x"))
    assert copy.lead_in_ms == 500
    assert len(copy.audio) == copy.lead_in_samples + len(clip.audio) == 24000
    assert copy.audio.dtype == np.int16
    assert level_at(copy.audio[:8000], 1000) < 1
    assert copy.augmentation == "noisy"
    assert copy.clip_id != clip.clip_id
    assert (copy.label, copy.word, copy.speaker) == (clip.label, clip.word, clip.speaker)


def test_a_loud_mix_is_turned_down_and_not_clipped():
    params = STILL.model_copy(update={"gain_db": (30.0, 30.0)})
    copy = noisy_copy(word_clip(30000), tone(3000, 900, 7), params, generator(0, "x"))
    peak = np.abs(copy.audio.astype(int))
    assert 32760 <= peak.max() <= 32767
    word = copy.audio[8000 + 4800 : 8000 + 11200]
    # A clipped or wrapped wave would have harmonics; this one has its two tones alone.
    tones = level_at(word, 1000) ** 2 + level_at(word, 3000) ** 2
    assert np.mean(word.astype(float) ** 2) == pytest.approx(tones, rel=1e-4)
    snr_db = 20 * np.log10(level_at(word, 1000) / level_at(copy.audio[:8000], 3000))
    assert snr_db == pytest.approx(10, abs=0.5)


def test_a_shift_moves_the_word_but_never_out_of_the_clip():
    params = STILL.model_copy(update={"snr_db": (60.0, 60.0), "time_shift_ms": 2000.0})
    starts = []
    for i in range(40):
        copy = noisy_copy(word_clip(), tone(3000, 900, 7), params, generator(i, "x"))
        loud = np.flatnonzero(np.abs(copy.audio[8000:].astype(int)) > 500)
        assert loud[-1] - loud[0] == pytest.approx(6400, abs=20)
        starts.append(loud[0])
    assert min(starts) < 2000 and max(starts) > 7000


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others():
    noise = np.random.default_rng(0).normal(0, 300, 50000).astype(np.int16)
    first, again, other = (
        noisy_copy(word_clip(), noise, NoisyCopyParams(), generator(seed, "c", 0))
        for seed in (0, 0, 1)
    )
    assert first.audio.tobytes() == again.audio.tobytes()
    assert first.clip_id == again.clip_id
    assert first.audio.tobytes() != other.audio.tobytes()


def test_silence_is_copied_too_and_has_no_snr():
    noise = np.random.default_rng(0).normal(0, 300, RATE).astype(np.int16)
    clip = Clip(
        audio=noise, sample_rate=RATE, label=SILENCE, word="", speaker="n", source="b",
        clip_id="s", novelty="silence",
    )  # fmt: skip
    copy = noisy_copy(clip, tone(3000, 900, 7), STILL, generator(0, "x"))
    assert copy.snr_db is None
    assert copy.label == SILENCE
    assert level_at(copy.audio[:8000], 3000) > 10


def test_digital_silence_keeps_the_background_and_has_no_snr():
    clip = word_clip(0, label=SILENCE)
    copy = noisy_copy(clip, tone(3000, 900, 7), STILL, generator(0, "x"))
    assert copy.snr_db is None
    assert level_at(copy.audio, 3000) == pytest.approx(900 / np.sqrt(2), rel=0.02)


def test_a_clips_own_lead_in_is_heard_before_it_and_its_word_stays_where_it_was():
    clip = word_clip(lead_in_ms=200)  # of the second, 800 ms are the clip itself
    clip.audio[:3200] = tone(500, 4000, 0.2)
    params = STILL.model_copy(update={"time_shift_ms": 300})
    copy = noisy_copy(clip, tone(3000, 900, 7), params, generator(0, "x"))
    assert copy.lead_in_ms == 500 and len(copy.audio) == RATE * 1300 // 1000
    own = copy.audio[8000 - 3200 :]
    assert level_at(copy.audio[: 8000 - 3200], 500) < 1 < 2000 < level_at(own[:3200], 500)
    assert level_at(own[4800:11200], 1000) == pytest.approx(5000 / np.sqrt(2), rel=0.01)


def test_a_longer_lead_in_than_the_copys_is_refused():
    with pytest.raises(ValueError, match="lead-in of 600 ms, its copy one of lead_in_ms=500"):
        noisy_copy(word_clip(lead_in_ms=600), tone(3000, 900, 7), STILL, generator(0, "x"))
