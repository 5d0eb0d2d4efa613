"""The last blessed model on this run's test streams, and what the candidate is beside it."""

import dataclasses
import json
import os
from typing import Any

from tfx import types
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.inputs import without_empty
from components.streaming_evaluator import scoring as stored
from components.streaming_evaluator.cascade import CascadeSpec, HearStreams
from components.streaming_evaluator.scoring import ScoreStreams, StreamJob
from kws.bundle.destinations import bundle_folder
from kws.detection.compare import Comparison, Judged, compare, label_gate, shared_keywords
from kws.detection.params import CascadeParams, DetectorParams, MatchParams, StreamingGateParams
from kws.errors import KwsError
from kws.gates import Gate

DETECTOR_FILE = "detector.json"
EVALUATION_FILE = "evaluation.json"
CASCADE_FILE = "cascade.json"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Last:
    """The model in service before this one, as it was judged.

    Attributes:
      folder: with its int8 file and its own frontend.
      labels: of its outputs.
      detector: its own operating point.
      cascade: its first stage, if it was judged behind one.
      miss_rate: on the test streams that it was judged on; None where nothing says it.
    """

    folder: str
    labels: list[str]
    detector: DetectorParams
    cascade: CascadeParams | None
    miss_rate: float | None

    def scoring(self, runtime: str) -> ScoreStreams | HearStreams:
        """Runs it, as it was judged, over streams."""
        if self.cascade is None:
            return ScoreStreams(self.folder, self.detector.clip_stride_ms, runtime)
        return HearStreams(
            CascadeSpec(
                second_folder=self.folder,
                detector=self.detector,
                params=self.cascade,
                runtime=runtime,
            )
        )


def last_of(input_dict: dict[str, list[types.Artifact]]) -> Last | None:
    """The executor's optional inputs `last_model` and `last_evaluation`; None without them."""
    input_dict = without_empty(input_dict, "last_model", "last_evaluation")
    if not input_dict.get("last_model") or not input_dict.get("last_evaluation"):
        return None
    model = artifact_utils.get_single_instance(input_dict["last_model"])
    evaluation = artifact_utils.get_single_instance(input_dict["last_evaluation"])
    folder = path_utils.serving_model_path(model.uri)
    cascade = os.path.join(evaluation.uri, CASCADE_FILE)
    return Last(
        folder=folder,
        labels=stored.read_bytes(os.path.join(folder, "labels.txt")).decode().splitlines(),
        detector=DetectorParams.from_json(
            stored.read_bytes(os.path.join(evaluation.uri, DETECTOR_FILE)),
        ),
        cascade=CascadeParams.from_json(stored.read_bytes(cascade))
        if fileio.exists(cascade)
        else None,
        miss_rate=_miss_rate(os.path.join(evaluation.uri, EVALUATION_FILE)),
    )


def _miss_rate(file: str) -> float | None:
    if not fileio.exists(file):
        return None
    estimate = json.loads(stored.read_bytes(file))["test"]["total"]["miss_rate"]["estimate"]
    return None if estimate is None else float(estimate)


def why_not(last: Last, labels: list[str]) -> str:
    """Why it cannot be compared with a model of these labels; "" if it can."""
    if not shared_keywords(labels, last.labels):
        return f"it knows none of these keywords; its labels are {', '.join(last.labels)}"
    if last.cascade is not None:
        try:
            bundle_folder(last.cascade.first_stage)
        except KwsError as error:
            return f"its first stage is gone: {error.message}"
    return ""


def not_compared(why: str) -> Gate:
    """Stands where the comparison's gates would, and says why they do not."""
    return Gate(
        name="streaming.against_last",
        value=0,
        limit=0,
        at_most=True,
        detail=f"not compared with the last blessed model: {why}",
    )


def gates(comparison: Comparison, last: Last, params: StreamingGateParams) -> list[Gate]:
    """Of the comparison, and of the last model's own misses where that is asked."""
    found = comparison.gates()
    rise = params.max_miss_rate_rise_of_last
    if rise is not None and last.miss_rate is not None:
        found.append(label_gate(comparison, last.miss_rate, rise))
    return found


def compared(
    candidate: Judged, last: Last, jobs: list[StreamJob], match: MatchParams
) -> Comparison:
    """The comparison on streams that both have been run over."""
    heard = Judged(
        streams=[stored.gather(job) for job in jobs], labels=last.labels, detector=last.detector
    )
    return compare(candidate, heard, match)


def described(last: Last, comparison: Comparison | None, why: str) -> dict[str, Any]:
    """For `evaluation.json`."""
    about: dict[str, Any] = {"model": last.folder, "detector": last.detector.model_dump()}
    if comparison is None:
        return about | {"not_compared": why}
    return about | comparison.to_dict()
