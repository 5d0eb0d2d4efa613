"""Assigns voices to splits: no voice, nor any mix that contains it, appears in two splits.

This covers Kokoro's voices and their mixes, and the voices of the optional engines.
"""

import hashlib
import itertools

from kws.errors import KwsError
from kws.splits import EVAL, SPLITS, TEST, TRAIN, Split
from kws.voices import engines, kokoro_engine, piper_engine
from kws.voices.params import VoicesParams

ALWAYS_TRAINING = ("af_heart", "ef_dora", "em_alex", "em_santa", "pf_dora", "pm_alex", "pm_santa")
"""af_heart is also hibari's speaker. The others are near-identical pairs, the Spanish and the
Portuguese voice of one name (cosine of their timbres 0.97 and more)."""

_STRATA = ("english female", "english male", "other female", "other male")
_ORDER = (0, 1, 2, 3, 0, 1)
"""How strata alternate, so that every split hears both sexes and several accents."""


def cast(params: VoicesParams) -> dict[Split, tuple[str, ...]]:
    """The Kokoro voices of each split, single voices first, then mixes within the split.

    Independent of the seed, and nested: more eval voices keep those that were there.

    Raises:
      KwsError: if more mixes or speakers are asked for than there are pairs of voices.
    """
    order = _interleaved([name for name in kokoro_engine.voices() if name not in ALWAYS_TRAINING])
    held = {EVAL: order[0::2][: params.eval_voices], TEST: order[1::2][: params.test_voices]}
    taken = {*held[EVAL], *held[TEST]}
    training = [ALWAYS_TRAINING[0], *(n for n in order if n not in taken), *ALWAYS_TRAINING[1:]]
    if params.max_voices is not None:
        training = training[: params.max_voices - len(taken)]
    training_mixes = params.mixes
    if params.speakers is not None:
        training_mixes = max(params.speakers - len(training), 0)
        _check_speakers(params.speakers, training, training_mixes, TRAIN)
        training = training[: params.speakers]
    singles: dict[Split, list[str]] = {TRAIN: training, **held}
    mixes = {TRAIN: training_mixes, EVAL: params.eval_mixes, TEST: params.eval_mixes}
    return {
        split: (*singles[split], *_mixes(singles[split], mixes[split], split)) for split in SPLITS
    }


def speakers(count: int) -> tuple[str, ...]:
    """The first `count` of all Kokoro speakers, whatever their split: single voices, then mixes.

    Raises:
      KwsError: if there are not so many.
    """
    order = _interleaved(list(kokoro_engine.voices()))
    mixes = max(count - len(order), 0)
    _check_speakers(count, order, mixes, where=None)
    return (*order[:count], *_mixes(order, mixes, where="all"))


def _check_speakers(count: int, singles: list[str], mixes: int, where: Split | None) -> None:
    most = len(singles) ** 2  # n voices and n * (n - 1) ordered pairs
    if len(singles) + mixes > most and mixes:
        raise KwsError(
            f"{count} speakers are asked for{f' in {where}' if where else ''}, but "
            f"{len(singles)} voices and their mixes in pairs make only {most}",
            hint=f"ask for at most {most}",
        )


def _mixes(names: list[str], count: int, where: str) -> list[str]:
    """Ordered pairs in a fixed shuffle; timbre and prosody swapped in one, blended in the next."""
    pairs = sorted(itertools.permutations(names, 2), key=lambda pair: _digest("+".join(pair)))
    if count > len(pairs):
        raise KwsError(
            f"{count} mixes are asked for in {where}, but its {len(names)} voices make only "
            f"{len(pairs)} pairs",
            hint="ask for fewer mixes or more voices",
        )
    return [
        f"{a}+{b}" if index % 2 == 0 else f"{a}60+{b}40"
        for index, (a, b) in enumerate(pairs[:count])
    ]


def _interleaved(names: list[str]) -> list[str]:
    waiting: list[list[str]] = [[] for _ in _STRATA]
    for name in sorted(names, key=_digest):
        waiting[2 * (name[0] not in "ab") + (name[1] == "m")].append(name)
    order: list[str] = []
    # Each draw serves eval, then test: a stratum gives two at a time.
    for stratum in itertools.cycle(_ORDER):
        order += waiting[stratum][:2]
        del waiting[stratum][:2]
        if not any(waiting):
            return order
    raise AssertionError("itertools.cycle does not end")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


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
    if params.training_only:
        return {**held, TRAIN: voices}
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
