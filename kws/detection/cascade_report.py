"""What a cascade costs and what its first stage lets through, counted over streams."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kws.detection.cascade import FirstRows, Stage, awake_frames, frame_end_ms, spans
from kws.detection.params import CascadeParams, MatchParams
from kws.detection.rates import KINDS, Share, share
from kws.gates import Gate
from kws.labels import RESERVED

if TYPE_CHECKING:
    from kws.scenes.ground_truth import GroundTruth

SWEEP = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Thresholds of the first stage that are tried on the eval streams, for a person to choose from."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class FirstHeard:
    """A stream as the first stage heard it: enough to try other thresholds.

    Attributes:
      truth: what there was to hear.
      frames: of the stream.
      first: the first stage's rows.
    """

    truth: "GroundTruth"
    frames: int
    first: FirstRows


@dataclasses.dataclass(frozen=True, kw_only=True)
class CascadeFigures:
    """Over some streams, at one threshold of the first stage.

    Attributes:
      threshold: of the first stage.
      duty_cycle: share of the time in which the second stage was awake.
      duty_cycle_by_kind: in streams of words, which say far more than people do, and in negatives;
        NaN without any.
      wakes: how often it was woken.
      let_through: of the second stage's keywords, those that it was awake for at some moment from
        the word's beginning to the end of the time in which a detection is a hit.
      macs_per_second: of both stages together, on the average.
      first_macs_per_second: of the first alone, whatever there is to hear.
      second_alone_macs_per_second: what the second would take if it ran all the time.
    """

    threshold: float
    duty_cycle: float
    duty_cycle_by_kind: dict[str, float]
    wakes: int
    let_through: Share
    macs_per_second: float
    first_macs_per_second: float
    second_alone_macs_per_second: float

    def to_dict(self) -> dict[str, Any]:
        """For `evaluation.json`; NaN becomes None."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        values["let_through"] = self.let_through.to_dict()
        by_kind = self.duty_cycle_by_kind.items()
        values["duty_cycle_by_kind"] = {k: None if np.isnan(v) else v for k, v in by_kind}
        return {
            name: None if isinstance(value, float) and np.isnan(value) else value
            for name, value in values.items()
        }

    def sentence(self) -> str:
        """One line for a person."""
        through = f"; {self.let_through} words let through" if self.let_through.exposure else ""
        return (
            f"second stage awake {self.duty_cycle:.1%} of the time; "
            f"{self.macs_per_second / 1e6:.2f} M MACs/s, of which "
            f"{self.first_macs_per_second / 1e6:.2f} M are the first stage's (the second alone: "
            f"{self.second_alone_macs_per_second / 1e6:.2f} M){through}"
        )

    def gates(self, params: CascadeParams) -> list[Gate]:
        """One for each limit set."""
        kinds = ", ".join(f"{share:.1%} in {kind}" for kind, share in self._measured())
        rows = (
            ("duty_cycle", self.duty_cycle, params.max_duty_cycle, "", kinds),
            (
                "macs_per_second",
                self.macs_per_second,
                params.max_macs_per_second,
                "/s",
                f"{self.first_macs_per_second:,.0f} of the first stage; the second alone would "
                f"take {self.second_alone_macs_per_second:,.0f}",
            ),
        )
        return [
            Gate(
                name=f"streaming.cascade_{name}",
                value=value,
                limit=limit,
                at_most=True,
                unit=unit,
                detail=detail,
            )
            for name, value, limit, unit, detail in rows
            if limit is not None
        ]

    def _measured(self) -> list[tuple[str, float]]:
        return [(kind, part) for kind, part in self.duty_cycle_by_kind.items() if part == part]


def cascade_figures(
    heard: Sequence[FirstHeard],
    first: Stage,
    second: Stage,
    *,
    threshold: float,
    hold_ms: int,
    match: MatchParams,
) -> CascadeFigures:
    """Counts; no model is run.

    What the second stage does follows from what the first one says, so this holds for any
    threshold of the first stage, tried or not.
    """
    awake_by_kind, frames_by_kind = dict.fromkeys(KINDS, 0), dict.fromkeys(KINDS, 0)
    wakes = words = through = 0
    macs = {"first": 0, "second": 0, "alone": 0}
    for stream in heard:
        awake = awake_frames(
            first, stream.first, stream.frames, threshold=threshold, hold_ms=hold_ms
        )
        awake_by_kind[stream.truth.kind] += int(awake.sum())
        frames_by_kind[stream.truth.kind] += stream.frames
        wakes += sum(1 for _ in spans(awake))
        macs["first"] += first.macs * first.rows.always_on(stream.frames)
        macs["second"] += second.macs * second.rows.inferences(awake)
        macs["alone"] += second.macs * second.rows.always_on(stream.frames)
        ends_ms = frame_end_ms(np.arange(stream.frames), second.params)
        for word in stream.truth.words:
            if word.label not in RESERVED and word.label in second.model.labels:
                words += 1
                inside = (ends_ms >= word.start_ms) & (ends_ms <= word.end_ms + match.after_ms)
                through += bool(awake[inside].any())
    frames = sum(frames_by_kind.values())
    seconds = frames * second.params.window_stride_ms / 1000
    per_second = {name: total / seconds if seconds else np.nan for name, total in macs.items()}
    return CascadeFigures(
        threshold=threshold,
        duty_cycle=sum(awake_by_kind.values()) / frames if frames else np.nan,
        duty_cycle_by_kind={
            kind: awake_by_kind[kind] / count if count else np.nan
            for kind, count in frames_by_kind.items()
        },
        wakes=wakes,
        let_through=share(through, words),
        macs_per_second=per_second["first"] + per_second["second"],
        first_macs_per_second=per_second["first"],
        second_alone_macs_per_second=per_second["alone"],
    )
