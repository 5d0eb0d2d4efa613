"""Microphones: random equaliser curves of the kinds that small devices have.

No two devices sound alike: a port in a case resonates, a foam dampens, a small capsule has no
bass, a preamplifier takes away rumble. Five kinds, their frequencies and gains drawn.
"""

import dataclasses

import numpy as np

from kws.augment import equalizer

KINDS = ("plain", "bright", "muffled", "boomy", "small_speaker")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Microphone:
    """A curve: its kind and its biquads (see `equalizer`), in plain words too."""

    kind: str
    sections: tuple[np.ndarray, ...]
    words: str


def draw_microphone(
    rng: np.random.Generator, sample_rate: int, kind: str | None = None
) -> Microphone:
    """A random microphone, of a random kind unless it is given.

    - plain: rumble filter at 60 to 200 Hz, presence of ±6 dB at 1.5 to 5 kHz.
    - bright: no bass below 150 to 350 Hz, a shelf of +3 to +9 dB above 2 to 4 kHz.
    - muffled: cloth over the port: -12 dB an octave above 2 to 4.5 kHz.
    - boomy: too near, or in a case: a shelf of +3 to +10 dB below 150 to 400 Hz.
    - small_speaker: played back by one: 300 to 600 Hz up to 3 to 5 kHz, with a resonance.

    Raises:
      ValueError: the kind is unknown.
    """
    chosen = KINDS[int(rng.integers(len(KINDS)))] if kind is None else kind
    # As a share of half the rate where it is low: a filter cannot lie above that.
    top_hz = 0.45 * sample_rate

    def hz(low: float, high: float) -> float:
        return float(min(np.exp(rng.uniform(np.log(low), np.log(high))), top_hz))

    sections: tuple[np.ndarray, ...]
    if chosen == "plain":
        rumble, presence, gain = hz(60, 200), hz(1500, 5000), float(rng.uniform(-6, 6))
        sections = (
            equalizer.high_pass(rumble, sample_rate),
            equalizer.peak(presence, gain, sample_rate, q=float(rng.uniform(0.7, 2.0))),
        )
        words = f"nothing below {rumble:.0f} Hz, {gain:+.0f} dB around {presence:.0f} Hz"
    elif chosen == "bright":
        rumble, shelf, gain = hz(150, 350), hz(2000, 4000), float(rng.uniform(3, 9))
        sections = (
            equalizer.high_pass(rumble, sample_rate),
            equalizer.high_shelf(shelf, gain, sample_rate),
        )
        words = f"nothing below {rumble:.0f} Hz, {gain:+.0f} dB above {shelf:.0f} Hz"
    elif chosen == "muffled":
        edge = hz(2000, 4500)
        sections = (equalizer.low_pass(edge, sample_rate),)
        words = f"less and less above {edge:.0f} Hz"
    elif chosen == "boomy":
        shelf, gain = hz(150, 400), float(rng.uniform(3, 10))
        sections = (equalizer.low_shelf(shelf, gain, sample_rate),)
        words = f"{gain:+.0f} dB below {shelf:.0f} Hz"
    elif chosen == "small_speaker":
        low, high, gain = hz(300, 600), hz(3000, 5000), float(rng.uniform(3, 9))
        resonance = hz(900, 2500)
        sections = (
            equalizer.high_pass(low, sample_rate),
            equalizer.high_pass(low, sample_rate),
            equalizer.peak(resonance, gain, sample_rate, q=2.0),
            equalizer.low_pass(high, sample_rate),
        )
        words = f"only {low:.0f} to {high:.0f} Hz, {gain:+.0f} dB around {resonance:.0f} Hz"
    else:
        raise ValueError(f"microphone kind={chosen!r}: one of {KINDS}")
    return Microphone(kind=chosen, sections=sections, words=words)
