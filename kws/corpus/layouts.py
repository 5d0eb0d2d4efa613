"""What lies where in the archive of a public corpus; one class a layout.

A layout says which members are unpacked at all, and what each recording is: what it is used for,
whom or what it belongs to (its group, which no two splits share), and what is said in it.
"""

import dataclasses
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple, Protocol

from kws.corpus.catalogue import Use
from kws.corpus.listing import is_hidden, kind_of

ReadText = Callable[[str], str]
"""Gives the content of a text file of the corpus by its name."""

ROOM_RESPONSES = 5
"""Of each simulated room of RIRS_NOISES; it has a hundred, of 600 rooms."""
SAID_MARGIN_MS = 1000.0
"""Left out before and after an utterance of DiPCo: its devices are not quite in step."""
_VOCALS_AND_MUSICIAN = 4
"""Fields of a line of MUSAN's ANNOTATIONS of music: file, genres, vocals, musician."""


class Utterance(NamedTuple):
    """What is said in a part of a recording."""

    start_ms: float
    end_ms: float
    text: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Described:
    """One recording of a corpus.

    Attributes:
      name: of the file, below the folder of the archive.
      uses: what for.
      group: whom or what it belongs to.
      text: what is said in all of it; None where nobody knows.
      utterances: what is said when, where that is known instead.
    """

    name: str
    uses: tuple[Use, ...]
    group: str
    text: str | None = None
    utterances: tuple[Utterance, ...] = ()


class Layout(Protocol):
    """See the module."""

    def wanted(self, member: str) -> bool:
        """Whether a member of the archive is unpacked."""

    def describe(self, names: Sequence[str], read_text: ReadText) -> Iterator[Described]:
        """The recordings among the unpacked files, in the order of their names."""


class LibriSpeech:
    """`LibriSpeech/dev-clean/84/121123/84-121123-0000.flac`, and beside it `84-121123.trans.txt`
    with a line `84-121123-0000 GO DO YOU HEAR` for each. 84 is the speaker."""

    _recording = re.compile(r"(?:^|/)(\d+)/(\d+)/\1-\2-\d+\.flac$")

    def wanted(self, member: str) -> bool:
        return member.endswith((".flac", ".trans.txt", ".TXT"))

    def describe(self, names: Sequence[str], read_text: ReadText) -> Iterator[Described]:
        said: dict[str, str] = {}
        for name in names:
            if name.endswith(".trans.txt"):
                for line in read_text(name).splitlines():
                    utterance, _, text = line.partition(" ")
                    said[utterance] = text
        for name in names:
            if found := self._recording.search(name):
                utterance = PurePosixPath(name).stem
                yield Described(
                    name=name,
                    uses=("negatives",),
                    group=f"librispeech-{found[1]}",
                    text=said.get(utterance),
                )


class Musan:
    """`musan/{speech,music,noise}/<collection>/….wav`, with LICENSE files; ANNOTATIONS of the music
    name the musician. Noise and music are heard behind words as well as alone."""

    _recording = re.compile(r"(?:^|/)(speech|music|noise)/[^/]+/[^/]+\.wav$")

    def wanted(self, member: str) -> bool:
        return member.endswith(".wav") or PurePosixPath(member).name in (
            *("LICENSE", "ANNOTATIONS", "README"),
        )

    def describe(self, names: Sequence[str], read_text: ReadText) -> Iterator[Described]:
        musicians: dict[str, str] = {}
        for name in names:
            path = PurePosixPath(name)
            if path.name == "ANNOTATIONS" and "music" in path.parts:
                for line in read_text(name).splitlines():
                    fields = line.split(maxsplit=_VOCALS_AND_MUSICIAN - 1)
                    if len(fields) == _VOCALS_AND_MUSICIAN and fields[3].strip():
                        musicians[fields[0]] = fields[3].strip()
        for name in names:
            if found := self._recording.search(name):
                title = PurePosixPath(name).stem
                musician = musicians.get(title)
                yield Described(
                    name=name,
                    uses=("negatives",) if found[1] == "speech" else ("backgrounds", "negatives"),
                    group=f"musan-{musician}" if musician else title,
                )


class Rirs:
    """`RIRS_NOISES/{simulated_rirs,real_rirs_isotropic_noises,pointsource_noises}`. A `rir_list`
    has lines `--rir-id 1 --room-id smallroom-Room001 <path of a WAV file>`."""

    _simulated = re.compile(r"(?:^|/)simulated_rirs/(\w+)/(Room\d+)/Room\d+-0*(\d+)\.wav$")
    _real = re.compile(r"(?:^|/)real_rirs_isotropic_noises/([^/]+)\.wav$")
    _noise = re.compile(r"(?:^|/)pointsource_noises/[^/]+\.wav$")
    _line = re.compile(r"--room-id\s+(\S+).*?(\S+\.wav)\s*$")

    def wanted(self, member: str) -> bool:
        if found := self._simulated.search(member):
            return int(found[3]) <= ROOM_RESPONSES
        if self._real.search(member) or self._noise.search(member):
            return True
        return PurePosixPath(member).name in ("rir_list", "noise_list", "README", "LICENSE")

    def describe(self, names: Sequence[str], read_text: ReadText) -> Iterator[Described]:
        room_of: dict[str, str] = {}
        for name in names:
            if PurePosixPath(name).name == "rir_list":
                for line in read_text(name).splitlines():
                    if found := self._line.search(line):
                        room_of["/".join(PurePosixPath(found[2]).parts[-2:])] = found[1]
        for name in names:
            listed = room_of.get("/".join(PurePosixPath(name).parts[-2:]))
            if found := self._simulated.search(name):
                yield Described(name=name, uses=("rooms",), group=f"rirs-{found[1]}-{found[2]}")
            elif found := self._real.search(name):
                if listed or "_rir_" in found[1]:
                    yield Described(name=name, uses=("rooms",), group=f"rirs-{listed or found[1]}")
                else:
                    yield Described(name=name, uses=("backgrounds",), group=found[1])
            elif self._noise.search(name):
                # Named as in MUSAN, which they are from: the same name is the same split.
                yield Described(name=name, uses=("backgrounds",), group=PurePosixPath(name).stem)


class DiPCo:
    """`Dipco/audio/{dev,eval}/S02_U01.CH7.wav` (session, device, microphone) and
    `Dipco/transcriptions/{dev,eval}/S02.json`: a list of utterances, each with `words`,
    `speaker_id`, and `start_time` and `end_time` by device (`U01`, `close-talk`). Sessions with a
    guest in common are one group."""

    _recording = re.compile(r"(?:^|/)audio/\w+/(S\d+)_(U\d+)\.CH7\.wav$")
    _transcript = re.compile(r"(?:^|/)transcriptions/\w+/(S\d+)\.json$")

    def wanted(self, member: str) -> bool:
        name = PurePosixPath(member).name
        return bool(
            self._recording.search(member)
            or self._transcript.search(member)
            or name.lower().startswith(("license", "readme"))
        )

    def describe(self, names: Sequence[str], read_text: ReadText) -> Iterator[Described]:
        rows = {
            found[1]: json.loads(read_text(name))
            for name in names
            if (found := self._transcript.search(name))
        }
        guests = {session: {row["speaker_id"] for row in said} for session, said in rows.items()}
        for name in names:
            if found := self._recording.search(name):
                session, device = found[1], found[2]
                yield Described(
                    name=name,
                    uses=("negatives",),
                    group=f"dipco-{_first_connected(session, guests)}",
                    utterances=tuple(_said(row, device) for row in rows.get(session, ())),
                )


class Demand:
    """`DKITCHEN/ch01.wav` to `ch16.wav`: sixteen microphones beside one another in one place."""

    _recording = re.compile(r"(?:^|/)([A-Z]+)/ch01\.wav$")

    def wanted(self, member: str) -> bool:
        return bool(self._recording.search(member)) or member.lower().endswith((".txt", ".md"))

    def describe(self, names: Sequence[str], read_text: ReadText) -> Iterator[Described]:
        for name in names:
            if found := self._recording.search(name):
                yield Described(name=name, uses=("backgrounds",), group=f"demand-{found[1]}")


class Fma:
    """`fma_small/000/000002.mp3`: pieces of music."""

    _recording = re.compile(r"(?:^|/)\d{3}/(\d{6})\.mp3$")

    def wanted(self, member: str) -> bool:
        return bool(self._recording.search(member)) or member.endswith(".txt")

    def describe(self, names: Sequence[str], read_text: ReadText) -> Iterator[Described]:
        for name in names:
            if found := self._recording.search(name):
                yield Described(
                    name=name, uses=("backgrounds", "negatives"), group=f"fma-{found[1]}"
                )


class Recordings:
    """Long recordings without a keyword at any depth, for a user's own table."""

    def wanted(self, member: str) -> bool:
        return True

    def describe(self, names: Sequence[str], read_text: ReadText) -> Iterator[Described]:
        for name in names:
            path = PurePosixPath(name)
            if kind_of(name) == "recording" and not any(map(is_hidden, path.parts)):
                yield Described(name=name, uses=("negatives", "backgrounds"), group=path.stem)


LAYOUTS: dict[str, Layout] = {
    "librispeech": LibriSpeech(),
    "musan": Musan(),
    "rirs": Rirs(),
    "dipco": DiPCo(),
    "demand": Demand(),
    "fma": Fma(),
    "recordings": Recordings(),
}
"""By name; `speech_commands` is one of `kws.corpus.contents`."""


def _said(row: dict, device: str) -> Utterance:
    start, end = row["start_time"], row["end_time"]
    return Utterance(
        max(0.0, _ms(start.get(device) or start["close-talk"]) - SAID_MARGIN_MS),
        _ms(end.get(device) or end["close-talk"]) + SAID_MARGIN_MS,
        str(row.get("words", "")),
    )


def _ms(clock: str) -> float:
    """`00:02:12.79` in milliseconds."""
    hours, minutes, seconds = clock.split(":")
    return 1000 * (3600 * int(hours) + 60 * int(minutes) + float(seconds))


def _first_connected(session: str, guests: dict[str, set[str]]) -> str:
    """The first by name of the sessions that share guests, directly or over others."""
    connected, seen = {session}, set(guests.get(session, ()))
    while more := {s for s, g in guests.items() if g & seen} - connected:
        connected |= more
        seen |= set().union(*(guests[s] for s in more))
    return min(connected)
