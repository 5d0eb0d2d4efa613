"""TFX's Evaluator, whose blessing says why as those of the other judges do."""

from typing import Any

from absl import logging
from tfx import types
from tfx.components.evaluator import executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components import blessing, staging
from components.evaluator import results
from components.inputs import without_empty
from kws.features import files
from kws.features.params import FeatureParams
from kws.gates import write_gates

MODEL, BASELINE = "model", "baseline_model"


class Executor(executor.Executor):
    """TFX's own executor; then `gates.json` and the custom properties `reasons` and `gates`.

    The verdict stays TFMA's: see `components.evaluator.results.evaluation_gates`.
    """

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        super().Do(_with_usable_baseline(input_dict), output_dict, exec_properties)
        evaluation = artifact_utils.get_single_instance(output_dict["evaluation"])
        blessed = artifact_utils.get_single_instance(output_dict["blessing"])
        gates = results.evaluation_gates(evaluation.uri)
        with staging.written(blessed.uri) as folder:
            write_gates(folder, gates)
        blessing.describe(blessed, gates)


def _with_usable_baseline(input_dict: dict[str, list[types.Artifact]]) -> dict:
    """Without a baseline that is empty, or of other features than the candidate.

    On the candidate's examples it would be judged by what it never heard. Locally the resolver of
    `components.baseline` gives neither.
    """
    given = without_empty(input_dict, BASELINE)
    if not given.get(BASELINE):
        return given
    candidate, baseline = (_features_of(given[key]) for key in (MODEL, BASELINE))
    if candidate != baseline:
        logging.info("Evaluator: no baseline, the one served has other features")
        return {**given, BASELINE: []}
    return given


def _features_of(model: list[types.Artifact]) -> FeatureParams:
    serving = path_utils.serving_model_path(artifact_utils.get_single_uri(model))
    with staging.copied(serving) as folder:
        return files.read(folder)
