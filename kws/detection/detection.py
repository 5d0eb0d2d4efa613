"""Detection: one keyword reported; and what every rule of detection is asked for."""

import dataclasses
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from kws import labels as kws_labels


@dataclasses.dataclass(frozen=True, kw_only=True)
class Detection:
    """One keyword reported.

    Attributes:
      label: the keyword.
      score: its averaged posterior when it fired.
      start_ms: time of the oldest row in that average.
      end_ms: time of the row with which it fired: when a device would act.
    """

    label: str
    score: float
    start_ms: int
    end_ms: int


class RowRule(Protocol):
    """A rule, one row of posteriors at a time, as a device runs it."""

    def step(self, time_ms: int, posteriors: np.ndarray) -> Detection | None:
        """Takes the posteriors `[labels]` of one time; times must rise."""


class SmoothedStream(Protocol):
    """A rule for a whole stream, smoothed once for every threshold."""

    @property
    def times_ms(self) -> np.ndarray:
        """int64 `[n]` of the rows."""

    @property
    def keyword_scores(self) -> np.ndarray:
        """float64 `[n, keywords]`: what is held against the threshold, as if nothing had fired;
        -inf where nothing can fire yet."""

    def fire(self, threshold: float) -> list[Detection]:
        """All detections at one threshold, in time; costs little, so that a sweep can repeat it."""


def keyword_indices(labels: Sequence[str]) -> list[int]:
    """Where the keywords stand in the model's outputs.

    Raises:
      ValueError: there is no keyword among the labels.
    """
    indices = [i for i, label in enumerate(labels) if label not in kws_labels.RESERVED]
    if not indices:
        raise ValueError(f"labels={list(labels)} hold no keyword: nothing could ever fire")
    return indices


def rising(times_ms: np.ndarray) -> np.ndarray:
    """int64 `[n]`; raises ValueError where a time is not later than the one before."""
    times = np.asarray(times_ms, np.int64)
    if np.any(np.diff(times) <= 0):
        raise ValueError("times_ms do not rise: each row needs a later time than the one before")
    return times


def following(time_ms: int, previous_ms: int | None) -> int:
    """The time; raises ValueError if it is not later than the previous one."""
    if previous_ms is not None and time_ms <= previous_ms:
        raise ValueError(f"time_ms={time_ms} does not follow {previous_ms}: times rise")
    return int(time_ms)
