"""Kokoro's voices as style vectors, and new speakers as mixes of two of them.

A style has 256 numbers: 0-127 steer timbre, 128-255 prosody (pitch, rhythm). A voice is written
  `af_heart`               as it is,
  `af_heart+am_puck`       timbre of the first with the prosody of the second,
  `af_heart70+am_puck30`   70 % of the first and 30 % of the second, in timbre and prosody.
Shares are within 0-100 %: outside of what the model was trained on, words become unintelligible.
"""

import functools
import re
from pathlib import Path

import numpy as np

from kws.errors import KwsError

TIMBRE = slice(0, 128)
PROSODY = slice(128, 256)

EXCLUDED = frozenset(
    [
        *("af_river", "am_eric", "am_onyx", "bf_emma", "if_sara", "im_nicola"),
        *("zf_xiaobei", "zf_xiaoni", "zm_yunxia"),
    ]
)
"""Least intelligible in single words; figures in `data/ATTRIBUTION.md`."""

_TABLE = Path(__file__).parent / "data" / "kokoro_styles54.npz"
_PART = re.compile(r"([a-z]+_[a-z]+)(\d{1,3})?")


@functools.cache
def voices() -> tuple[str, ...]:
    """The 45 voices in use, in alphabetical order."""
    return tuple(sorted(set(_table()) - EXCLUDED))


def parts(voice: str) -> tuple[str, ...]:
    """The one or two voices that a voice is made of."""
    return tuple(name for name, _ in _parse(voice))


def style(voice: str) -> np.ndarray:
    """The style vector, float32 `[256]`. Raises KwsError for what is no voice or mix of two."""
    parsed = _parse(voice)
    if len(parsed) == 1:
        return _table()[parsed[0][0]]
    (first, share), (second, _) = parsed
    a, b = _table()[first], _table()[second]
    if share is not None:
        return (share * a + (100 - share) * b) / np.float32(100)
    return np.concatenate([a[TIMBRE], b[PROSODY]])


def _parse(voice: str) -> list[tuple[str, int | None]]:
    matches = [_PART.fullmatch(part) for part in voice.split("+")]
    parsed = [(m[1], None if m[2] is None else int(m[2])) for m in matches if m is not None]
    shares = [share for _, share in parsed if share is not None]
    well_formed = len(parsed) == len(matches) <= 2 and (
        not shares or (len(matches) == len(shares) == 2 and sum(shares) == 100)
    )
    if not well_formed:
        raise KwsError(
            f"Kokoro voice {voice!r} is not understood",
            hint="af_heart, af_heart+am_puck or af_heart70+am_puck30 (shares add up to 100)",
        )
    for name, _ in parsed:
        if name not in voices():
            raise KwsError(
                f"Kokoro voice {name!r} is unknown", hint=f"one of {', '.join(voices())}"
            )
    return parsed


@functools.cache
def _table() -> dict[str, np.ndarray]:
    with np.load(_TABLE, allow_pickle=False) as table:
        return dict(zip(table["names"].tolist(), table["style"].astype(np.float32), strict=True))
