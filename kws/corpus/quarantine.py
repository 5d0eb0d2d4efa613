"""Quarantine: the files that were not used because something is wrong with them, and why; and the
notes on those that were used although something is odd about them."""

import dataclasses
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from kws.audio.container import Note
from kws.errors import KwsError

QUARANTINE_FILE = "quarantine.jsonl"
NOTES_FILE = "notes.jsonl"
NAMED = 1000
"""Files that are named of each note; all are counted."""
EXAMPLES = 3
"""Names that an error message shows of each reason."""


class Quarantined(NamedTuple):
    """One file.

    Attributes:
      path: inside the corpus.
      reason: one of `kws.audio.container.Unreadable`'s, of `kws.corpus.layout.Layout.misplaced`'s,
        or of `kws.corpus.duplicates.Distinct.dropped`'s.
      detail: the figures.
    """

    path: str
    reason: str
    detail: str


class Noted(NamedTuple):
    """One file that was used, and a note on it (`kws.audio.container.Note`)."""

    path: str
    note: str
    detail: str


@dataclasses.dataclass
class NoteTally:
    """How many files have each note.

    Attributes:
      counts: by the notes' names.
      named: the first files of each note, by name, at most NAMED.
    """

    counts: Counter[str] = dataclasses.field(default_factory=Counter)
    named: dict[str, list[Noted]] = dataclasses.field(default_factory=dict)

    def add(self, path: str, notes: Iterable[Note]) -> None:
        """Takes the notes on one file."""
        for note in notes:
            self._add(note.name, 1, [Noted(path, *note)])

    def merge(self, other: "NoteTally") -> None:
        """Takes those of other files."""
        for name, count in other.counts.items():
            self._add(name, count, other.named[name])

    def _add(self, name: str, count: int, noted: list[Noted]) -> None:
        self.counts[name] += count
        self.named[name] = sorted([*self.named.get(name, ()), *noted])[:NAMED]

    def to_jsonl(self) -> str:
        """What `notes.jsonl` holds: path, note and detail of each file that is named."""
        return to_jsonl(noted for name in sorted(self.named) for noted in self.named[name])


def note_sentences(counts: Mapping[str, int], noted: Iterable[Mapping[str, str]]) -> list[str]:
    """For people: how many files have each note, and some of them.

    Args:
      counts: by the notes' names.
      noted: lines of `notes.jsonl`.
    """
    names: dict[str, list[str]] = defaultdict(list)
    for line in noted:
        names[line["note"]].append(line["path"])
    return [
        f"Read with a note: {count:,} files, {note} ({', '.join(names[note][:EXAMPLES])}"
        f"{', …' if count > EXAMPLES else ''})"
        for note, count in counts.items()
    ]


def to_jsonl(entries: Iterable[Quarantined | Noted]) -> str:
    """One JSON object a line, with path, reason (or note) and detail."""
    return "".join(json.dumps(e._asdict(), ensure_ascii=False) + "\n" for e in entries)


def by_reason(quarantine: Iterable[Quarantined]) -> dict[str, list[Quarantined]]:
    """Groups, the largest first."""
    groups: dict[str, list[Quarantined]] = defaultdict(list)
    for entry in quarantine:
        groups[entry.reason].append(entry)
    return dict(sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])))


def check_share(quarantine: Sequence[Quarantined], files: int, max_share: float) -> None:
    """Refuses a corpus of which too much is in quarantine.

    Raises:
      KwsError: with the counts of the reasons and examples of each.
    """
    if not files or len(quarantine) / files <= max_share:
        return
    reasons = []
    for reason, entries in by_reason(quarantine).items():
        names = ", ".join(entry.path for entry in entries[:EXAMPLES])
        more = ", …" if len(entries) > EXAMPLES else ""
        reasons.append(f"{reason} {len(entries)} ({names}{more})")
    raise KwsError(
        f"{len(quarantine)} of {files} files ({len(quarantine) / files:.1%}) cannot be used, "
        f"ingest.max_quarantine_share={max_share:g} allows {max_share:.1%}: {'; '.join(reasons)}",
        hint="mend or remove the files, or raise the share",
    )
