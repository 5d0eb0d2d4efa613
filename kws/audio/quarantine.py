"""Quarantine: the files that were not used because something is wrong with them, and why."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from kws.errors import KwsError

QUARANTINE_FILE = "quarantine.jsonl"
EXAMPLES = 3
"""Names that an error message shows of each reason."""


class Quarantined(NamedTuple):
    """One file.

    Attributes:
      path: inside the corpus.
      reason: one of `kws.audio.container.Unreadable`'s, of `kws.audio.layout.Layout.misplaced`'s,
        or of `kws.audio.duplicates.Distinct.quarantine`'s.
      detail: the figures.
    """

    path: str
    reason: str
    detail: str


def to_jsonl(quarantine: Iterable[Quarantined]) -> str:
    """One JSON object a line, with path, reason and detail."""
    return "".join(json.dumps(q._asdict(), ensure_ascii=False) + "\n" for q in quarantine)


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
