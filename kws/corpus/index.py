"""The index of a fetched corpus: one line for each recording, written once after unpacking.

It lies beside the unpacked files, so that no run has to open a hundred thousand recordings or
read as many transcripts. Whether a keyword is said in a transcript is decided by its spelling and
by its sounds: "no" is heard in "know".
"""

import dataclasses
import functools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from kws.audio.container import Unreadable
from kws.audio.read import duration_ms
from kws.corpus.contents import Contents
from kws.corpus.layouts import LAYOUTS, Described
from kws.errors import KwsError

_SPELLED_ENDING = r"(?:'s|s|es)?"
_SOUNDED_ENDING = r"(?:s|z|ᵻz|ɪz|əz)?"
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


class KeywordFinder:
    """Finds keywords, their plurals and possessives."""

    def __init__(self, keywords: Sequence[str]):
        self._keywords = list(keywords)
        self._spelled = [_spelled(keyword) for keyword in keywords]
        self._sounded = [_sounded(sounds(keyword)) for keyword in keywords]

    def find(self, text: str, text_sounds: str) -> str | None:
        """The first keyword that is said, or None.

        Args:
          text: the transcript.
          text_sounds: what `sounds` says of it.
        """
        plain = f" {' '.join(_words(text))} "
        for keyword, spelled, sounded in zip(
            self._keywords, self._spelled, self._sounded, strict=True
        ):
            if spelled.search(plain) or (sounded is not None and sounded.search(text_sounds)):
                return keyword
        return None


def sounds(text: str) -> str:
    """The phonemes of a transcript, `|` around each word: `|nO|wA|`; "" for a word without any."""
    found = "|".join(_sounds_of(word) for word in _words(text))
    return f"|{found}|" if found else ""


def _words(text: str) -> list[str]:
    return [word.lower().replace("’", "'") for word in _WORD.findall(text)]


@functools.lru_cache(maxsize=200_000)
def _sounds_of(word: str) -> str:
    from kws.voices import pronounce

    try:
        return "|".join(pronounce.sounds(pronounce.word(word)))
    except KwsError:  # it is not English; its spelling must do
        return ""


def _spelled(keyword: str) -> re.Pattern[str]:
    return re.compile(f" {' '.join(map(re.escape, _words(keyword)))}{_SPELLED_ENDING} ")


def _sounded(keyword_sounds: str) -> re.Pattern[str] | None:
    """The same sounds, whatever words they are divided into: "okay" is said in "O K"."""
    letters = keyword_sounds.replace("|", "")
    if not letters:
        return None
    return re.compile(r"\|" + r"\|?".join(map(re.escape, letters)) + _SOUNDED_ENDING + r"\|")


FORMAT = 1
INDEX_FILE = f"index-{FORMAT}.jsonl"
FILES_FOLDER = "files"
"""What came out of the archive, beside the index."""
_LINES_A_REPORT = 500


@dataclasses.dataclass(frozen=True, kw_only=True)
class Summary:
    """What a corpus holds: the first line of its index.

    Attributes:
      recordings: of each use; one may have several.
      hours: of sound that is used for anything but rooms.
      groups: how many speakers, sessions, rooms or single recordings.
      unreadable: files that cannot be used, by reason.
    """

    recordings: dict[str, int]
    hours: float
    groups: int
    unreadable: dict[str, int]


def build(folder: Path, layout: str, progress: Callable[[int, int], None] | None = None) -> Summary:
    """Writes the index of the files below `<folder>/files/`.

    Args:
      folder: of the corpus.
      layout: its name.
      progress: called with recordings looked at, and all.

    Raises:
      KwsError: there is not one recording; the archive is not what the layout says.
    """
    files = folder / FILES_FOLDER
    names = sorted(
        path.relative_to(files).as_posix() for path in files.rglob("*") if path.is_file()
    )

    def read_text(name: str) -> str:
        return (files / name).read_text("utf-8", errors="replace")

    try:
        described = list(LAYOUTS[layout].describe(names, read_text))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise KwsError(
            f"{folder}: a transcript is not as the layout {layout} has it: {error!r}"
        ) from error
    if not described:
        raise KwsError(
            f"{folder}: no recording lies where the layout {layout} has them",
            hint=f"{len(names)} files, such as {', '.join(names[:3]) or 'none'}",
        )
    rows: list[dict[str, Any]] = []
    recordings: dict[str, int] = {}
    unreadable: dict[str, int] = {}
    hours, groups = 0.0, set()
    for place, found in enumerate(described, start=1):
        try:
            duration = duration_ms(files / found.name)
        except Unreadable as error:
            unreadable[error.reason] = unreadable.get(error.reason, 0) + 1
            continue
        rows.append(_row(found, duration))
        groups.add(found.group)
        for use in found.uses:
            recordings[use] = recordings.get(use, 0) + 1
        if found.uses != ("rooms",):
            hours += duration / 3_600_000
        if progress is not None and place % _LINES_A_REPORT == 0:
            progress(place, len(described))
    summary = Summary(recordings=recordings, hours=hours, groups=len(groups), unreadable=unreadable)
    temporary = folder / f".{INDEX_FILE}"
    with temporary.open("w", encoding="utf-8") as file:
        for row in (dataclasses.asdict(summary), *rows):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    temporary.replace(folder / INDEX_FILE)
    return summary


def read_summary(folder: Path) -> Summary | None:
    """None where there is no index."""
    file = folder / INDEX_FILE
    if not file.is_file():
        return None
    with file.open(encoding="utf-8") as lines:
        return Summary(**json.loads(lines.readline()))


def names(folder: Path) -> Iterator[str]:
    """Of the indexed recordings, relative to the folder."""
    with (folder / INDEX_FILE).open(encoding="utf-8") as lines:
        next(lines)
        yield from (json.loads(line)["name"] for line in lines)


def contents(text: str, keywords: Sequence[str], uses: Iterable[str] = ()) -> Contents:
    """What of an indexed corpus is used for what.

    Args:
      text: of the index.
      keywords: a recording (or a part of it) in whose transcript one is said is left out.
      uses: only for these; empty: for all that it can be.
    """
    found = Contents()
    finder = KeywordFinder(keywords)
    wanted = set(uses)
    # Not splitlines: a transcript may hold other separators of lines.
    for line in text.strip("\n").split("\n")[1:]:
        row = json.loads(line)
        name = row["name"]
        kinds = [use for use in row["uses"] if not wanted or use in wanted]
        if not kinds:
            continue
        if row.get("text") and (said := finder.find(row["text"], row["sounds"])):
            found.left_out[name] = f"{said!r} is said in it"
            continue
        if row.get("utterances"):
            kept, said = _kept(row, finder)
            if said:
                found.left_out[f"{name} (a part)"] = f"{said!r} is said in it"
                found.stretches[name] = kept
        found.groups[name] = row["group"]
        for use in kinds:
            getattr(found, use).append(name)
    return found


def _row(found: Described, duration: float) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": f"{FILES_FOLDER}/{found.name}",
        "uses": found.uses,
        "group": found.group,
        "duration_ms": round(duration, 1),
    }
    if found.text is not None:
        row |= {"text": found.text, "sounds": sounds(found.text)}
    if found.utterances:
        row["utterances"] = [[*said, sounds(said.text)] for said in found.utterances]
    return row


def _kept(
    row: dict[str, Any], finder: KeywordFinder
) -> tuple[tuple[tuple[float, float], ...], str]:
    """The shares of a recording's length in which no keyword is said, and the last that is."""
    last, position, kept = "", 0.0, []
    for start_ms, end_ms, text, text_sounds in sorted(row["utterances"]):
        said = finder.find(text, text_sounds)
        if said:
            last = said
            if start_ms > position:
                kept.append((position, start_ms))
            position = max(position, end_ms)
    if position < row["duration_ms"]:
        kept.append((position, row["duration_ms"]))
    length = row["duration_ms"]
    return tuple((start / length, min(end / length, 1.0)) for start, end in kept), last
