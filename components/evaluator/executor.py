"""TFX's Evaluator, whose blessing says why as those of the other judges do."""

from typing import Any

from tfx import types
from tfx.components.evaluator import executor
from tfx.types import artifact_utils

from components import blessing, staging
from components.evaluator import results
from components.inputs import without_empty
from kws.gates import write_gates

BASELINE = "baseline_model"


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
        super().Do(without_empty(input_dict, BASELINE), output_dict, exec_properties)
        evaluation = artifact_utils.get_single_instance(output_dict["evaluation"])
        blessed = artifact_utils.get_single_instance(output_dict["blessing"])
        gates = results.evaluation_gates(evaluation.uri)
        with staging.written(blessed.uri) as folder:
            write_gates(folder, gates)
        blessing.describe(blessed, gates)
