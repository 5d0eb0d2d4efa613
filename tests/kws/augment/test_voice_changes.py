"""Speed, tempo and pitch: what they do to a tone's frequency, its duration and its level."""

import numpy as np
import pytest

from kws.augment.time_scale import change_pitch, change_speed, change_tempo
from tests.kws.augment.signals import RATE, level, strongest_hz, tone


@pytest.mark.parametrize("factor", [0.5, 0.85, 1.15, 2.0])
def test_speed_multiplies_the_frequency_and_divides_the_duration(factor):
    changed = change_speed(tone(600), factor)
    assert strongest_hz(changed) == pytest.approx(600 * factor, abs=1)
    assert len(changed) == pytest.approx(RATE / factor, abs=1)


def test_speed_leaves_no_alias_of_what_passes_half_the_rate():
    assert level(change_speed(tone(6000), 1.5)[500:-500]) < 0.001 * level(tone(6000))


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.25, 2.0])
@pytest.mark.parametrize("hz", [90, 440, 3000])
def test_tempo_keeps_the_frequency_and_level_and_divides_the_duration(factor, hz):
    changed = change_tempo(tone(hz), factor, RATE)
    assert strongest_hz(changed) == pytest.approx(hz, abs=1.5)
    assert len(changed) == round(RATE / factor)
    inner = changed[800:-800]
    assert level(inner) == pytest.approx(level(tone(hz)), rel=0.05)


def test_tempo_moves_an_event_to_its_place_in_the_new_time():
    audio = np.zeros(RATE, np.float32)
    audio[8000:9600] = tone(500, seconds=0.1)
    loud = np.flatnonzero(np.abs(change_tempo(audio, 0.5, RATE)) > 2000)
    assert loud[0] == pytest.approx(16000, abs=500)
    assert loud[-1] == pytest.approx(19200, abs=500)


@pytest.mark.parametrize("semitones", [-12, -3, 2, 12])
def test_pitch_moves_the_frequency_and_keeps_the_duration(semitones):
    changed = change_pitch(tone(440), semitones, RATE)
    assert strongest_hz(changed) == pytest.approx(440 * 2 ** (semitones / 12), rel=0.004)
    assert len(changed) == RATE


@pytest.mark.parametrize("change", [change_speed, lambda a, f: change_tempo(a, f, RATE)])
def test_nothing_asked_is_nothing_changed_and_zero_is_refused(change):
    np.testing.assert_array_equal(change(tone(440), 1.0), tone(440))
    assert len(change(np.zeros(0, np.float32), 1.3)) == 0
    assert not change(np.zeros(RATE, np.float32), 1.3).any()
    with pytest.raises(ValueError, match="factor=0"):
        change(tone(440), 0.0)
