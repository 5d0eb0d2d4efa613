"""Equalizer filters, and random frequency responses of small microphones.

The biquads follow Robert Bristow-Johnson, "Cookbook formulae for audio equalizer biquad filter
coefficients" (W3C Note, 2021, https://www.w3.org/TR/audio-eq-cookbook/). Each function returns one
section `[b0, b1, b2, 1, a1, a2]`, float64 `[6]`, as scipy.signal.sosfilt takes it. Frequencies are
in Hz and must be below half the sample rate.

No two devices sound alike: a port in a case resonates, foam dampens, a small capsule has no bass,
a preamplifier removes rumble. There are five kinds, with random frequencies and gains.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from kws.augment import equalizer

BUTTERWORTH_Q = 0.7071


def high_pass(hz: float, sample_rate: int, q: float = BUTTERWORTH_Q) -> np.ndarray:
    """-3 dB at `hz` (with the default q), -12 dB an octave below it."""
    cosine, alpha = _angle(hz, sample_rate, q)
    b1 = -(1 + cosine)
    return _section(-b1 / 2, b1, -b1 / 2, 1 + alpha, -2 * cosine, 1 - alpha)


def low_pass(hz: float, sample_rate: int, q: float = BUTTERWORTH_Q) -> np.ndarray:
    """-3 dB at `hz` (with the default q), -12 dB an octave above it."""
    cosine, alpha = _angle(hz, sample_rate, q)
    b1 = 1 - cosine
    return _section(b1 / 2, b1, b1 / 2, 1 + alpha, -2 * cosine, 1 - alpha)


def peak(hz: float, gain_db: float, sample_rate: int, q: float = 1.0) -> np.ndarray:
    """`gain_db` at `hz`, nothing far from it; a higher q is narrower."""
    cosine, alpha = _angle(hz, sample_rate, q)
    a = 10.0 ** (gain_db / 40)
    return _section(
        1 + alpha * a, -2 * cosine, 1 - alpha * a, 1 + alpha / a, -2 * cosine, 1 - alpha / a
    )


def low_shelf(hz: float, gain_db: float, sample_rate: int, q: float = BUTTERWORTH_Q) -> np.ndarray:
    """`gain_db` well below `hz`, half of it (in dB) at `hz`, nothing above."""
    cosine, alpha = _angle(hz, sample_rate, q)
    a = 10.0 ** (gain_db / 40)
    root = 2 * np.sqrt(a) * alpha
    return _section(
        a * ((a + 1) - (a - 1) * cosine + root),
        2 * a * ((a - 1) - (a + 1) * cosine),
        a * ((a + 1) - (a - 1) * cosine - root),
        (a + 1) + (a - 1) * cosine + root,
        -2 * ((a - 1) + (a + 1) * cosine),
        (a + 1) + (a - 1) * cosine - root,
    )


def high_shelf(hz: float, gain_db: float, sample_rate: int, q: float = BUTTERWORTH_Q) -> np.ndarray:
    """`gain_db` well above `hz`, half of it (in dB) at `hz`, nothing below."""
    cosine, alpha = _angle(hz, sample_rate, q)
    a = 10.0 ** (gain_db / 40)
    root = 2 * np.sqrt(a) * alpha
    return _section(
        a * ((a + 1) + (a - 1) * cosine + root),
        -2 * a * ((a - 1) + (a + 1) * cosine),
        a * ((a + 1) + (a - 1) * cosine - root),
        (a + 1) - (a - 1) * cosine + root,
        2 * ((a - 1) - (a + 1) * cosine),
        (a + 1) - (a - 1) * cosine - root,
    )


def equalize(audio: np.ndarray, sections: Sequence[np.ndarray]) -> np.ndarray:
    """The audio through the filters one after the other.

    Args:
      audio: float32 or int16 `[samples]`.
      sections: biquads as the functions above make them; none changes nothing.

    Returns:
      float32 `[samples]`, in the units of the input.
    """
    from scipy import signal

    samples = audio.astype(np.float32)
    if not len(sections):
        return samples
    # In single precision a biquad at 60 Hz would be noisy.
    return signal.sosfilt(np.stack(sections), samples.astype(np.float64)).astype(np.float32)


def gain_db_at(sections: Sequence[np.ndarray], hz: np.ndarray, sample_rate: int) -> np.ndarray:
    """The curve: gain in dB, float64 `[frequencies]`."""
    z = np.exp(-2j * np.pi * np.asarray(hz) / sample_rate)
    response = np.ones(len(z), complex)
    for b0, b1, b2, a0, a1, a2 in sections:
        response *= (b0 + b1 * z + b2 * z**2) / (a0 + a1 * z + a2 * z**2)
    return 20 * np.log10(np.maximum(np.abs(response), 1e-12))


def _angle(hz: float, sample_rate: int, q: float) -> tuple[float, float]:
    """The cookbook's cos(w0) and alpha."""
    if not 0 < hz < sample_rate / 2:
        raise ValueError(f"hz={hz}: a filter must lie between 0 and {sample_rate / 2:g} Hz")
    w0 = 2 * np.pi * hz / sample_rate
    return float(np.cos(w0)), float(np.sin(w0) / (2 * q))


def _section(b0: float, b1: float, b2: float, a0: float, a1: float, a2: float) -> np.ndarray:
    return np.array([b0, b1, b2, a0, a1, a2]) / a0


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
