"""What a device adds: equaliser curves against scipy and the formulas' promises, clipping, gain."""

import numpy as np
import pytest
from scipy import signal

from kws.augment import equalizer
from kws.augment.equalizer import KINDS, draw_microphone
from kws.augment.level import clip_peaks, to_int16, with_gain
from tests.kws.augment.signals import RATE, level, tone


def gain_db(section: np.ndarray, hz: float) -> float:
    """Measured on a tone, once the filter has settled."""
    audio = tone(hz)
    return 20 * np.log10(level(equalizer.equalize(audio, [section])[4000:]) / level(audio[4000:]))


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        (equalizer.high_pass(1000, RATE), {250: -24.1, 1000: -3.0, 4000: 0.0}),
        (equalizer.low_pass(1000, RATE), {250: 0.0, 1000: -3.0}),
        (equalizer.peak(2000, 6, RATE), {100: 0.0, 2000: 6.0, 7800: 0.0}),
        (equalizer.peak(2000, -6, RATE), {100: 0.0, 2000: -6.0, 7800: 0.0}),
        (equalizer.low_shelf(500, 8, RATE), {20: 8.0, 500: 4.0, 7000: 0.0}),
        (equalizer.high_shelf(2000, -8, RATE), {100: 0.0, 2000: -4.0, 7900: -8.0}),
    ],
)
def test_a_filter_has_the_gain_that_its_name_promises(section, expected):
    for hz, wanted_db in expected.items():
        assert gain_db(section, hz) == pytest.approx(wanted_db, abs=0.25)


def test_a_butterworth_edge_is_scipy_s():
    for ours, kind in ((equalizer.high_pass, "highpass"), (equalizer.low_pass, "lowpass")):
        theirs = signal.butter(2, 1500, kind, fs=RATE, output="sos")[0]
        np.testing.assert_allclose(ours(1500, RATE, q=np.sqrt(0.5)), theirs, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_microphones_are_stable_differ_and_their_curve_is_scipy_s(kind):
    one, other = (draw_microphone(np.random.default_rng(seed), RATE, kind) for seed in (1, 2))
    assert one.words != other.words
    sos = np.stack(one.sections)
    for section in sos:
        assert np.abs(np.roots(section[3:])).max() < 1
    hz, response = signal.sosfreqz(sos, 64, fs=RATE)
    curve_db = equalizer.gain_db_at(one.sections, hz[1:], RATE)
    np.testing.assert_allclose(curve_db, 20 * np.log10(np.abs(response[1:])), atol=1e-6)


def test_a_microphone_fits_any_rate_and_an_unknown_kind_is_refused():
    for seed in range(20):
        draw_microphone(np.random.default_rng(seed), 8000)
    with pytest.raises(ValueError, match="kind='golden'"):
        draw_microphone(np.random.default_rng(0), RATE, "golden")
    with pytest.raises(ValueError, match="between 0 and 8000 Hz"):
        equalizer.low_pass(9000, RATE)


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_clipping_cuts_the_peaks_and_nothing_else(dtype):
    audio = tone(300, 20000).astype(dtype)
    clipped = clip_peaks(audio, 6.0206)
    assert clipped.dtype == dtype
    assert np.abs(clipped).max() == pytest.approx(10000, abs=1)
    below = np.abs(audio) < 9999
    np.testing.assert_array_equal(clipped[below], audio[below])
    np.testing.assert_array_equal(clip_peaks(audio, 0.0), audio)
    with pytest.raises(ValueError, match="overdrive_db=-1"):
        clip_peaks(audio, -1)


def test_gain_never_clips():
    audio = tone(300, 20000)
    np.testing.assert_allclose(with_gain(audio, 0.5), audio / 2, rtol=1e-6)
    turned_down = with_gain(audio, 4.0)
    assert np.abs(turned_down).max() == pytest.approx(32767, rel=1e-5)
    np.testing.assert_allclose(turned_down / np.abs(turned_down).max(), audio / 20000, atol=1e-5)
    np.testing.assert_array_equal(to_int16(np.array([1.6, -4e4, 4e4])), [2, -32768, 32767])
