"""What a run knows of its corpus: figures by split, label and source, drift and skew."""

import json
from pathlib import Path
from typing import Any

from kws.corpus import quarantine
from kws.corpus.quarantine import NOTES_FILE
from kws.errors import KwsError
from kws.report import data_statistics
from kws.splits import SPLITS
from pipeline import metadata_store
from pipeline.runs import results

STATISTICS_FILE = "FeatureStats.pb"
"""The name that TFX's StatisticsGen gives."""


def newest_metadata(folder: Path) -> Path:
    """The metadata of a run's folder, or of the run below a folder of runs that is the newest:
    a place for `pipeline.metadata_store.store`.

    Raises:
      KwsError: there is none.
    """
    own = metadata_store.find(folder)
    if own is not None:
        return own
    below = [metadata_store.find(child) for child in folder.glob("*/")]
    there = [place for place in below if place is not None]
    if not there:
        raise KwsError(f"{folder}: no run has been here", hint="give the folder of a run")
    return max(there, key=lambda path: path.stat().st_mtime)


def figures(run: results.Run) -> dict[str, data_statistics.Table]:
    """The figures of each split, read from the statistics.

    Raises:
      KwsError: the run has not come so far.
    """
    folder = run.step("StatisticsGen").folder("statistics")
    files = {split: folder / f"Split-{split}" / STATISTICS_FILE for split in SPLITS}
    there = {split: file for split, file in files.items() if file.is_file()}
    if not there:
        raise KwsError(
            f"the statistics of run {run.run_id} are gone from {folder}",
            hint="run the same pipeline again (kws run): what is missing is made anew",
        )
    return {split: data_statistics.read(file.read_bytes()) for split, file in there.items()}


def shifts(run: results.Run) -> dict[str, list[dict[str, Any]]]:
    """Every distance of `drift` and `skew` that was measured; none where validation failed."""
    measured: dict[str, list[dict[str, Any]]] = {"drift": [], "skew": []}
    for step in run.steps:
        if step.name == "StrictExampleValidator" and step.outputs.get("anomalies"):
            for kind in measured:
                measured[kind] = json.loads(str(step.custom_property("anomalies", kind) or "[]"))
    return measured


def notes(run: results.Run) -> dict[str, int]:
    """How many files were used with each note; none where an older version noted nothing."""
    return dict(
        json.loads(str(run.step("AudioExampleGen").custom_property("examples", "notes") or "{}"))
    )


def note_sentences(run: results.Run) -> list[str]:
    """The notes in words, with the names of some files."""
    counts = notes(run)
    if not counts:
        return []
    path = run.step("AudioExampleGen").folder("examples") / NOTES_FILE
    lines = path.read_text().splitlines() if path.is_file() else []
    said = quarantine.note_sentences(counts, (json.loads(line) for line in lines if line))
    return [f"{sentence}, see {path}" for sentence in said]


def sentences(run: results.Run, only: str = "") -> list[tuple[str, bool]]:
    """Every distance in words, and whether it is above its limit; of one kind alone if asked."""
    said = []
    for kind, measured in shifts(run).items():
        if only not in ("", kind):
            continue
        for shift in measured:
            above = shift["distance"] > shift["limit"]
            limit = f"above the limit of {shift['limit']:g}" if above else "within the limit"
            text = f"{kind}: {shift['what']}: {shift['feature']}: {shift['distance']:.3f}, {limit}"
            said.append((text, above))
    return said
