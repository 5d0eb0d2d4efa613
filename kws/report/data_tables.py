"""Tables of a corpus: how much there is of what, how loud, how clipped, how silent."""

from collections.abc import Mapping

from rich.table import Table

from kws.report import data_statistics
from kws.report.data_statistics import ALL, SLICED_BY, Figures, combined
from kws.splits import SPLITS

MEASURES = ("minutes", "level dBFS", "clipped", "silence")


def corpus_tables(splits: Mapping[str, data_statistics.Table]) -> list[Table]:
    """One table by split, one by label, one by source; the means are over clips.

    Args:
      splits: the figures of each split.
    """
    by_split = _table("split", "clips")
    wholes = {split: splits[split][ALL].get(ALL, Figures()) for split in SPLITS if split in splits}
    for split, figures in wholes.items():
        by_split.add_row(split, f"{figures.clips:,}", *_measures(figures))
    by_split.add_section()
    whole = combined(wholes.values())
    by_split.add_row("all", f"{whole.clips:,}", *_measures(whole), style="bold")
    # Statistics that are not sliced, as of a run before slices, say nothing of labels and sources.
    groups = [group for group in SLICED_BY if any(split[group] for split in splits.values())]
    return [by_split, *(_by(group, splits) for group in groups)]


def _by(group: str, splits: Mapping[str, data_statistics.Table]) -> Table:
    table = _table(group, *SPLITS)
    for value in sorted({value for split in splits.values() for value in split[group]}):
        parts = [splits[s][group].get(value, Figures()) if s in splits else None for s in SPLITS]
        clips = [f"{part.clips:,}" if part is not None else "-" for part in parts]
        together = combined(part for part in parts if part is not None)
        table.add_row(value, *clips, *_measures(together))
    return table


def _table(first: str, *counts: str) -> Table:
    table = Table(title=f"By {first}")
    table.add_column(first, overflow="fold")
    for name in (*counts, *MEASURES):
        table.add_column(name, justify="right")
    return table


def _measures(figures: Figures) -> list[str]:
    if not figures.clips:
        return ["-"] * len(MEASURES)
    return [
        f"{figures.minutes:.1f}",
        f"{figures.rms_dbfs:.1f}",
        f"{figures.clipped_ratio:.3%}",
        f"{figures.silence_ratio:.0%}",
    ]
