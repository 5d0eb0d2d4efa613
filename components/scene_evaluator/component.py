"""SceneEvaluator: takes the Evaluator's place where a model answers at every step of a scene."""

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.scene_evaluator import executor
from kws.detection.scene_report import SceneEvaluationParams


class SceneEvaluatorSpec(ComponentSpec):
    """Inputs, outputs and properties of the SceneEvaluator."""

    PARAMETERS: ClassVar = {"params": ExecutionParameter(type=str)}
    INPUTS: ClassVar = {
        "model": ChannelParameter(type=standard_artifacts.Model),
        "examples": ChannelParameter(type=standard_artifacts.Examples),
    }
    OUTPUTS: ClassVar = {
        "evaluation": ChannelParameter(type=standard_artifacts.ModelEvaluation),
        "blessing": ChannelParameter(type=standard_artifacts.ModelBlessing),
    }


class SceneEvaluator(base_component.BaseComponent):
    """Judges the int8 model, in the form that the device runs, on the scenes of the test split.

    TFMA's Evaluator judges one answer a clip; here there is one at every step. Component `outputs`
    contains:

     - `evaluation`: `scenes.json` (precision, recall, F1 and binary cross entropy of the steps with
       their counts, and hits, misses, false accepts per hour and latency of the chimes, with 95 %
       bounds), `detections.jsonl` (every word and every false accept), `gates.json`, and
       `report.txt`.
     - `blessing`: `gates.json`; the custom properties are those of TFX's Evaluator (`blessed`,
       `current_model`, `current_model_id`), and `reasons` holds one sentence for each gate that
       failed.

    A model that is not blessed does not fail the component: what follows reads the blessing.
    """

    SPEC_CLASS = SceneEvaluatorSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        examples: types.BaseChannel,
        params: SceneEvaluationParams | None = None,
    ):
        """Makes the component.

        Args:
          model: MicroConverter's Model, of a model whose output is "steps".
          examples: features of scenes, with a split test.
          params: trigger-word rule, matching rule and gates.
        """
        super().__init__(
            spec=SceneEvaluatorSpec(
                model=model,
                examples=examples,
                params=(params or SceneEvaluationParams()).to_json(),
                evaluation=types.Channel(type=standard_artifacts.ModelEvaluation),
                blessing=types.Channel(type=standard_artifacts.ModelBlessing),
            )
        )
