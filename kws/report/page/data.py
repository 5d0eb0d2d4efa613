"""What it learned from and was judged on: counts, durations, levels, drift, quarantine."""

from collections.abc import Mapping
from typing import Any

from kws.report.data_statistics import ALL, Figures, Table
from kws.report.page.facts import Facts
from kws.report.page.html import Html, join, more, note, table, tag
from kws.report.page.section import ABSENT, Section, number, percent

MOST_QUARANTINED = 50
"""Files in quarantine that are named."""


def section(facts: Facts) -> Section:
    parts = [
        _counts(facts.ingest),
        *_levels(facts.figures),
        tag("h3", "Drift and skew"),
        _shifts(facts.shifts),
        tag("h3", "Quarantine"),
        _quarantine(facts),
    ]
    return Section(key="data", title="Data", body=join(parts))


def _counts(ingest: Mapping[str, Any]) -> Html:
    clips = ingest.get("clips", {})
    splits = list(clips)
    labels = list(dict.fromkeys(label for counts in clips.values() for label in counts))
    rows = [
        [tag("span", label, class_="mono"), *(f"{clips[s].get(label, 0):,}" for s in splits)]
        for label in labels
    ]
    rows.append(["clips", *(f"{sum(clips[s].values()):,}" for s in splits)])
    # Not every version has counted these.
    if seconds := ingest.get("seconds"):
        rows.append(["minutes", *(number(seconds[split] / 60, 1) for split in splits)])
    if speakers := ingest.get("speakers"):
        rows.append(["speakers", *(f"{speakers[split]:,}" for split in splits)])
    return table("Clips as they were ingested", ["", *splits], rows)


def _levels(figures: Mapping[str, Table]) -> list[Html]:
    """Of TFDV's statistics: the whole, and each label and source folded away."""
    header = ["", "split", "clips", "minutes", "level", "clipped", "silence"]
    whole: list[list[object]] = []
    parts: list[list[object]] = []
    for split, groups in figures.items():
        for group, values in groups.items():
            for value, found in values.items():
                into = whole if group == ALL else parts
                into.append([value if group != ALL else "all clips", split, *_cells(found)])
    tables = [table("Durations and levels", header, whole, numbers=2)] if whole else []
    if parts:
        folded = table("Durations and levels by label and source", header, parts, numbers=2)
        tables.append(more("Levels by label and source", folded))
    return tables


def _cells(found: Figures) -> list[str]:
    return [
        f"{found.clips:,}",
        number(found.minutes, 1),
        f"{found.rms_dbfs:.1f} dBFS",
        percent(found.clipped_ratio, 2),
        percent(found.silence_ratio),
    ]


def _shifts(shifts: Mapping[str, list[dict[str, Any]]]) -> Html:
    rows = [
        [
            f"{kind}: {shift['what']}",
            tag("span", shift["feature"], class_="mono"),
            number(shift["distance"], 3),
            number(shift["limit"], 3),
            _above(shift["distance"] > shift["limit"]),
        ]
        for kind, measured in shifts.items()
        for shift in measured
    ]
    if not rows:
        return note("Nothing to compare with: no distance was measured.")
    header = ["between", "feature", "distance", "limit", ""]
    return table("Distances between distributions", header, rows, numbers=2)


def _above(above: bool) -> Html:
    return tag("span", "above" if above else "within", class_=f"pill {'bad' if above else 'good'}")


def _quarantine(facts: Facts) -> Html:
    ingest = facts.ingest
    count = ingest.get("quarantined", 0)
    noted = ingest.get("notes", {})
    odd = (
        table(
            "Used with a note", ["note", "files"], [[name, f"{n:,}"] for name, n in noted.items()]
        )
        if noted
        else None
    )
    if not count:
        return join([note(f"None of {ingest.get('files', 0):,} files."), odd])
    reasons = [[reason, f"{n:,}"] for reason, n in ingest["quarantine_reasons"].items()]
    named = facts.quarantine[:MOST_QUARANTINED]
    rows = [
        [tag("span", row["path"], class_="mono"), row["reason"], row["detail"] or ABSENT]
        for row in named
    ]
    return join(
        [
            note(f"{count:,} of {ingest['files']:,} files were not used."),
            table("Reasons", ["reason", "files"], reasons),
            more(
                f"The first {len(rows)} files",
                table("In quarantine", ["file", "reason", "detail"], rows, numbers=9),
            )
            if rows
            else None,
            odd,
        ]
    )
