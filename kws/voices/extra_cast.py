"""Which voice of the optional engines speaks in which split; as in `cast`, never one in two."""

import hashlib
import re

from kws.splits import EVAL, SPLITS, TEST, TRAIN, Split
from kws.voices import engines, piper_engine
from kws.voices.extra_engines import extra
from kws.voices.params import VoicesParams

_ROUND: tuple[Split, ...] = (TRAIN, TRAIN, EVAL, TEST, TRAIN)
"""The people of a family of engines are dealt out so: one or two are for training."""


def extra_cast(params: VoicesParams) -> dict[Split, list[tuple[str, str]]]:
    """`(engine, voice)` of each split; empty where no optional engine is asked for.

    Raises:
      KwsError: if a program or voice file is missing; says what to install.
    """
    held: dict[Split, list[tuple[str, str]]] = {split: [] for split in SPLITS}
    names: tuple[str, ...] = params.extra_engines
    voices = [(name, voice) for name in names for voice in extra(name).voices()]
    voices += [
        (engines.PIPER, v) for path in params.piper_voices for v in piper_engine.voices(path)
    ]
    people = {pair: _person(*pair) for pair in voices}
    for family in dict.fromkeys(kind for kind, _ in people.values()):
        members = sorted({who for kind, who in people.values() if kind == family}, key=_digest)
        for pair, (kind, who) in people.items():
            if kind == family:
                held[_ROUND[members.index(who) % len(_ROUND)]].append(pair)
    return held


def speaker_of(engine: str, voice: str) -> str:
    """The speaker's id in file names: `<engine>-<voice>`."""
    return f"{engine}-{file_name(engine, voice)}"


def file_name(engine: str, voice: str) -> str:
    """The voice as part of a file's name."""
    return piper_engine.speaker_name(voice) if engine == engines.PIPER else voice


def _person(engine: str, voice: str) -> tuple[str, str]:
    """Who is heard: a family of engines and a name within it.

    espeak's variant is the vocal tract, whatever the accent. Flite and Festival share speakers:
    kal16 and kal_diphone, slt and cmu_us_slt_arctic_hts.
    """
    if engine == "espeak":
        return engine, voice.rpartition("+")[2]
    if engine in ("flite", "festival"):
        name = re.sub(r"^(cmu|cstr|nitech)_us_", "", voice).partition("_")[0]
        return "cmu", re.sub(r"(?<=kal)\d+$", "", name)
    return engine, voice


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
