"""Noises have the slope that their colour promises."""

import numpy as np
import pytest
from scipy import signal

from kws.audio import noise

RATE_HZ = 16000


@pytest.mark.parametrize(
    ("colour", "db_an_octave"), [(noise.white, 0.0), (noise.pink, -3.01), (noise.brown, -6.02)]
)
def test_power_falls_by_the_colour_s_slope_from_100_to_6400_hz(colour, db_an_octave):
    audio = colour(20 * RATE_HZ, np.random.default_rng(1))
    frequency, power = signal.welch(audio, RATE_HZ, nperseg=4096)
    octaves = [(100 * 2**i, 200 * 2**i) for i in range(6)]
    level_db = [10 * np.log10(power[(frequency >= a) & (frequency < b)].mean()) for a, b in octaves]
    assert np.polyfit(range(6), level_db, 1)[0] == pytest.approx(db_an_octave, abs=0.25)


@pytest.mark.parametrize("colour", [noise.white, noise.pink, noise.brown])
def test_noise_has_unit_rms_and_repeats_with_the_seed(colour):
    audio = colour(12345, np.random.default_rng(7))
    assert audio.dtype == np.float32
    assert audio.shape == (12345,)
    assert np.sqrt(np.mean(np.square(audio, dtype=np.float64))) == pytest.approx(1.0, abs=1e-4)
    np.testing.assert_array_equal(audio, colour(12345, np.random.default_rng(7)))
    assert not np.array_equal(audio, colour(12345, np.random.default_rng(8)))


def test_a_single_sample_has_no_level_and_is_refused():
    with pytest.raises(ValueError, match="n=1"):
        noise.white(1, np.random.default_rng(0))
