"""Source yield: what each part of each source gave, and whether that is enough to go on.

A source that gives nothing is worse than none: with `negatives` of which no file can be read, the
gates on false accepts would rest on nothing. So a run stops, and says why, if a part of a source
gives no usable audio or loses most of it. A part is the clips of one keyword, the clips of other
words, the negatives or the backgrounds of one folder. Clips count by files. Long recordings count
by minutes: four hours that are lost are not made up for by a hundred clips.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from kws.corpus.folders import Corpus, Folder
from kws.corpus.inspect import FileReport
from kws.corpus.layout import Layout
from kws.corpus.listing import CONVERT, FFMPEG_SUFFIXES, RECORDING_SUFFIXES, kind_of
from kws.corpus.quarantine import Quarantined
from kws.corpus.splits import Part
from kws.errors import DataError
from kws.labels import BACKGROUND_FOLDER, NEGATIVES_FOLDER
from kws.splits import SPLITS, Split

if TYPE_CHECKING:
    from kws.corpus.clip_table import CorpusReport
    from kws.corpus.duplicates import Distinct

USABLE = ""
ELSEWHERE = ("duplicate", "duplicate_gain")
"""Reasons by which nothing is lost: the same sound is used from another file."""
MS_PER_MINUTE = 60_000
REASONS_SHOWN = 4
_PCM_SUFFIXES = frozenset((".wav", ".wave", ".aif", ".aiff", ".aifc", ".au", ".snd", ".w64"))
_PCM_BYTES_PER_MS = 32.0
"""16 bits at 16 kHz."""
_CODED_BYTES_PER_MS = 8.0
"""64 kbit/s."""
MAX_LOSS = 0.5
"""Share of the recordings that a command may lose; of a run, `ingest.max_source_loss`."""

Kind = Literal["clips", "negatives", "backgrounds"]


class SourcePart(NamedTuple):
    """A part of a source.

    Attributes:
      prefix: of the folder (`kws.corpus.folders.Folder`).
      kind: of the recordings.
      keyword: of the clips; "" for those of other words, and for long recordings.
    """

    prefix: str
    kind: Kind
    keyword: str = ""


class Reason(NamedTuple):
    """How many files were lost for one reason, and the first of them by name."""

    files: int
    example: str
    detail: str


@dataclasses.dataclass
class SourceYield:
    """What a part of a source gave and lost.

    Attributes:
      usable: files, or minutes of long recordings.
      lost: likewise; the minutes of unreadable ones are estimated.
      reasons: reason -> how many files, and an example.
    """

    usable: float = 0.0
    lost: float = 0.0
    reasons: dict[str, Reason] = dataclasses.field(default_factory=dict)

    def add(self, name: str, reason: str, detail: str, amount: float = 1.0) -> None:
        """Counts one recording; without a reason it is usable."""
        if reason == USABLE:
            self.usable += amount
            return
        if reason not in ELSEWHERE:
            self.lost += amount
        found = Reason(1, name, detail)
        known = self.reasons.get(reason, Reason(0, name, detail))
        first = min(known, found, key=lambda one: one.example)
        self.reasons[reason] = first._replace(files=known.files + 1)

    def refuse_loss(self, title: str, max_loss: float, unit: str = "files") -> None:
        """Refuses a part of a source that gives nothing usable, or loses more than `max_loss`.

        Raises:
          DataError: says why its files cannot be used, and what to do.
        """
        lost = [
            (reason, found) for reason, found in self.reasons.items() if reason not in ELSEWHERE
        ]
        if not self.usable and not self.reasons:
            raise DataError(
                f"{title} holds no recordings",
                hint="leave the source out, or put recordings there: "
                f"{', '.join(RECORDING_SUFFIXES)}",
            )
        total = self.usable + self.lost
        if not lost or (self.usable and self.lost <= max_loss * total):
            return
        if self.usable:
            loss = (
                f"loses {self.lost:.3g} of {total:.3g} {unit}, at most {max_loss:.0%} may be lost"
            )
        else:
            loss = "has no usable audio"
        raise DataError(f"{title} {loss}: {_in_words(lost)}", hint=_advice(lost))


def _in_words(lost: Sequence[tuple[str, Reason]]) -> str:
    """`not_audio 3 (a.m4a: …), truncated 1 (…)`."""
    lost = sorted(lost, key=lambda item: (-item[1].files, item[0]))
    said = [f"{why} {found.files} ({found.example}: {found.detail})" for why, found in lost]
    more = ", …" if len(said) > REASONS_SHOWN else ""
    return ", ".join(said[:REASONS_SHOWN]) + more


def _advice(lost: Sequence[tuple[str, Reason]]) -> str:
    suffixes = {PurePosixPath(found.example).suffix.lower() for _, found in lost}
    if suffixes & set(FFMPEG_SUFFIXES) or any(why == "needs_ffmpeg" for why, _ in lost):
        return f"install ffmpeg, or convert the files: {CONVERT}"
    return f"mend, convert ({CONVERT}) or remove the files"


PartYields = dict[SourcePart, SourceYield]


def clip_part(corpus: Corpus, name: str, word: str, keywords: Sequence[str]) -> SourcePart:
    """The part that a clip belongs to."""
    folder, _ = corpus.find(name)
    kept_apart = word in keywords and folder.kind != "manifest"
    return SourcePart(folder.prefix, "clips", word if kept_apart else "")


def clip_yields(
    corpus: Corpus, report: "CorpusReport", distinct: "Distinct", keywords: Sequence[str]
) -> PartYields:
    """What the recordings of words gave.

    Args:
      corpus: its folders.
      report: on all files.
      distinct: which of the usable ones are copies.
      keywords: their clips are parts of their own.
    """
    yields: PartYields = defaultdict(SourceYield)
    clips = report.clips
    rows = np.arange(len(clips))
    words = clips.words.values.to_pylist()
    for row, code, name in zip(rows, clips.words.codes, clips.iter_names(rows), strict=True):
        part = yields[clip_part(corpus, name, words[code], keywords)]
        dropped = distinct.dropped.get(row)
        if dropped is None:
            part.usable += 1
        else:
            part.add(name, dropped.reason, "see quarantine.jsonl")
    for word, found in report.unusable_words:
        part = yields[clip_part(corpus, word.name, word.word, keywords)]
        part.add(word.name, found.reason, found.detail)
    return yields


def long_yields(
    corpus: Corpus,
    kind: Kind,
    recordings: Mapping[Split, Sequence[Part]],
    usable: Mapping[Split, Sequence[Part]],
    found: Mapping[str, FileReport],
) -> PartYields:
    """What the negatives, or the backgrounds, gave.

    Args:
      corpus: its folders.
      kind: which of the two.
      recordings: of each split, all that there are.
      usable: those parts of them that can be used.
      found: the reports, by name.
    """
    used_ms: dict[str, float] = defaultdict(float)
    for split in SPLITS:
        for part in usable[split]:
            used_ms[part.path] += (part.end_share - part.start_share) * found[part.path].duration_ms
    names: dict[SourcePart, list[str]] = defaultdict(list)
    for name in sorted({part.path for split in SPLITS for part in recordings[split]}):
        names[SourcePart(corpus.find(name)[0].prefix, kind)].append(name)
    return {
        part: yield_of_recordings([found[name] for name in mine], used_ms)
        for part, mine in names.items()
    }


def yield_of_recordings(
    reports: Sequence[FileReport], used_ms: Mapping[str, float] | None = None
) -> SourceYield:
    """What long recordings gave, in minutes.

    Args:
      reports: of all of them; how long an unreadable one is, its size says, by what a millisecond
        takes in the readable ones of the same suffix, or takes usually.
      used_ms: name -> how much of a readable one can be used; None: all of it.
    """
    rates = _bytes_per_ms(reports)
    found = SourceYield()
    for report in reports:
        name = report.name
        if report.reason:
            lost_ms = report.duration_ms or report.size_bytes / _rate(name, rates)
            found.add(name, report.reason, report.detail, lost_ms / MS_PER_MINUTE)
            continue
        used = report.duration_ms if used_ms is None else used_ms.get(name, 0.0)
        found.add(name, USABLE, "", used / MS_PER_MINUTE)
        if not used:
            detail = f"{report.duration_ms:.0f} ms: no split's part of it is as long as a clip"
            found.add(name, "too_short", detail, report.duration_ms / MS_PER_MINUTE)
    return found


def _bytes_per_ms(reports: Iterable[FileReport]) -> dict[str, float]:
    """Of each suffix, as the usable recordings have it."""
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for report in reports:
        if not report.reason and report.size_bytes and report.duration_ms:
            sums[_suffix(report.name)][0] += report.size_bytes
            sums[_suffix(report.name)][1] += report.duration_ms
    return {suffix: size / duration for suffix, (size, duration) in sums.items()}


def _rate(name: str, rates: Mapping[str, float]) -> float:
    usual = _PCM_BYTES_PER_MS if _suffix(name) in _PCM_SUFFIXES else _CODED_BYTES_PER_MS
    return rates.get(_suffix(name), usual)


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def add_misplaced(
    yields: PartYields,
    corpus: Corpus,
    misplaced: Iterable[Quarantined],
    keywords: Sequence[str],
) -> None:
    """Counts what belongs to nothing by its place or name, where it would have belonged.

    Files that are not recordings (`notes.xyz`), and recordings outside of all folders of words, are
    not a loss beside good ones; where there is nothing else, they say why.
    """
    for entry in misplaced:
        try:
            folder, inside = corpus.find(entry.path)
        except KeyError:
            continue
        part = _part_of(folder, inside, keywords)
        belongs = kind_of(inside) == "recording" and entry.reason != "no_word_folder"
        counts = part.kind == "clips" and (belongs or folder.kind == "manifest")
        one = yields.setdefault(part, SourceYield())
        one.add(entry.path, entry.reason, entry.detail, float(counts))


def _part_of(folder: Folder, inside: str, keywords: Sequence[str]) -> SourcePart:
    if folder.kind == "negatives" or folder.kind == "backgrounds":
        return SourcePart(folder.prefix, folder.kind)
    word = folder.word
    if folder.kind == "speech_commands":
        word, _, below = inside.partition("/")
        long: dict[str, Kind] = {NEGATIVES_FOLDER: "negatives", BACKGROUND_FOLDER: "backgrounds"}
        if below and word in long:
            return SourcePart(folder.prefix, long[word])
    return SourcePart(folder.prefix, "clips", word if word in keywords else "")


def expected_parts(corpus: Corpus, is_folder: Callable[[str], bool]) -> list[SourcePart]:
    """Parts that a user has named, or made a folder for: they may not be empty.

    Args:
      corpus: its folders.
      is_folder: whether a path is a folder.
    """
    parts = []
    for folder in corpus.folders:
        if folder.kind == "negatives" or folder.kind == "backgrounds":
            parts.append(SourcePart(folder.prefix, folder.kind))
        if folder.kind == "speech_commands":
            if is_folder(f"{folder.path}/{NEGATIVES_FOLDER}"):
                parts.append(SourcePart(folder.prefix, "negatives"))
            if is_folder(f"{folder.path}/{BACKGROUND_FOLDER}"):
                parts.append(SourcePart(folder.prefix, "backgrounds"))
    return parts


def refuse_empty(
    corpus: Corpus, found: Layout, is_folder: Callable[[str], bool], keywords: Sequence[str]
) -> None:
    """Refuses a corpus with a part that holds no recording by its files' names alone.

    Raises:
      DataError: names the source.
    """
    yields: PartYields = {}
    for word in found.words:
        part = clip_part(corpus, word.name, word.word, keywords)
        yields.setdefault(part, SourceYield()).usable += 1
    long: tuple[tuple[Kind, Mapping[Split, Sequence[Part]]], ...] = (
        ("negatives", found.negatives),
        ("backgrounds", found.backgrounds),
    )
    for kind, of_split in long:
        for recording in (one for split in SPLITS for one in of_split[split]):
            part = SourcePart(corpus.find(recording.path)[0].prefix, kind)
            yields.setdefault(part, SourceYield()).usable += 1
    misplaced = [Quarantined(name, *why) for name, why in sorted(found.misplaced.items())]
    add_misplaced(yields, corpus, misplaced, keywords)
    refuse_losses(yields, corpus, expected_parts(corpus, is_folder), max_loss=1.0)


def refuse_losses(
    yields: PartYields,
    corpus: Corpus,
    expected: Iterable[SourcePart],
    max_loss: float,
) -> None:
    """Refuses a corpus of which a source gives nothing, or loses most.

    Args:
      yields: of all parts that have a file.
      corpus: its folders.
      expected: see `expected_parts`.
      max_loss: share of a part that may be lost.

    Raises:
      DataError: names the source.
    """
    folders = {folder.prefix: folder for folder in corpus.folders}
    parts = sorted({*expected, *yields})
    for folder in corpus.folders:
        if not any(part.prefix == folder.prefix for part in parts):
            SourceYield().refuse_loss(_title(folder), max_loss)
    for part in parts:
        one = yields.get(part, SourceYield())
        unit = "files" if part.kind == "clips" else "minutes"
        # Beside keywords there may be a few files that belong to nothing, and no other words.
        odd = part.kind == "clips" and not part.keyword and not one.usable and not one.lost
        if odd and any(p.prefix == part.prefix and y.usable for p, y in yields.items()):
            continue
        one.refuse_loss(_title(folders[part.prefix], part), max_loss, unit)


def _title(folder: Folder, part: SourcePart | None = None) -> str:
    source = f"source {folder.source}: " if folder.source else ""
    path = f"{folder.path}/{folder.manifest}" if folder.manifest else folder.path
    if part is None or folder.kind == "manifest":
        return f"{source}{path}"
    if part.kind == "clips":
        what = f"keyword {part.keyword!r}" if part.keyword else "clips of other words"
        return f"{source}{what} in {path}"
    inside = {"negatives": NEGATIVES_FOLDER, "backgrounds": BACKGROUND_FOLDER}[part.kind]
    if folder.kind == "speech_commands":
        path = f"{path}/{inside}"
    return f"{source}{part.kind} in {path}"
