"""What the StreamingEvaluator leaves in its evaluation's folder."""

import json
import os
from collections.abc import Sequence
from typing import Any

from absl import logging
from tfx.dsl.io import fileio

from components.streaming_evaluator.last import CASCADE_FILE, DETECTOR_FILE, EVALUATION_FILE
from kws.detection.cascade_report import CascadeFigures
from kws.detection.evaluate import StreamingReport
from kws.detection.operating_point import OperatingPoint
from kws.detection.params import CascadeParams
from kws.detection.sensitivities import Sensitivities
from kws.gates import Gate
from kws.report import det, tables
from kws.runtime import load
from kws.splits import EVAL, TEST


def write(
    uri: str,
    point: OperatingPoint,
    reports: dict[str, StreamingReport],
    gates: Sequence[Gate],
    extra: dict[str, Any],
    sensitivities: Sensitivities | None = None,
) -> None:
    """Writes all files.

    Args:
      uri: the folder.
      point: chosen on the eval streams.
      reports: by split, at that point.
      gates: that were held.
      extra: further sections of `evaluation.json`: `cascade`, `against_last`.
      sensitivities: with their errors on both splits.
    """
    report: dict[str, Any] = {"operating_point": point.to_dict()}
    report |= {split: reports[split].to_dict() for split in (TEST, EVAL)}
    report |= extra
    if sensitivities is not None:
        report["sensitivities"] = sensitivities.to_dict()
    text = tables.to_text(tables.streaming_table(report[TEST]))
    conditions = tables.conditions_table(report[TEST])
    if conditions is not None:
        text += "\n" + tables.to_text(conditions)
    text += f"\n{point.reason}\n"
    if sensitivities is not None:
        text += "\n" + tables.to_text(tables.sensitivities_table(report["sensitivities"]))
    text += "".join(f"{caveat}\n" for caveat in report[TEST]["caveats"])
    if "cascade" in extra:
        text += f"{extra['cascade']['summary']}\n"
    text += "\n" + tables.to_text(tables.gates_table(gates))
    logging.info("StreamingEvaluator, test streams:\n%s", text)
    files = {
        EVALUATION_FILE: json.dumps(report, indent=2, allow_nan=False),
        "detections.jsonl": "\n".join(json.dumps(row) for row in reports[TEST].events()),
        DETECTOR_FILE: point.detector.to_json(),
        "det.json": json.dumps([p.to_dict() for p in point.det], indent=2, allow_nan=False),
        "report.txt": text.rstrip("\n"),
    }
    if "cascade" in extra:
        files[CASCADE_FILE] = json.dumps(extra["cascade"]["params"])
    for name, content in files.items():
        with fileio.open(os.path.join(uri, name), "w") as file:
            file.write(content + "\n")
    with fileio.open(os.path.join(uri, "det.png"), "wb") as file:
        file.write(det.picture(reports[TEST], "Test streams", sensitivities))


def cascade(
    params: CascadeParams,
    cost: CascadeFigures,
    tried: Sequence[CascadeFigures],
    alone: StreamingReport,
) -> dict[str, Any]:
    """The section `cascade`.

    Args:
      params: of the cascade.
      cost: on the test streams.
      tried: on the eval streams, at other thresholds of the first stage too.
      alone: the second stage without the first, on the test streams, at the same detector.
    """
    return {
        "summary": cost.sentence(),
        "first_stage": load.stage_identity(params.first_stage),
        "params": params.model_dump(),
        "test": cost.to_dict(),
        "thresholds_tried_on_eval": [figures.to_dict() for figures in tried],
        "second_stage_alone_on_test": alone.total.to_dict(),
    }
