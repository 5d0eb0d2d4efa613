"""Figures of a corpus, by split, label and source, from the statistics that TFDV has computed."""

import dataclasses
from collections.abc import Iterable
from typing import Any

SLICED_BY = ("label", "source")
"""Features whose values have statistics of their own."""
ALL = "all"
WHOLE = "All Examples"
"""What TFDV calls the statistics of all clips where there are others."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Figures:
    """A group of clips in numbers; the means are over clips, 0 where there are none.

    Attributes:
      clips: how many.
      minutes: their length.
      rms_dbfs: mean level.
      clipped_ratio: mean share of clipped samples.
      silence_ratio: mean share of silence.
    """

    clips: int = 0
    minutes: float = 0.0
    rms_dbfs: float = 0.0
    clipped_ratio: float = 0.0
    silence_ratio: float = 0.0

    def to_dict(self) -> dict[str, float]:
        return dataclasses.asdict(self)


Table = dict[str, dict[str, Figures]]
"""Figures by `label`, `source` or `all`, and by value (for `all` the one value `all`)."""


def read(statistics: bytes) -> Table:
    """The figures of one split.

    Args:
      statistics: a serialized DatasetFeatureStatisticsList (`FeatureStats.pb`). Statistics that
        are not sliced give `all` only.
    """
    from tensorflow_metadata.proto.v0 import statistics_pb2

    table: Table = {group: {} for group in (ALL, *SLICED_BY)}
    for dataset in statistics_pb2.DatasetFeatureStatisticsList.FromString(statistics).datasets:
        figures = _figures(dataset)
        if dataset.name in ("", WHOLE):
            table[ALL][ALL] = figures
            continue
        # The slice `label__unknown_` is that of the feature `label` and the value `_unknown_`.
        group = next((by for by in SLICED_BY if dataset.name.startswith(f"{by}_")), None)
        if group is not None:
            table[group][dataset.name[len(group) + 1 :]] = figures
    return table


def label_counts(statistics: Any) -> dict[str, int]:
    """Clips by label, from a DatasetFeatureStatisticsList; the most frequent first."""
    for dataset in statistics.datasets:
        if dataset.name in ("", WHOLE):
            for feature in dataset.features:
                if list(feature.path.step) == ["label"]:
                    buckets = feature.string_stats.rank_histogram.buckets
                    return {bucket.label: round(bucket.sample_count) for bucket in buckets}
    return {}


def combined(parts: Iterable[Figures]) -> Figures:
    """The figures of several groups taken together, such as one label in all splits."""
    parts = list(parts)
    clips = sum(part.clips for part in parts)
    if not clips:
        return Figures()

    def mean(name: str) -> float:
        return sum(getattr(part, name) * part.clips for part in parts) / clips

    return Figures(
        clips=clips,
        minutes=sum(part.minutes for part in parts),
        rms_dbfs=mean("rms_dbfs"),
        clipped_ratio=mean("clipped_ratio"),
        silence_ratio=mean("silence_ratio"),
    )


def _figures(dataset: Any) -> Figures:
    """From one DatasetFeatureStatistics."""
    means = {f.path.step[-1]: f.num_stats.mean for f in dataset.features if f.HasField("num_stats")}
    clips = int(dataset.num_examples)
    return Figures(
        clips=clips,
        minutes=clips * means.get("duration_ms", 0.0) / 60_000,
        rms_dbfs=means.get("rms_dbfs", 0.0),
        clipped_ratio=means.get("clipped_ratio", 0.0),
        silence_ratio=means.get("silence_ratio", 0.0),
    )
