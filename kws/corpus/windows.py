"""Windows: which parts of long recordings become `_silence_` and `_unknown_` clips.

Window number i of a split has its own random generator, seeded by a hash: asking for more windows
changes none of the first ones.
"""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from kws.corpus.clip_spec import ClipSpec, stem
from kws.corpus.inspect import FileReport
from kws.corpus.params import IngestParams
from kws.corpus.splits import Part
from kws.labels import SILENCE, UNKNOWN
from kws.splits import TRAIN, Split

DIGITAL_SILENCE_SHARE = 0.05
"""This share of the `_silence_` clips is cut with gain 0."""
MADE_UP_NOISE_DBFS = (-90.0, -40.0)
"""Range of the white noise that stands for silence in a corpus without backgrounds."""
SHORTEST_HEARD = 0.25
"""Of a `_silence_` clip that is short: the least share of it in which there is anything."""
NEGATIVE_TRIES = 8
"""Windows of a negative recording that are tried before a silent one is accepted."""


def draw_silence_windows(
    split: Split,
    numbers: range,
    parts: Sequence[Part],
    found: Mapping[str, FileReport],
    params: IngestParams,
) -> list[ClipSpec]:
    """`_silence_` clips of one split: windows of its backgrounds at random places and gains.

    Args:
      split: the split.
      numbers: of the windows.
      parts: usable backgrounds; none: the clips are quiet white noise.
      found: the reports, by name; give the durations.
      params: clip duration, `short_silence_share` and seed.
    """
    specs = []
    places = _Places(parts, found, params)
    for i in numbers:
        seed = rank(params.seed, f"silence {split} {i}")
        rng = np.random.default_rng(seed)
        name = ""
        starts: tuple[float, ...] = ()
        gain = 10 ** (rng.uniform(*MADE_UP_NOISE_DBFS) / 20)
        if parts:
            name, starts = places.draw(1, rng)
            gain = rng.uniform()
        if rng.uniform() < DIGITAL_SILENCE_SHARE:
            gain = 0.0
        heard = (0.0, 1.0)
        if params.short_silence_share and rng.uniform() < params.short_silence_share:
            length = rng.uniform(SHORTEST_HEARD, 1.0)
            start = rng.uniform(0.0, 1.0 - length)
            heard = (float(start), float(start + length))
        specs.append(
            ClipSpec(
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
                heard=heard,
            )
        )
    return specs


def draw_negative_windows(
    numbers: range, parts: Sequence[Part], found: Mapping[str, FileReport], params: IngestParams
) -> list[ClipSpec]:
    """`_unknown_` clips for training: windows of `_negatives_`.

    Args: as of `draw_silence_windows`.
    """
    specs = []
    places = _Places(parts, found, params)
    for i in numbers if parts else ():
        rng = np.random.default_rng(rank(params.seed, f"negatives {i}"))
        name, starts = places.draw(NEGATIVE_TRIES, rng)
        specs.append(
            ClipSpec(
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
    return specs


class _Places:
    """Where a clip with its lead-in can begin in some parts of recordings."""

    def __init__(
        self, parts: Sequence[Part], found: Mapping[str, FileReport], params: IngestParams
    ):
        taken_ms = params.lead_in_ms + params.clip_duration_ms
        durations = np.array([found[part.path].duration_ms for part in parts])
        self._parts = parts
        self._lead_in_ms = params.lead_in_ms
        self._starts = np.array([part.start_share for part in parts]) * durations
        ends = np.array([part.end_share for part in parts]) * durations
        self._room = ends - self._starts - taken_ms + 1
        self._chances = self._room / self._room.sum() if len(parts) else self._room

    def draw(self, tries: int, rng: np.random.Generator) -> tuple[str, tuple[float, ...]]:
        """A recording, drawn by how much of it there is, and starts of windows inside its part."""
        drawn = int(rng.choice(len(self._parts), p=self._chances))
        inside = np.floor(rng.uniform(size=tries) * self._room[drawn])
        first = self._starts[drawn] + self._lead_in_ms
        return self._parts[drawn].path, tuple(float(first + start) for start in inside)


def usable_parts(
    parts: Sequence[Part], found: Mapping[str, FileReport], params: IngestParams
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
