"""What a finished run kept of its streams: posteriors, ground truth, settings."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from kws.detection.params import DetectorParams, MatchParams
from kws.detection.posteriors import StreamPosteriors
from kws.errors import KwsError
from kws.scenes.ground_truth import GroundTruth
from kws.splits import EVAL, TEST, Split


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kept:
    """The newest evaluation of a run.

    Attributes:
      streams: folder of the streams, a folder `Split-<split>` each.
      heard: the posteriors of the eval and of the test streams.
      labels: of the model's outputs.
      detector, match: as the run used them.
    """

    streams: Path
    heard: dict[Split, list[StreamPosteriors]]
    labels: list[str]
    detector: DetectorParams
    match: MatchParams


def of_run(run: Path) -> Kept:
    """Reads the newest evaluation in a run's folder.

    Raises:
      KwsError: the folder holds no evaluation of streams.
    """
    evaluation = newest(run / "artifacts/StreamingEvaluator/evaluation")
    streams = newest(run / "artifacts/AudioSynthesizer/streams")
    report = json.loads((evaluation / "evaluation.json").read_text())[TEST]
    return Kept(
        streams=streams,
        heard={split: list(_read(evaluation, streams, split)) for split in (EVAL, TEST)},
        labels=["_silence_", "_unknown_", *report["per_keyword"]],
        detector=DetectorParams(**report["detector"]),
        match=MatchParams(**report["match"]),
    )


def newest(folder: Path) -> Path:
    """The highest of a component's numbered outputs.

    Raises:
      KwsError: there is none.
    """
    versions = [path for path in folder.glob("*") if path.name.isdecimal()]
    if not versions:
        raise KwsError(
            f"{folder} holds no output of a run", hint="give the folder of a finished run"
        )
    return max(versions, key=lambda version: int(version.name))


def _read(evaluation: Path, streams: Path, split: Split) -> Iterator[StreamPosteriors]:
    for path in sorted((evaluation / "posteriors" / f"Split-{split}").glob("*.npz")):
        stored = np.load(path)
        truth = (streams / f"Split-{split}" / f"{path.stem}.json").read_text()
        yield StreamPosteriors(
            truth=GroundTruth.from_json(truth),
            times_ms=stored["times_ms"],
            posteriors=stored["posteriors"],
        )
