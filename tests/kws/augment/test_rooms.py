"""Rooms: the reverberation time measured by Schroeder's method, the direct sound in its place."""

import numpy as np
import pytest

from kws.augment.rooms import (
    RT60_S,
    Room,
    draw_room,
    recorded_room,
    reverberate,
    room_bank,
    simulate,
)
from tests.kws.augment.signals import RATE, level


def schroeder_rt60_s(response: np.ndarray) -> float:
    """M. R. Schroeder, JASA 37, 1965: the energy still to come, its slope from -5 to -25 dB."""
    energy = np.cumsum(np.square(response.astype(float))[::-1])[::-1]
    decay_db = 10 * np.log10(energy / energy[0] + 1e-12)
    part = np.flatnonzero((decay_db <= -5) & (decay_db >= -25))
    slope = np.polyfit(part / RATE, decay_db[part], 1)[0]
    return -60 / slope


@pytest.mark.parametrize("rt60_s", [0.15, 0.3, 0.6])
@pytest.mark.parametrize("size_m", [(3.0, 4.0, 2.5), (7.0, 6.0, 3.0)])
def test_sound_decays_in_the_reverberation_time_asked_for(size_m, rt60_s):
    room = simulate(np.array(size_m), rt60_s, [1.0, 1.2, 1.5], [2.4, 3.1, 1.1], RATE)
    assert schroeder_rt60_s(room.response) == pytest.approx(rt60_s, rel=0.12)
    assert room.rt60_s == pytest.approx(schroeder_rt60_s(room.response), rel=0.01)


def test_the_direct_sound_arrives_at_the_sample_named_for_it():
    near = simulate(np.array([4.0, 4.0, 3.0]), 0.2, [1.0, 2.0, 1.5], [1.5, 2.0, 1.5], RATE)
    assert near.distance_m == pytest.approx(0.5)
    assert abs(int(np.argmax(np.abs(near.response))) - near.direct_sample) <= 1


def test_a_click_stays_where_it_was_and_the_length_is_kept():
    room = simulate(np.array([4.0, 4.0, 3.0]), 0.5, [1.0, 2.0, 1.5], [1.5, 2.0, 1.5], RATE)
    click = np.zeros(RATE, np.float32)
    click[5000] = 1000.0
    wet = reverberate(click, room)
    assert wet.shape == click.shape
    assert abs(int(np.argmax(np.abs(wet))) - 5000) <= 1
    expected = np.convolve(click, room.response)[room.direct_sample :][:RATE]
    np.testing.assert_allclose(wet, expected, atol=0.01)


def test_a_response_has_unit_energy_so_that_noise_keeps_its_level():
    noise = np.random.default_rng(0).normal(0, 1000, 4 * RATE).astype(np.float32)
    rooms = room_bank(3, "train", 3)
    assert len(rooms) == 3
    for room in rooms:
        assert np.sum(np.square(room.response)) == pytest.approx(1.0, rel=1e-4)
        assert level(reverberate(noise, room)[RATE:]) == pytest.approx(level(noise), rel=0.05)


def test_rooms_are_within_bounds_and_of_many_kinds():
    rooms = [draw_room(np.random.default_rng(seed)) for seed in range(8)]
    for room in rooms:
        assert all(2 <= side <= 8 for side in room.size_m)
        assert 0.8 * RT60_S[0] <= room.rt60_s <= 1.2 * RT60_S[1]
        assert 0.3 <= room.distance_m <= 5
        assert len(room.response) <= 0.41 * RATE
        assert np.isfinite(room.response).all()
    assert len({room.distance_m for room in rooms}) == 8


def test_splits_share_no_room_and_a_bank_repeats_and_grows():
    def key(room: Room) -> bytes:
        return room.response.tobytes()

    banks = {split: {key(r) for r in room_bank(0, split, 2)} for split in ("train", "eval", "test")}
    assert len(set.union(*banks.values())) == 6
    first, again = room_bank(0, "train", 2), room_bank.__wrapped__(0, "train", 2)
    assert [key(r) for r in first] == [key(r) for r in again]
    assert key(room_bank(0, "train", 1)[0]) == key(first[0])
    assert key(room_bank(1, "train", 1)[0]) != key(first[0])


def test_a_recorded_room_begins_at_its_direct_sound_and_keeps_a_words_place():
    falling = 10 ** (-3 * np.arange(RATE) / (0.4 * RATE))  # by 60 dB in 0.4 s
    decay = np.random.default_rng(0).normal(0, 0.1, RATE) * falling
    decay[0] = 1.0
    recorded = np.concatenate([np.zeros(700), decay]).astype(np.float32)
    room = recorded_room(recorded, RATE, "hall")
    assert room is not None and room.size_m is None
    assert len(room.response) < 0.45 * RATE
    assert np.sum(room.response**2) == pytest.approx(1.0, rel=1e-5)
    click = np.zeros(RATE, np.float32)
    click[4000] = 1.0
    assert np.argmax(np.abs(reverberate(click, room))) == 4000
    assert room.describe().startswith("hall, RT60 0.") and room.rt60_s == pytest.approx(
        0.4, rel=0.2
    )
    assert recorded_room(np.zeros(100, np.float32), RATE, "nothing") is None
