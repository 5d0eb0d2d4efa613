"""The surroundings of a word in a noisy copy: a background, and possibly somebody talking nearby.

By default a background is an excerpt of a recording. If the params ask for more, it is one of five
kinds:

    recorded        an excerpt of recorded noise
    quiet           the same, far below the word
    babble          two to six people at once
    single_talker   one of them
    coloured_noise  a power spectrum of 1/f^a with random a

Nobody talks around a clip labelled `_silence_`: that would be speech, which has another label.
Talkers are int16 recordings of people who never say a keyword, from the split of the copy.
"""

import dataclasses
from collections.abc import Sequence
from typing import Literal

import numpy as np

from kws.audio import noise
from kws.augment.level import amplitude, rms
from kws.augment.params import NoisyCopyParams
from kws.labels import SILENCE

CROSSFADE_SHARE = 0.1
MAX_CROSSFADE_SAMPLES = 8000


def cut_background(
    background: np.ndarray, num_samples: int, rng: np.random.Generator
) -> np.ndarray:
    """A random piece; a recording that is too short is looped with crossfades.

    Args:
      background: int16 `[samples]`, at least one sample.
      num_samples: how long the piece shall be.
      rng: draws where the piece begins.

    Returns:
      int16 `[num_samples]`.

    Raises:
      ValueError: the recording is empty.
    """
    if not background.size:
        raise ValueError("a background recording has no samples")
    if len(background) >= num_samples:
        start = int(rng.integers(len(background) - num_samples + 1))
        return background[start : start + num_samples]
    period = loop_period(background)
    start = int(rng.integers(len(period)))
    return np.resize(np.roll(period, -start), num_samples)


def loop_period(background: np.ndarray) -> np.ndarray:
    """One period of a seamless loop: the recording's end is faded into its own beginning.

    The crossfade has equal power (sine and cosine), so that a noise keeps its level through it. It
    takes a tenth of the recording, at most half a second at 16 kHz; the period is shorter by it.
    """
    fade = min(int(len(background) * CROSSFADE_SHARE), MAX_CROSSFADE_SAMPLES)
    if fade < 2:
        return background
    phase = np.linspace(0.0, np.pi / 2, fade)
    joined = background[:fade] * np.sin(phase) + background[-fade:] * np.cos(phase)
    return np.concatenate([np.clip(np.rint(joined), -32768, 32767), background[fade:-fade]]).astype(
        np.int16
    )


TALKERS = (2, 6)
"""People in babble, at least and at most."""
LEVEL_DB = (-4.0, 4.0)
"""Of one of them against the others."""
FADE_MS = 50
SILENT_RMS = 10.0
"""In int16 units, -70 dBFS: a cut below is a pause, and another is drawn."""
_TRIES = 5


def babble(
    talkers: Sequence[np.ndarray],
    num_samples: int,
    rng: np.random.Generator,
    count: tuple[int, int] = TALKERS,
) -> np.ndarray:
    """Several people who talk at once.

    Args:
      talkers: int16 `[samples]` each, of any lengths.
      num_samples: how long.
      rng: draws who, where in their recordings, and how loud.
      count: of people, at least and at most.

    Returns:
      float32 `[num_samples]` with an RMS of 1.

    Raises:
      ValueError: `talkers` is empty, or all of them are digital silence.
    """
    mixed = np.zeros(num_samples, np.float32)
    for _ in range(int(rng.integers(count[0], count[1] + 1))):
        gain = amplitude(rng.uniform(*LEVEL_DB))
        mixed += cut_speech(talkers, num_samples, rng) * np.float32(gain)
    return mixed / np.float32(rms(mixed))


def cut_speech(
    talkers: Sequence[np.ndarray], num_samples: int, rng: np.random.Generator
) -> np.ndarray:
    """A cut of one talker, float32 `[num_samples]` with an RMS of 1; as `babble` otherwise."""
    if not talkers:
        raise ValueError("nobody is there to talk: give recordings of speech without keywords")
    for _ in range(_TRIES):
        talker = talkers[int(rng.integers(len(talkers)))]
        cut = cut_background(talker, num_samples, rng)
        level = rms(cut)
        if level >= SILENT_RMS:
            return cut.astype(np.float32) / np.float32(level)
    raise ValueError(f"{_TRIES} cuts of speech in a row are silent")


def talk_outside(
    talkers: Sequence[np.ndarray],
    num_samples: int,
    pause: slice,
    sample_rate: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """One talker, silent during a pause: faded out before it and in after it, over 50 ms each.

    Args:
      talkers: as for `babble`.
      num_samples: how long.
      pause: in samples; with a stop of `num_samples` nobody talks after it.
      sample_rate: Hz.
      rng: draws who, and where in the recording.

    Returns:
      float32 `[num_samples]`; the speech that it was cut from has an RMS of 1.
    """
    speech = cut_speech(talkers, num_samples, rng)
    first, last = max(pause.start, 0), min(pause.stop, num_samples)
    speech[first:last] = 0.0
    fade = sample_rate * FADE_MS // 1000
    before, after = min(fade, first), min(fade, num_samples - last)
    speech[first - before : first] *= np.linspace(1.0, 0.0, before, dtype=np.float32)
    speech[last : last + after] *= np.linspace(0.0, 1.0, after, dtype=np.float32)
    return speech


Kind = Literal["recorded", "quiet", "babble", "single_talker", "coloured_noise"]
KINDS: tuple[Kind, ...] = ("quiet", "coloured_noise", "babble", "single_talker")
"""Of the kinds that have a share, in the order in which they divide the copies among them."""
TALKING: tuple[Kind, ...] = ("babble", "single_talker")
MADE_RMS = 1000.0
"""In int16 units: the level of what is made here, where no word says how loud it should be."""
PAUSE_BEFORE_S, PAUSE_AFTER_S = 0.1, 0.05
"""Around a part of a word that somebody else's speech surrounds."""
TALK_DB = (-9.0, 3.0)
"""Of the talker before or around a word, against the word."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What surrounds one copy; the defaults are a recording alone.

    Attributes:
      kind: of the background.
      snr_db: of the word over it; None: as for recordings.
      talk: another person's speech, "before" the word only or "around" it; None: nobody's.
      gap_s: between the talker's end and the word.
      talk_db: level of the talker against the word.
    """

    kind: Kind = "recorded"
    snr_db: float | None = None
    talk: Literal["before", "around"] | None = None
    gap_s: float = 0.0
    talk_db: float = 0.0


def draw_surroundings(
    params: NoisyCopyParams, label: str, rng: np.random.Generator, talk_around: bool = False
) -> Surroundings:
    """Draws what surrounds a copy of a clip with this label."""
    kind_at, before_at = rng.uniform(size=2)
    kind: Kind = "recorded"
    for name in KINDS:
        kind_at -= getattr(params, f"{name}_share")
        if kind_at < 0:
            kind = name
            break
    if label == SILENCE:
        return Surroundings(kind="recorded" if kind in TALKING else kind)
    snr_db = None
    if kind == "quiet":
        snr_db = float(rng.uniform(*params.quiet_snr_db))
    elif kind in TALKING and params.babble_snr_db is not None:
        snr_db = float(rng.uniform(*params.babble_snr_db))
    before = before_at < params.talk_before_share and not talk_around
    return Surroundings(
        kind=kind,
        snr_db=snr_db,
        talk="around" if talk_around else "before" if before else None,
        gap_s=float(rng.uniform(*params.talk_before_gap_s)),
        talk_db=float(rng.uniform(*TALK_DB)),
    )


def make_background(
    kind: Kind,
    recorded: np.ndarray,
    params: NoisyCopyParams,
    talkers: Sequence[np.ndarray],
    rng: np.random.Generator,
) -> np.ndarray:
    """The background of a copy.

    Args:
      kind: of it.
      recorded: int16 `[samples]`: the cut of a recording that it may be.
      params: of the colour of noise.
      talkers: int16 recordings of people who never say a keyword.
      rng: draws the rest.

    Returns:
      `recorded` itself, or float32 of its length.
    """
    if kind == "babble":
        return babble(talkers, len(recorded), rng) * np.float32(MADE_RMS)
    if kind == "single_talker":
        return cut_speech(talkers, len(recorded), rng) * np.float32(MADE_RMS)
    if kind == "coloured_noise":
        exponent = float(rng.uniform(*params.coloured_noise_exponent))
        return noise.coloured(len(recorded), rng, exponent) * np.float32(MADE_RMS)
    return recorded


def talk_beside(
    surroundings: Surroundings,
    word: slice,
    word_rms: float,
    num_samples: int,
    talkers: Sequence[np.ndarray],
    sample_rate: int,
    rng: np.random.Generator,
) -> np.ndarray | None:
    """The talker before or around a word, float32 `[num_samples]`; None where there is nobody.

    Args:
      surroundings: of the copy.
      word: samples, from the beginning of the copy.
      word_rms: level of the word.
      num_samples: of the copy.
      talkers: as for `make_background`.
      sample_rate: Hz.
      rng: draws who, and what of it.
    """
    if surroundings.talk is None:
        return None
    if surroundings.talk == "before":
        pause = slice(word.start - int(surroundings.gap_s * sample_rate), num_samples)
    else:
        pause = slice(
            word.start - int(PAUSE_BEFORE_S * sample_rate),
            word.stop + int(PAUSE_AFTER_S * sample_rate),
        )
    if pause.start <= 0 and pause.stop >= num_samples:
        return None
    level = np.float32(word_rms * amplitude(surroundings.talk_db))
    return talk_outside(talkers, num_samples, pause, sample_rate, rng) * level
