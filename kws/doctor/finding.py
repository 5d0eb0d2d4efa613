"""One thing that was looked at."""

import dataclasses
from typing import Literal

State = Literal["ok", "note", "missing"]
"""Fine; something is less than it could be, and only some verbs suffer; a run cannot work."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
      name: of the thing.
      state: see `State`.
      found: what is there, in a few words.
      advice: what to do; empty where nothing is to be done.
    """

    name: str
    state: State
    found: str
    advice: str = ""
