"""TFX's Evaluator, whose blessing says why as those of the other judges do."""

from typing import Any

from tfx import types
from tfx.components.evaluator import executor
from tfx.types import artifact_utils

from components import blessing
from components.evaluator import results
from kws.gates import write_gates


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
        super().Do(input_dict, output_dict, exec_properties)
        evaluation = artifact_utils.get_single_instance(output_dict["evaluation"])
        blessed = artifact_utils.get_single_instance(output_dict["blessing"])
        gates = results.evaluation_gates(evaluation.uri)
        write_gates(blessed.uri, gates)
        blessing.describe(blessed, gates)
