"""StreamingEvaluator's executor: score by Beam, choose on eval, judge on test, bless or not."""

import os
from typing import Any

import apache_beam as beam
from absl import logging
from tfx import types
from tfx.dsl.components.base import base_beam_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.blessing import bless
from components.streaming_evaluator import last as last_model
from components.streaming_evaluator import output
from components.streaming_evaluator.cascade import CascadeSpec, HearStreams, figures, sweep
from components.streaming_evaluator.scoring import ScoreStreams, StreamJob, gather, jobs, read_bytes
from kws.detection.compare import Judged
from kws.detection.evaluate import evaluate_streams
from kws.detection.gates import streaming_gates
from kws.detection.operating_point import choose_operating_point
from kws.detection.params import StreamingParams
from kws.detection.posteriors import StreamPosteriors
from kws.scenes.negatives import VARIED_FOLDER
from kws.splits import EVAL, TEST

SPLITS_JUDGED = (EVAL, TEST)
Jobs = dict[str, list[StreamJob]]


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
          KwsError: a split has no stream, no threshold can be chosen on the eval streams, or the
            first stage of the cascade does not go with the model.
        """
        params = StreamingParams.from_json(exec_properties["params"])
        model = artifact_utils.get_single_instance(input_dict["model"])
        streams = artifact_utils.get_single_instance(input_dict["streams"])
        evaluation = artifact_utils.get_single_instance(output_dict["evaluation"])
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])
        folder = path_utils.serving_model_path(model.uri)
        labels = read_bytes(os.path.join(folder, "labels.txt")).decode().splitlines()

        def jobs_of(kind: str, splits: tuple[str, ...] = SPLITS_JUDGED) -> Jobs:
            folders = {split: f"Split-{split}" for split in splits}
            if EVAL in splits and fileio.exists(os.path.join(streams.uri, VARIED_FOLDER)):
                folders[VARIED_FOLDER] = VARIED_FOLDER
            return {
                name: jobs(
                    os.path.join(streams.uri, folder), os.path.join(evaluation.uri, kind, folder)
                )
                for name, folder in folders.items()
            }

        alone = jobs_of("posteriors")
        work: list[tuple[str, Jobs, beam.PTransform]] = [
            ("Model", alone, ScoreStreams(folder, params.detector.clip_stride_ms, params.runtime))
        ]
        both = spec = None
        if params.cascade is not None:
            spec = CascadeSpec(
                second_folder=folder,
                detector=params.detector,
                params=params.cascade,
                runtime=params.runtime,
            )
            both = jobs_of("cascade")
            work.append(("Cascade", both, HearStreams(spec)))
        last = last_model.last_of(input_dict) if params.gates.against_last else None
        why_not = last_model.why_not(last, labels) if last is not None else ""
        before: Jobs = {}
        if last is not None and not why_not:
            before = jobs_of("last_blessed", (TEST,))
            work.append(("Last", before, last.scoring(params.runtime)))
        self._run(work)

        # What ships is judged: the model, or the model behind its first stage.
        judged = _gathered(both or alone)
        varied = judged.pop(VARIED_FOLDER, [])
        point = choose_operating_point(
            judged[EVAL], labels, params.detector, params.match, params.operating_point, varied
        )
        logging.info("StreamingEvaluator: %s", point.reason)
        reports = {
            split: evaluate_streams(some, labels, point.detector, params.match)
            for split, some in judged.items()
        }
        gates = streaming_gates(reports[TEST], params.gates)
        extra: dict[str, Any] = {}
        named = None
        if point.sensitivities is not None:
            named = point.sensitivities.measure(
                TEST, judged[TEST], labels, point.detector, params.match
            )
        if spec is not None and both is not None:
            stages, threshold = spec.stages(), spec.params.threshold
            (cost,) = figures(both[TEST], stages, spec.params, params.match, [threshold])
            tried = figures(both[EVAL], stages, spec.params, params.match, sweep(threshold))
            gates += cost.gates(spec.params)
            without = evaluate_streams(
                _gathered({TEST: alone[TEST]})[TEST], labels, point.detector, params.match
            )
            extra["cascade"] = output.cascade(spec.params, cost, tried, without)
        if last is not None:
            comparison = None
            if before:
                candidate = Judged(streams=judged[TEST], labels=labels, detector=point.detector)
                comparison = last_model.compared(candidate, last, before[TEST], params.match)
                gates += last_model.gates(comparison, last, params.gates)
            else:
                gates.append(last_model.not_compared(why_not))
            extra["against_last"] = last_model.described(last, comparison, why_not)

        output.write(evaluation.uri, point, reports, gates, extra, named)
        bless(blessing, gates, model, by="StreamingEvaluator")

    def _run(self, work: list[tuple[str, Jobs, beam.PTransform]]) -> None:
        with self._make_beam_pipeline() as pipeline:
            for name, jobs_by_split, transform in work:
                every = [job for some in jobs_by_split.values() for job in some]
                _ = pipeline | f"{name}/Streams" >> beam.Create(every) | name >> transform


def _gathered(jobs_by_split: Jobs) -> dict[str, list[StreamPosteriors]]:
    return {split: [gather(job) for job in some] for split, some in jobs_by_split.items()}
