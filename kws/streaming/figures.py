"""Figures: the errors of a spotter on streams, counted, with their bounds."""

import collections
import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kws.streaming.match import FalseAccept, Outcome
from kws.streaming.rates import HourlyRate, Share, hourly_rate, share

KINDS = ("words", "negatives")
"""Of streams: words over background, and long recordings in which no keyword is said."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Figures:
    """Errors over some streams, of one keyword or of all.

    Attributes:
      words: keywords said.
      hits: detected as what they were.
      wrong_words: another keyword was detected instead; a part of the misses.
      misses: not detected as what they were: words - hits.
      false_accepts: detections of what was not said, wrong words among them.
      false_accepts_by_cause: see `kws.streaming.match.FalseAccept`.
      miss_rate, wrong_word_rate: of the words.
      false_accepts_per_hour: over all hours, those with words and those without.
      false_accepts_per_hour_by_kind: over the streams of each kind; negatives are the ones to
        compare with other spotters, for words streams say far more words an hour than people do.
      latency_ms_median, latency_ms_p95: of the hits, from the word's end to the detection
        (negative: before its end); NaN without a hit.
    """

    words: int
    hits: int
    wrong_words: int
    misses: int
    false_accepts: int
    false_accepts_by_cause: dict[str, int]
    miss_rate: Share
    wrong_word_rate: Share
    false_accepts_per_hour: HourlyRate
    false_accepts_per_hour_by_kind: dict[str, HourlyRate]
    latency_ms_median: float
    latency_ms_p95: float

    def to_dict(self) -> dict[str, Any]:
        """For JSON; NaN becomes None."""
        values: dict[str, Any] = {
            field.name: getattr(self, field.name) for field in dataclasses.fields(self)
        }
        for name, value in values.items():
            if isinstance(value, Share | HourlyRate):
                values[name] = value.to_dict()
            elif isinstance(value, float) and math.isnan(value):
                values[name] = None
        values["false_accepts_per_hour_by_kind"] = {
            kind: rate.to_dict() for kind, rate in self.false_accepts_per_hour_by_kind.items()
        }
        return values


def count(
    outcomes: Sequence[Outcome],
    accepts: Mapping[str, Sequence[FalseAccept]],
    hours: Mapping[str, float],
) -> Figures:
    """Counts outcomes, and false accepts and hours by kind of stream."""
    kinds = collections.Counter(outcome.kind for outcome in outcomes)
    causes = collections.Counter(accept.cause for some in accepts.values() for accept in some)
    latencies = [outcome.latency_ms for outcome in outcomes if outcome.latency_ms is not None]
    words = len(outcomes)
    false_accepts = sum(causes.values())
    return Figures(
        words=words,
        hits=kinds["hit"],
        wrong_words=kinds["wrong_word"],
        misses=words - kinds["hit"],
        false_accepts=false_accepts,
        false_accepts_by_cause={
            cause: causes[cause] for cause in ("wrong_word", "repeat", "unknown_word", "background")
        },
        miss_rate=share(words - kinds["hit"], words),
        wrong_word_rate=share(kinds["wrong_word"], words),
        false_accepts_per_hour=hourly_rate(false_accepts, sum(hours.values())),
        false_accepts_per_hour_by_kind={
            kind: hourly_rate(len(some), hours[kind]) for kind, some in accepts.items()
        },
        latency_ms_median=float(np.median(latencies)) if latencies else math.nan,
        latency_ms_p95=float(np.percentile(latencies, 95)) if latencies else math.nan,
    )
