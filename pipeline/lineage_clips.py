"""The clips behind a bundle, one line each, read from the audio examples of its run."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kws import storage
from kws.audio import clip_digest
from kws.audio.clip_digest import ClipDigest, ClipName
from kws.errors import KwsError
from kws.micro import feature_reader
from kws.splits import SPLITS
from pipeline.lineage import Check

SUFFIXES = (".csv", ".jsonl")


def write(examples: Path, file: Path) -> dict[str, ClipDigest]:
    """Lists every clip, and adds up its split's digest.

    Args:
      examples: folder of the audio examples.
      file: `.csv` or `.jsonl`; it appears whole or not at all.

    Raises:
      KwsError: another suffix, or the examples are gone.
    """
    if file.suffix not in SUFFIXES:
        raise KwsError(f"{file}: the list of clips is {' or '.join(SUFFIXES)}")
    if not examples.is_dir():
        raise KwsError(
            f"{examples}: the audio examples are gone",
            hint="run the same pipeline again: what is missing is made anew",
        )
    digests: dict[str, ClipDigest] = {split: ClipDigest() for split in SPLITS}
    with (
        storage.atomic_file(file) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as out,
    ):
        table = csv.writer(out)
        if file.suffix == ".csv":
            table.writerow([*ClipName._fields, "split"])
        for split, clip in _clips(examples):
            digests[split].add(clip)
            if file.suffix == ".csv":
                table.writerow([*clip, split])
            else:
                line = json.dumps({**clip._asdict(), "split": split}, ensure_ascii=False)
                out.write(line + "\n")
    return digests


def check(told: dict[str, Any] | None, digests: dict[str, ClipDigest]) -> list[Check]:
    """Holds the clips that are there against the digests in the bundle."""
    said = ((told or {}).get("data") or {}).get("digests") or {}
    return [
        Check(
            f"every clip of {split}",
            said[split] == digest.to_dict(),
            f"{digest.clips:,} clips, digest {digest.to_dict()['digest'][:12]}"
            + ("" if said[split] == digest.to_dict() else f", not {said[split]['digest'][:12]}"),
        )
        for split, digest in digests.items()
        if split in said
    ]


def _clips(examples: Path) -> Iterator[tuple[str, ClipName]]:
    for split in SPLITS:
        for serialized in feature_reader.records(examples / f"Split-{split}"):
            yield split, clip_digest.name_of(serialized)
