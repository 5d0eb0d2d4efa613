"""Windows: which parts of long recordings become `_silence_` and `_unknown_` clips.

Window number i of a split has its own random generator, seeded by a hash: asking for more windows
changes none of the first ones.
"""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from kws.audio.cut import Cut, stem
from kws.audio.examine import Finding
from kws.audio.params import IngestParams
from kws.audio.splits import Part
from kws.labels import SILENCE, UNKNOWN
from kws.splits import TRAIN, Split

DIGITAL_SILENCE_SHARE = 0.05
"""This share of the `_silence_` clips is cut with gain 0."""
MADE_UP_NOISE_DBFS = (-90.0, -40.0)
"""Range of the white noise that stands for silence in a corpus without backgrounds."""
NEGATIVE_TRIES = 8
"""Windows of a negative recording that are tried before a silent one is accepted."""


def silence_cuts(
    split: Split,
    numbers: range,
    parts: Sequence[Part],
    found: Mapping[str, Finding],
    params: IngestParams,
) -> list[Cut]:
    """`_silence_` clips of one split: windows of its backgrounds at random places and gains.

    Args:
      split: the split.
      numbers: of the windows.
      parts: usable backgrounds; none: the clips are quiet white noise.
      found: the findings, by name; give the durations.
      params: clip duration and seed.
    """
    cuts = []
    for i in numbers:
        seed = rank(params.seed, f"silence {split} {i}")
        rng = np.random.default_rng(seed)
        name = ""
        starts: tuple[float, ...] = ()
        gain = 10 ** (rng.uniform(*MADE_UP_NOISE_DBFS) / 20)
        if parts:
            name, starts = _windows(1, parts, found, params, rng)
            gain = rng.uniform()
        if rng.uniform() < DIGITAL_SILENCE_SHARE:
            gain = 0.0
        cuts.append(
            Cut(
                name=name,
                split=split,
                label=SILENCE,
                word="",
                speaker=stem(name) or "noise",
                source="background",
                novelty="silence",
                starts_ms=starts,
                gain=float(gain),
                seed=seed,
            )
        )
    return cuts


def negative_cuts(
    numbers: range, parts: Sequence[Part], found: Mapping[str, Finding], params: IngestParams
) -> list[Cut]:
    """`_unknown_` clips for training: windows of `_negatives_`; arguments as `silence_cuts`."""
    cuts = []
    for i in numbers if parts else ():
        rng = np.random.default_rng(rank(params.seed, f"negatives {i}"))
        name, starts = _windows(NEGATIVE_TRIES, parts, found, params, rng)
        cuts.append(
            Cut(
                name=name,
                split=TRAIN,
                label=UNKNOWN,
                word="",
                speaker=stem(name),
                source="negatives",
                novelty="heard",
                starts_ms=starts,
            )
        )
    return cuts


def _windows(
    tries: int,
    parts: Sequence[Part],
    found: Mapping[str, Finding],
    params: IngestParams,
    rng: np.random.Generator,
) -> tuple[str, tuple[float, ...]]:
    """A recording, drawn by how much of it there is, and starts of windows inside its part."""
    spans = [
        (p.start_share * found[p.path].duration_ms, p.end_share * found[p.path].duration_ms)
        for p in parts
    ]
    taken_ms = params.lead_in_ms + params.clip_duration_ms
    room = np.array([end - start - taken_ms + 1 for start, end in spans])
    drawn = int(rng.choice(len(parts), p=room / room.sum()))
    inside = np.floor(rng.uniform(size=tries) * room[drawn])
    first = spans[drawn][0] + params.lead_in_ms
    return parts[drawn].path, tuple(float(first + start) for start in inside)


def usable_parts(
    parts: Sequence[Part], found: Mapping[str, Finding], params: IngestParams
) -> list[Part]:
    """Parts of sound recordings that are long enough for one clip and its lead-in."""
    return [
        part
        for part in parts
        if not found[part.path].reason
        and (part.end_share - part.start_share) * found[part.path].duration_ms
        >= params.lead_in_ms + params.clip_duration_ms
    ]


def rank(seed: int, name: str) -> int:
    """64 bits of a hash: orders and seeds."""
    return int.from_bytes(hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=8).digest(), "big")
