"""The optional engines by name."""

import functools

from kws.voices.espeak_engine import EspeakEngine
from kws.voices.festival_engine import FestivalEngine
from kws.voices.flite_engine import FliteEngine
from kws.voices.subprocess_engine import SubprocessEngine


@functools.cache
def extra(name: str) -> SubprocessEngine:
    """One of the optional engines, whether installed or not."""
    kinds: dict[str, type[SubprocessEngine]] = {
        "espeak": EspeakEngine,
        "festival": FestivalEngine,
        "flite": FliteEngine,
    }
    return kinds[name]()
