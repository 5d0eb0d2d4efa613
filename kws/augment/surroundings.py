"""What surrounds a word in a noisy copy: a background, and perhaps somebody who talks beside it.

Where the params ask for nothing, a background is a cut of a recording. Otherwise one of five kinds:

    recorded        a cut of a recording of noise
    quiet           the same, far below the word
    babble          two to six people at once
    single_talker   one of them
    coloured_noise  a spectrum of power 1/f^a, a drawn

Nobody talks around a clip labelled `_silence_`: that would be speech, which is another label.
"""

import dataclasses
from collections.abc import Sequence
from typing import Literal

import numpy as np

from kws.audio import noise
from kws.augment.babble import babble, cut_speech, talk_outside
from kws.augment.level import amplitude
from kws.augment.params import NoisyCopyParams
from kws.labels import SILENCE

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
