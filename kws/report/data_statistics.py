"""TFDV's statistics of clips: the figures of a corpus, and every feature in detail.

TFDV's own page fetches Facets from the internet; all of its figures are in the proto. See
tensorflow_metadata/proto/v0/statistics.proto.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

SLICED_BY = ("label", "source")
"""Features whose values have statistics of their own."""
ALL = "all"
WHOLE = "All Examples"
"""What TFDV calls the statistics of all clips where there are others."""
STANDARD, QUANTILES = 0, 1
"""`Histogram.HistogramType`."""


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


@dataclasses.dataclass(frozen=True, kw_only=True)
class Numbers:
    """A feature of numbers in one dataset.

    Attributes:
      mean: of the values.
      std: standard deviation of the values.
      minimum: of the values.
      median: of the values.
      maximum: of the values.
      zeros: share of the values that are 0.
      histogram: (low, high, count), equally wide.
      quantiles: (low, high) with equally many values each.
    """

    mean: float
    std: float
    minimum: float
    median: float
    maximum: float
    zeros: float
    histogram: tuple[tuple[float, float, float], ...]
    quantiles: tuple[tuple[float, float], ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Words:
    """A feature of strings in one dataset.

    Attributes:
      unique: different values.
      mean_length: characters, or bytes.
      counts: value -> how often, the most frequent first.
    """

    unique: int
    mean_length: float
    counts: dict[str, float]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Column:
    """A feature in one dataset.

    Attributes:
      examples: of the dataset.
      present: examples that have the feature.
      values: what is known of the values.
    """

    examples: int
    present: int
    values: Numbers | Words | None


Features = dict[str, dict[str, Column]]
"""Feature -> dataset -> what it has of it."""


Table = dict[str, dict[str, Figures]]
"""Figures by `label`, `source` or `all`, and by value (for `all` the one value `all`)."""


def read(statistics: bytes) -> Table:
    """The figures of one split.

    Args:
      statistics: a serialized DatasetFeatureStatisticsList (`FeatureStats.pb`). Statistics that
        are not sliced give `all` only.
    """
    table: Table = {group: {} for group in (ALL, *SLICED_BY)}
    for dataset in _datasets(statistics):
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


def slices(statistics: bytes) -> list[str]:
    """The datasets of a `FeatureStats.pb`: the whole, then its slices by name."""
    names = [dataset.name for dataset in _datasets(statistics)]
    return sorted(names, key=lambda name: (name not in ("", WHOLE), name))


def features(statistics: Mapping[str, bytes], part: str | None = None) -> Features:
    """The features of some datasets; those of numbers first, then by name.

    Args:
      statistics: dataset, such as a split -> serialized DatasetFeatureStatisticsList.
      part: of `slices`; None: the whole. A dataset without it is left out.
    """
    found: Features = {}
    for name, content in statistics.items():
        for dataset in _datasets(content):
            if dataset.name == part or (part is None and dataset.name in ("", WHOLE)):
                for feature in dataset.features:
                    column = _column(feature, int(dataset.num_examples))
                    found.setdefault(".".join(feature.path.step), {})[name] = column

    def order(item: tuple[str, dict[str, Column]]) -> tuple[bool, str]:
        return not any(isinstance(c.values, Numbers) for c in item[1].values()), item[0]

    return dict(sorted(found.items(), key=order))


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


def _datasets(statistics: bytes) -> Any:
    from tensorflow_metadata.proto.v0 import statistics_pb2

    return statistics_pb2.DatasetFeatureStatisticsList.FromString(statistics).datasets


def _column(feature: Any, examples: int) -> Column:
    kind = feature.WhichOneof("stats")
    values: Numbers | Words | None = None
    common = feature.num_stats.common_stats
    if kind == "num_stats":
        values = _numbers(feature.num_stats)
    elif kind == "string_stats":
        common = feature.string_stats.common_stats
        values = _words(feature.string_stats)
    elif kind == "bytes_stats":
        common = feature.bytes_stats.common_stats
    return Column(examples=examples, present=int(common.num_non_missing), values=values)


def _numbers(stats: Any) -> Numbers:
    total = stats.common_stats.tot_num_values or stats.common_stats.num_non_missing
    by_type = {histogram.type: histogram.buckets for histogram in stats.histograms}
    return Numbers(
        mean=stats.mean,
        std=stats.std_dev,
        minimum=stats.min,
        median=stats.median,
        maximum=stats.max,
        zeros=stats.num_zeros / total if total else 0.0,
        histogram=tuple(
            (b.low_value, b.high_value, b.sample_count) for b in by_type.get(STANDARD, ())
        ),
        quantiles=tuple((b.low_value, b.high_value) for b in by_type.get(QUANTILES, ())),
    )


def _words(stats: Any) -> Words:
    counts = {bucket.label: bucket.sample_count for bucket in stats.rank_histogram.buckets}
    return Words(unique=int(stats.unique), mean_length=stats.avg_length, counts=counts)
