"""A chime begins where it is asked for, and nothing else of the recording changes."""

import numpy as np
import pytest
import soundfile

from kws.scenes.chime import lay_chimes

RATE = 16000


@pytest.mark.parametrize("times_ms", [[], [500], [200, 1200]])
def test_the_recording_is_untouched_but_for_its_chimes(tmp_path, times_ms):
    audio = (1000 * np.sin(np.arange(2 * RATE) / 20)).astype(np.int16)
    lay_chimes(audio, RATE, times_ms, tmp_path / "out.wav")
    heard, rate = soundfile.read(tmp_path / "out.wav", dtype="int16")
    assert rate == RATE and len(heard) == len(audio)
    changed = np.flatnonzero(heard != audio) / RATE * 1000
    inside = np.zeros(len(changed), bool)
    for time_ms in times_ms:
        inside |= (changed >= time_ms) & (changed <= time_ms + 181)
        assert ((changed >= time_ms) & (changed < time_ms + 20)).any()
    assert inside.all() and bool(len(changed)) == bool(times_ms)


def test_a_chime_at_the_end_makes_the_recording_longer(tmp_path):
    lay_chimes(np.zeros(RATE, np.int16), RATE, [990], tmp_path / "out.wav")
    assert soundfile.info(tmp_path / "out.wav").frames == pytest.approx(1.17 * RATE, abs=2)
