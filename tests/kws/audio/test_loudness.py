"""What is not on the scale that it should be is scaled and noted, or refused; never clipped."""

import io

import numpy as np
import pytest
import scipy.io.wavfile
import soundfile

from kws.audio.read import Unreadable, read, read_window, survey

RATE = 16000
SAMPLES = (np.random.default_rng(4).normal(0, 4000, 2 * RATE)).clip(-32768, 32767).astype(np.int16)


def names(notes) -> list[str]:
    return [note.name for note in notes]


def scipy_wav(samples: np.ndarray, rate: int = RATE) -> io.BytesIO:
    file = io.BytesIO()
    scipy.io.wavfile.write(file, rate, samples)
    return file


def test_int16_numbers_in_a_float_file_are_scaled_and_noted(tmp_path):
    quiet = SAMPLES.copy()
    quiet[: RATE // 2] = 1  # A window in which nothing shows what the scale is.
    for samples in (SAMPLES, quiet, (quiet * 0.7)):
        path = tmp_path / "a.wav"
        path.write_bytes(scipy_wav(samples.astype(np.float32)).getvalue())
        recording = read(path)
        np.testing.assert_array_equal(recording.audio, np.rint(samples.astype(np.float32)))
        assert names(recording.notes) == names(survey(path).notes) == ["rescaled_float"]
        window = read_window(path, 250, 250)
        np.testing.assert_array_equal(window.audio, np.rint(samples[4000:8000]))
        assert names(window.notes) == ["rescaled_float"]
    doubled = read(scipy_wav(np.repeat(SAMPLES, 2).astype(np.float64), 2 * RATE))
    assert names(doubled.notes) == ["rescaled_float"]
    assert np.corrcoef(doubled.audio, SAMPLES)[0, 1] > 0.8


def test_float_of_full_scale_1_is_left_alone_even_above_it():
    for scale in (32768, 20000):
        samples = (SAMPLES / scale).astype(np.float32)
        recording = read(scipy_wav(samples))
        assert recording.notes == ()
        np.testing.assert_array_equal(
            recording.audio, np.clip(np.rint(samples * 32768), -32768, 32767)
        )
    assert read(scipy_wav(np.zeros(RATE, np.float32))).notes == ()


@pytest.mark.parametrize("rate", [RATE, 44100])
@pytest.mark.parametrize("channels", [1, 2])
def test_what_is_no_sound_is_refused_before_it_is_resampled(rate, channels):
    for number, reason in (
        (3e38, "out_of_range"),
        (-3e38, "out_of_range"),
        (1e6, "out_of_range"),
        (np.nan, "not_finite"),
        (np.inf, "not_finite"),
        (-np.inf, "not_finite"),
    ):
        sound = np.tile((SAMPLES / 32768).astype(np.float32)[:, None], channels)
        sound[20000:20010, 0] = number
        for look in (read, survey):
            with pytest.raises(Unreadable) as refused:
                look(scipy_wav(sound, rate))
            assert refused.value.reason == reason
    sound = np.full((RATE, 2), 1e300)
    with pytest.raises(Unreadable, match="not_finite"):
        read(scipy_wav(sound))


def test_channels_that_cancel_each_other_give_one_of_them_and_a_note(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.stack([SAMPLES, -SAMPLES], 1), RATE)
    recording = read(path)
    np.testing.assert_array_equal(recording.audio, SAMPLES)
    assert names(recording.notes) == names(survey(path).notes) == ["one_channel"]
    window = read_window(path, 250, 250)
    np.testing.assert_array_equal(window.audio, SAMPLES[4000:8000])
    assert names(window.notes) == ["one_channel"]
    # Unlike gains and an offset: still most of it is gone, and the louder one is taken.
    soundfile.write(path, np.stack([SAMPLES * 0.7 + 500, SAMPLES * -0.9 + 90], 1) / 32768, RATE)
    assert "channel 2" in read(path).notes[0].detail
    assert np.corrcoef(read(path).audio, -SAMPLES)[0, 1] > 0.999


def test_other_stereo_is_averaged_without_a_note():
    rng = np.random.default_rng(0)
    other = rng.normal(0, 4000, SAMPLES.size)
    for channels in (
        [SAMPLES, SAMPLES],
        [SAMPLES, other],
        [SAMPLES, np.zeros(SAMPLES.size)],
        [SAMPLES, -0.3 * SAMPLES],
        [np.zeros(SAMPLES.size)] * 2,
        [SAMPLES, *[np.zeros(SAMPLES.size)] * 7],
    ):
        sound = np.stack(channels, 1) / 32768
        file = io.BytesIO()
        soundfile.write(file, sound, RATE, format="WAV", subtype="PCM_16")
        recording = read(file)
        assert recording.notes == ()
        np.testing.assert_allclose(recording.audio, sound.mean(1) * 32768, atol=1)
