"""Which voice of the optional engines speaks in which split; as in `cast`, never one in two."""

import hashlib

from kws.splits import EVAL, SPLITS, TEST, TRAIN, Split
from kws.voices import engines, piper_engine
from kws.voices.params import VoicesParams

_ROUND: tuple[Split, ...] = (TRAIN, TRAIN, EVAL, TEST, TRAIN)
"""The split of each speaker of an engine in turn: the first two are for training."""


def extra_cast(params: VoicesParams) -> dict[Split, list[tuple[str, str]]]:
    """`(engine, voice)` of each split; empty where no optional engine is asked for.

    Raises:
      KwsError: if a program or voice file is missing; says what to install.
    """
    held: dict[Split, list[tuple[str, str]]] = {split: [] for split in SPLITS}
    names: tuple[str, ...] = params.extra_engines
    voices = [(name, voice) for name in names for voice in engines.program(name).voices()]
    voices += [
        (engines.PIPER, v) for path in params.piper_voices for v in piper_engine.voices(path)
    ]
    people = {pair: _person(*pair) for pair in voices}
    for engine in dict.fromkeys(kind for kind, _ in people.values()):
        members = sorted({who for kind, who in people.values() if kind == engine}, key=_digest)
        for pair, (kind, who) in people.items():
            if kind == engine:
                held[_ROUND[members.index(who) % len(_ROUND)]].append(pair)
    return held


def speaker_of(engine: str, voice: str) -> str:
    """The speaker's id in file names: `<engine>-<voice>`."""
    return f"{engine}-{file_name(engine, voice)}"


def file_name(engine: str, voice: str) -> str:
    """The voice as part of a file's name."""
    return piper_engine.speaker_name(voice) if engine == engines.PIPER else voice


def _person(engine: str, voice: str) -> tuple[str, str]:
    """Engine and speaker; espeak's variant is the vocal tract, whatever the accent."""
    return engine, voice.rpartition("+")[2] if engine == "espeak" else voice


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
