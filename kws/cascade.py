"""Two pushed bundles as a cascade on recordings: what it costs, and what is lost, before a run."""

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from kws.audio.read import Unreadable, read
from kws.corpus.inspect import FileReport
from kws.corpus.source_yield import MAX_LOSS, yield_of_recordings
from kws.detect import LONGEST_MS
from kws.detection.cascade import check, hear, listen
from kws.detection.cascade_report import SWEEP, CascadeFigures, FirstHeard, cascade_figures
from kws.detection.detector import Detection, detect
from kws.detection.params import MatchParams
from kws.runtime import load
from kws.scenes.ground_truth import GroundTruth


@dataclasses.dataclass(frozen=True, kw_only=True)
class HeardByBoth:
    """One recording.

    Attributes:
      path: of the recording.
      awake: share of it in which the second stage ran.
      detections: of the cascade.
      alone: of the second stage without the first.
    """

    path: Path
    awake: float
    detections: list[Detection]
    alone: list[Detection]


@dataclasses.dataclass(frozen=True, kw_only=True)
class CascadeTrial:
    """Some recordings.

    Attributes:
      heard: each of them that can be read.
      unreadable: file -> why it cannot be read.
      cost: over all, at the threshold asked for.
      tried: over all, at other thresholds of the first stage too.
    """

    heard: list[HeardByBoth]
    unreadable: dict[str, str]
    cost: CascadeFigures
    tried: list[CascadeFigures]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "recordings": [
                {
                    "file": str(one.path),
                    "awake": one.awake,
                    "detections": [dataclasses.asdict(found) for found in one.detections],
                    "second_stage_alone": [dataclasses.asdict(found) for found in one.alone],
                }
                for one in self.heard
            ],
            "unreadable": self.unreadable,
            "cost": self.cost.to_dict(),
            "thresholds_tried": [figures.to_dict() for figures in self.tried],
        }


def try_cascade(
    first_bundle: str | Path,
    second_bundle: str | Path,
    recordings: Iterable[Path],
    *,
    threshold: float,
    hold_ms: int,
) -> CascadeTrial:
    """Runs both bundles over recordings, each a stream of its own.

    Args:
      first_bundle: one version, or a folder of versions.
      second_bundle: likewise.
      recordings: of any format and rate.
      threshold: see `kws.detection.params.CascadeParams`.
      hold_ms: see `kws.detection.params.CascadeParams`.

    Raises:
      KwsError: no bundle, two that cannot be a cascade, or most minutes cannot be read.
    """
    first, second = load.stage_of_bundle(first_bundle), load.stage_of_bundle(second_bundle)
    check(first, second, hold_ms)
    sample_rate = second.params.sample_rate
    heard, rows, reports = [], [], []
    for path in recordings:
        try:
            audio = read(path, sample_rate, max_duration_ms=LONGEST_MS).audio
        except Unreadable as error:
            size_bytes = path.stat().st_size if path.exists() else 0
            reports.append(
                FileReport(str(path), 0, b"", error.reason, error.detail, size_bytes=size_bytes)
            )
            continue
        duration_ms = len(audio) * 1000 // sample_rate
        reports.append(FileReport(str(path), duration_ms, size_bytes=path.stat().st_size))
        features = second.frontend.compute(audio)
        both = hear(first, second, features, threshold=threshold, hold_ms=hold_ms)
        alone = listen(second, features, np.ones(len(features), bool))
        found, without = (
            detect(times_ms, posteriors, second.detector, second.model.labels)
            for times_ms, posteriors in ((both.times_ms, both.posteriors), alone)
        )
        share = float(both.awake.mean()) if len(both.awake) else 0.0
        heard.append(HeardByBoth(path=path, awake=share, detections=found, alone=without))
        truth = GroundTruth(
            stream_id=str(path),
            kind="negatives",
            duration_ms=duration_ms,
            sample_rate=sample_rate,
            words=(),
        )
        rows.append(FirstHeard(truth=truth, frames=len(features), first=both.first))
    yield_of_recordings(reports).refuse_loss("the recordings", MAX_LOSS, "minutes")
    tried = [
        cascade_figures(rows, first, second, threshold=one, hold_ms=hold_ms, match=MatchParams())
        for one in sorted({threshold, *SWEEP})
    ]
    (cost,) = (figures for figures in tried if figures.threshold == threshold)
    unreadable = {one.name: f"{one.reason}: {one.detail}" for one in reports if one.reason}
    return CascadeTrial(heard=heard, unreadable=unreadable, cost=cost, tried=tried)
