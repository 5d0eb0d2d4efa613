"""StreamingEvaluator's executor: score by Beam, choose on eval, judge on test, bless or not."""

import io
import json
import os
from typing import Any

import apache_beam as beam
import numpy as np
from absl import logging
from tfx import types
from tfx.dsl.components.base import base_beam_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.streaming_evaluator.scoring import ScoreStreams, StreamJob
from kws import gates as kws_gates
from kws.errors import KwsError
from kws.report import tables
from kws.scenes.ground_truth import GroundTruth
from kws.splits import EVAL, TEST
from kws.streaming.evaluate import StreamingReport, StreamPosteriors, evaluate_streams
from kws.streaming.gates import streaming_gates
from kws.streaming.operating_point import OperatingPoint, choose_operating_point
from kws.streaming.params import StreamingParams

SPLITS_JUDGED = (EVAL, TEST)


class Executor(base_beam_executor.BaseBeamExecutor):
    """See `component.StreamingEvaluator`."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the evaluation and the blessing.

        Raises:
          KwsError: a split has no stream, or no threshold can be chosen on the eval streams.
        """
        params = StreamingParams.from_json(exec_properties["params"])
        model = artifact_utils.get_single_instance(input_dict["model"])
        streams = artifact_utils.get_single_instance(input_dict["streams"])
        evaluation = artifact_utils.get_single_instance(output_dict["evaluation"])
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])

        folder = path_utils.serving_model_path(model.uri)
        jobs = {
            split: _jobs(os.path.join(streams.uri, f"Split-{split}"), evaluation.uri, split)
            for split in SPLITS_JUDGED
        }
        with self._make_beam_pipeline() as pipeline:
            _ = (
                pipeline
                | "Streams" >> beam.Create([job for some in jobs.values() for job in some])
                | "ScoreStreams" >> ScoreStreams(folder, params.detector.clip_stride_ms)
            )
        labels = _read(os.path.join(folder, "labels.txt")).decode().splitlines()
        scored = {split: [_gather(job) for job in some] for split, some in jobs.items()}

        point = choose_operating_point(
            scored[EVAL], labels, params.detector, params.match, params.operating_point
        )
        logging.info("StreamingEvaluator: %s", point.reason)
        reports = {
            split: evaluate_streams(some, labels, point.detector, params.match)
            for split, some in scored.items()
        }
        gates = streaming_gates(reports[TEST], params.gates)
        _write_evaluation(evaluation.uri, point, reports, gates)
        _bless(blessing, gates)


def _jobs(split_uri: str, evaluation_uri: str, split: str) -> list[StreamJob]:
    found = fileio.listdir(split_uri) if fileio.isdir(split_uri) else []
    names = sorted(name for name in found if name.endswith(".wav"))
    if not names:
        raise KwsError(f"{split_uri} holds no stream", hint="expected <id>.wav beside <id>.json")
    target = os.path.join(evaluation_uri, "posteriors", f"Split-{split}")
    fileio.makedirs(target)
    return [
        StreamJob(
            wav=os.path.join(split_uri, name),
            npz=os.path.join(target, name.removesuffix(".wav") + ".npz"),
        )
        for name in names
    ]


def _gather(job: StreamJob) -> StreamPosteriors:
    truth = GroundTruth.from_json(_read(job.wav.removesuffix(".wav") + ".json"))
    stored = np.load(io.BytesIO(_read(job.npz)))
    return StreamPosteriors(
        truth=truth, times_ms=stored["times_ms"], posteriors=stored["posteriors"]
    )


def _write_evaluation(
    uri: str,
    point: OperatingPoint,
    reports: dict[str, StreamingReport],
    gates: list[kws_gates.Gate],
) -> None:
    report: dict[str, Any] = {"operating_point": point.to_dict()}
    report |= {split: reports[split].to_dict() for split in (TEST, EVAL)}
    text = tables.to_text(tables.streaming_table(report[TEST]))
    text += f"\n{point.reason}\n\n" + tables.to_text(tables.gates_table(gates))
    logging.info("StreamingEvaluator, test streams:\n%s", text)
    files = {
        "evaluation.json": json.dumps(report, indent=2, allow_nan=False),
        "detections.jsonl": "\n".join(json.dumps(row) for row in reports[TEST].events()),
        "detector.json": point.detector.to_json(),
        "det.json": json.dumps([p.to_dict() for p in point.det], indent=2, allow_nan=False),
        "report.txt": text.rstrip("\n"),
    }
    for name, content in files.items():
        with fileio.open(os.path.join(uri, name), "w") as file:
            file.write(content + "\n")


def _bless(blessing: types.Artifact, gates: list[kws_gates.Gate]) -> None:
    kws_gates.write_gates(blessing.uri, gates)
    verdict = kws_gates.verdict(gates)
    reasons = "; ".join(gate.sentence() for gate in gates if not gate.passed)
    blessing.set_int_custom_property("blessed", int(verdict == "blessed"))
    blessing.set_string_custom_property("reasons", reasons)
    logging.info("StreamingEvaluator: %s. %s", verdict, reasons)


def _read(path: str) -> bytes:
    with fileio.open(path, "rb") as file:
        return file.read()
