"""Fragment: a name that means a part of a recording, `talk.wav#t=1.2,2.05`.

The form is that of Media Fragments URI 1.0 (W3C, 2012, section 4.2.1): seconds, either side may be
missing. It makes one recording with many words into many named clips without copying any audio.
"""

import math
import re
from typing import NamedTuple

_FRAGMENT = re.compile(r"#t=(\d+(?:\.\d+)?)?,(\d+(?:\.\d+)?)?$")


class Fragment(NamedTuple):
    """A recording, or a part of it.

    Attributes:
      path: of the recording.
      start_ms: where the part begins.
      end_ms: where it ends; None: with the recording.
    """

    path: str
    start_ms: float = 0.0
    end_ms: float | None = None

    @property
    def is_part(self) -> bool:
        return self.start_ms > 0 or self.end_ms is not None


def parse(name: str) -> Fragment:
    """The recording that a name means, and which part; a plain name is the whole of it."""
    found = _FRAGMENT.search(name)
    if found is None:
        return Fragment(name)
    start_s, end_s = found.groups()
    return Fragment(
        name[: found.start()],
        1000 * float(start_s or 0),
        None if end_s is None else 1000 * float(end_s),
    )


def to_name(fragment: Fragment) -> str:
    """The name that `parse` reads, exact to a microsecond; a whole recording is its path.

    Raises:
      ValueError: the part is empty or begins before the recording.
    """
    path, start_ms, end_ms = fragment
    if not math.isfinite(start_ms) or start_ms < 0:
        raise ValueError(f"start_ms={start_ms:g} is not a time in a recording")
    if end_ms is not None and not start_ms < end_ms < math.inf:
        raise ValueError(f"end_ms={end_ms:g} is not after start_ms={start_ms:g}")
    if not fragment.is_part:
        return path
    return f"{path}#t={_seconds(start_ms)},{'' if end_ms is None else _seconds(end_ms)}"


def _seconds(time_ms: float) -> str:
    return f"{time_ms / 1000:.6f}".rstrip("0").rstrip(".")
