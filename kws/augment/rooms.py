"""Rooms: simulated or recorded impulse responses, and reverberation with them.

Simulation is by the image-source method (J. B. Allen and D. A. Berkley, "Image method for
efficiently simulating small-room acoustics", JASA 65(4), 1979), as implemented by
pyroomacoustics: a box whose walls absorb the same fraction of energy at every frequency. That
fraction follows from the wanted reverberation time by Eyring's formula, which assumes a diffuse
field. In a box with even walls the sound decays more slowly, by a quarter at medium times, so the
decay is measured and the absorption corrected until it fits.
"""

import dataclasses
import functools

import numpy as np

from kws.augment.seed import generator
from kws.splits import Split

SOUND_M_PER_S = 343.0
EYRING = 0.161
LONGEST_S = 0.4
"""Of a response after the direct sound. The rest is below -34 dB even at the longest RT60."""
FADE_S = 0.02
BEFORE_DIRECT_S = 0.0025
"""Of a recorded response that is kept before its peak: the peak has a slope."""
WIDTH_M = (2.0, 8.0)
HEIGHT_M = (2.2, 4.0)
RT60_S = (0.1, 0.7)
DISTANCE_M = (0.3, 4.0)
TOLERANCE = 0.1
MOST_CORRECTIONS = 3
WALL_M = 0.2
"""Neither mouth nor microphone is nearer to a wall."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Room:
    """One place of a speaker and of a microphone in one room.

    Attributes:
      size_m: length, width, height; None where nobody knows.
      rt60_s: reverberation time, measured on the response (`decay_time_s`).
      distance_m: from mouth to microphone; None where nobody knows.
      sample_rate: Hz.
      response: float32 `[samples]` of unit energy, at most 0.4 s after the direct sound.
      direct_sample: where in the response the direct sound arrives.
      name: of a recorded one.
    """

    size_m: tuple[float, float, float] | None
    rt60_s: float
    distance_m: float | None
    sample_rate: int
    response: np.ndarray
    direct_sample: int
    name: str = ""

    def describe(self) -> str:
        """`4.1 × 3.0 × 2.6 m, RT60 0.42 s, 1.9 m away`, or `Room007-00001, RT60 0.42 s`."""
        if self.size_m is None or self.distance_m is None:
            return f"{self.name}, RT60 {self.rt60_s:.2f} s"
        size = " × ".join(f"{side:.1f}" for side in self.size_m)
        return f"{size} m, RT60 {self.rt60_s:.2f} s, {self.distance_m:.1f} m away"


@functools.lru_cache(maxsize=8)
def room_bank(seed: int, split: Split, count: int, sample_rate: int = 16000) -> tuple[Room, ...]:
    """`count` rooms, made once a process (some 0.1 s each); no split shares one with another.

    Room `i` of a split is the same in a bank of any size.
    """
    return tuple(
        draw_room(generator(seed, "room", split, number), sample_rate) for number in range(count)
    )


def recorded_room(response: np.ndarray, sample_rate: int, name: str) -> Room | None:
    """A room from its impulse response, which may begin long before the direct sound.

    Args:
      response: float32 `[samples]` of one microphone.
      sample_rate: Hz.
      name: for a person.

    Returns:
      None where nothing sounds.
    """
    if not response.size or not np.abs(response).max() > 0:
        return None
    direct = int(np.argmax(np.abs(response)))
    margin = min(direct, int(BEFORE_DIRECT_S * sample_rate))
    end = direct + int(LONGEST_S * sample_rate)
    cut = response[direct - margin : end].astype(np.float32)
    rt60_s = decay_time_s(cut, sample_rate)
    if end < len(response):
        fade = int(FADE_S * sample_rate)
        cut[-fade:] *= np.cos(np.linspace(0, np.pi / 2, fade)).astype(np.float32) ** 2
    cut /= np.sqrt(np.sum(np.square(cut)))
    return Room(
        size_m=None,
        rt60_s=rt60_s,
        distance_m=None,
        sample_rate=sample_rate,
        response=cut,
        direct_sample=margin,
        name=name,
    )


def draw_room(rng: np.random.Generator, sample_rate: int = 16000) -> Room:
    """A room of random size and reverberation, with speaker and microphone somewhere in it."""
    size = np.array([*rng.uniform(*WIDTH_M, size=2), rng.uniform(*HEIGHT_M)])
    rt60_s = float(rng.uniform(*RT60_S))
    wanted_m = rng.uniform(*DISTANCE_M)
    # The farthest that fits between the walls comes nearest to the wish in a small room.
    places = rng.uniform(WALL_M, size - WALL_M, size=(64, 2, 3))
    distances = np.linalg.norm(places[:, 0] - places[:, 1], axis=1)
    error = np.where(distances >= DISTANCE_M[0], np.abs(distances - wanted_m), np.inf)
    mouth, microphone = places[int(np.argmin(error))]
    return simulate(size, rt60_s, mouth, microphone, sample_rate)


def absorption(size_m: np.ndarray, rt60_s: float) -> float:
    """Share of energy that each wall takes, for a reverberation time after Eyring: 0 to 1."""
    length, width, height = size_m
    walls_m2 = 2 * (length * width + width * height + length * height)
    return float(1 - np.exp(-EYRING * length * width * height / (walls_m2 * rt60_s)))


def decay_time_s(response: np.ndarray, sample_rate: int) -> float:
    """Time in which the sound falls by 60 dB, from its slope between -5 and -25 dB (T20).

    M. R. Schroeder, "New method of measuring reverberation time", JASA 37, 1965: the energy that is
    still to come decays without the ripple of the response itself.
    """
    to_come = np.cumsum(np.square(response[::-1], dtype=np.float64))[::-1]
    level_db = 10 * np.log10(np.maximum(to_come, 1e-12 * to_come[0]) / to_come[0])
    part = np.flatnonzero((level_db <= -5) & (level_db >= -25))
    if len(part) < 2:
        return 0.0
    return float(-60 / (np.polyfit(part, level_db[part], 1)[0] * sample_rate))


def simulate(
    size_m: np.ndarray,
    rt60_s: float,
    mouth_m: np.ndarray,
    microphone_m: np.ndarray,
    sample_rate: int,
) -> Room:
    """One place to another in a box of `size_m` that decays in about `rt60_s`; places in metres."""
    distance_m = float(np.linalg.norm(np.subtract(mouth_m, microphone_m)))
    eyring_s = rt60_s
    for _ in range(1 + MOST_CORRECTIONS):
        response, direct = _image_sources(size_m, eyring_s, mouth_m, microphone_m, sample_rate)
        measured_s = decay_time_s(response, sample_rate)
        if measured_s == 0 or abs(measured_s / rt60_s - 1) < TOLERANCE:
            break
        eyring_s *= rt60_s / measured_s
    length, width, height = (float(side) for side in size_m)
    return Room(
        size_m=(length, width, height),
        rt60_s=measured_s,
        distance_m=distance_m,
        sample_rate=sample_rate,
        response=response,
        direct_sample=direct,
    )


def _image_sources(
    size_m: np.ndarray,
    eyring_s: float,
    mouth_m: np.ndarray,
    microphone_m: np.ndarray,
    sample_rate: int,
) -> tuple[np.ndarray, int]:
    """The response, float32 of unit energy, and where in it the direct sound is."""
    import pyroomacoustics as pra

    # Partial sums by thread would differ in the last bits from machine to machine.
    pra.constants.set("num_threads", 1)
    longest_s = min(LONGEST_S, 1.5 * eyring_s)
    distance_m = float(np.linalg.norm(np.subtract(mouth_m, microphone_m)))
    reach_m = longest_s * SOUND_M_PER_S + distance_m
    box = pra.ShoeBox(
        size_m,
        fs=sample_rate,
        materials=pra.Material(absorption(np.asarray(size_m), eyring_s)),
        max_order=int(np.ceil(reach_m / min(size_m))),
    )
    box.add_source(mouth_m)
    box.add_microphone(microphone_m)
    box.compute_rir()
    # pyroomacoustics delays everything by half the length of its fractional-delay filter.
    margin = pra.constants.get("frac_delay_length") // 2
    direct = round(distance_m / SOUND_M_PER_S * sample_rate) + margin
    whole = box.rir[0][0]
    response = whole[direct - margin : direct + int(longest_s * sample_rate)].copy()
    fade = min(int(FADE_S * sample_rate), len(response))
    response[-fade:] *= np.cos(np.linspace(0, np.pi / 2, fade)) ** 2
    response /= np.sqrt(np.sum(np.square(response)))
    return response.astype(np.float32), margin


def reverberate(audio: np.ndarray, room: Room) -> np.ndarray:
    """Convolves the audio with a room's impulse response.

    The direct sound stays where it was, so that a word's times hold; the reverberation past the
    end is cut. The response has unit energy: a noise keeps its level, a voice nearly.

    Args:
      audio: float32 or int16 `[samples]` at the room's sample rate.
      room: see `Room`.

    Returns:
      float32 `[samples]`, in the units of the input.
    """
    from scipy import fft

    # One FFT over all: a clip and a response of 0.4 s are too short for overlap-add to pay.
    size = fft.next_fast_len(len(audio) + len(room.response) - 1, real=True)
    spectrum = fft.rfft(audio.astype(np.float32), size) * fft.rfft(room.response, size)
    wet = fft.irfft(spectrum, size)
    return wet[room.direct_sample : room.direct_sample + len(audio)].astype(np.float32)
