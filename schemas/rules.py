"""What a schema proto cannot say: bounds on the labels' counts and on the clips of one label.

TFDV checks them as custom validations: SQL over the statistics, whose slices by label
(`components/statistics/options.py`) hold the figures of one label's clips.
"""

import dataclasses
from collections.abc import Sequence

from kws.corpus.params import ValidationParams
from kws.splits import Split

LABEL = "label"
MIN_KEYWORD_RMS_DBFS, MAX_KEYWORD_SILENCE_RATIO = -80.0, 0.99
"""A keyword's clip that is quieter, or that has more silence, holds no word."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rule:
    """One custom validation.

    Attributes:
      feature: whose statistics it reads.
      sql: true if the rule holds; `feature` is the statistics proto of the feature.
      description: what is wrong if it does not hold.
      label: the label of the clips that it looks at; None: all clips.
      low, high: what a single clip must keep; None where the rule is about numbers of clips.
    """

    feature: str
    sql: str
    description: str
    label: str | None = None
    low: float | None = None
    high: float | None = None


def rules(keywords: Sequence[str], params: ValidationParams, split: Split) -> list[Rule]:
    """The rules for the statistics of one split."""
    made = [_enough(word, params.min_clips_per_keyword.of(split)) for word in keywords]
    if params.max_class_imbalance is not None and len(keywords) > 1:
        made.append(_balanced(keywords, params.max_class_imbalance))
    for word in keywords:
        made.append(_loud_enough(word, MIN_KEYWORD_RMS_DBFS))
        made.append(_not_silent(word, MAX_KEYWORD_SILENCE_RATIO))
    return made


def _enough(word: str, least: int) -> Rule:
    return Rule(
        feature=LABEL,
        # A label without clips is not in the histogram: 0 is less than any `least` but 0.
        sql=f"IFNULL((SELECT MAX(b.sample_count) {_buckets([word])}), 0) >= {least}",
        description=f"fewer than {least} clips of {word!r}",
    )


def _balanced(keywords: Sequence[str], most: float) -> Rule:
    return Rule(
        feature=LABEL,
        sql=f"IFNULL((SELECT MAX(b.sample_count) <= {most:g} * MIN(b.sample_count) "
        f"{_buckets(keywords)}), true)",
        description=f"the most frequent keyword has over {most:g} times the clips of the least",
    )


def _loud_enough(word: str, low: float) -> Rule:
    return Rule(
        feature="rms_dbfs",
        sql=f"feature.num_stats.min >= {low:g}",
        description=f"clips of {word!r} below {low:g} dBFS",
        label=word,
        low=low,
    )


def _not_silent(word: str, high: float) -> Rule:
    return Rule(
        feature="silence_ratio",
        sql=f"feature.num_stats.max <= {high:g}",
        description=f"clips of {word!r} with a share of silence above {high:g}",
        label=word,
        high=high,
    )


def _buckets(labels: Sequence[str]) -> str:
    """The labels' buckets of a string feature's histogram, which is exact for so few values."""
    names = ", ".join(_quoted(label) for label in labels)
    return (
        f"FROM UNNEST(feature.string_stats.rank_histogram.buckets) AS b WHERE b.label IN ({names})"
    )


def _quoted(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
