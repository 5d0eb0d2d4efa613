"""MicroPusher: the only way out of the pipeline, and only with all three blessings."""

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifacts import StreamingBlessing, StreamingEvaluation
from components.micro_pusher import executor


class MicroPusherSpec(ComponentSpec):
    """Inputs, outputs and properties of the MicroPusher."""

    PARAMETERS: ClassVar = {
        "destination": ExecutionParameter(type=str),
        "info": ExecutionParameter(type=str),
    }
    INPUTS: ClassVar = {
        "model": ChannelParameter(type=standard_artifacts.Model),
        "model_blessing": ChannelParameter(type=standard_artifacts.ModelBlessing),
        "streaming_blessing": ChannelParameter(type=StreamingBlessing),
        "infra_blessing": ChannelParameter(type=standard_artifacts.InfraBlessing),
        "model_evaluation": ChannelParameter(type=standard_artifacts.ModelEvaluation),
        "streaming_evaluation": ChannelParameter(type=StreamingEvaluation),
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "audio_examples": ChannelParameter(type=standard_artifacts.Examples, optional=True),
        "own_clips_blessing": ChannelParameter(
            type=standard_artifacts.ModelBlessing, optional=True
        ),
        "own_clips_evaluation": ChannelParameter(
            type=standard_artifacts.ModelEvaluation, optional=True
        ),
    }
    OUTPUTS: ClassVar = {"pushed_model": ChannelParameter(type=standard_artifacts.PushedModel)}


class MicroPusher(base_component.BaseComponent):
    """Writes the bundle of a model that all three judges blessed, else nothing.

    Component `outputs` contains:

     - `pushed_model`: nothing but custom properties: `pushed` is 1 or 0; where it is 1,
       `pushed_destination` is the bundle's folder or URL and `pushed_version` its version; where
       it is 0, `missing_blessings` names those that were refused, and `terms_of_the_data` where a
       source is for non-commercial use or research alone; a `gates.json` then says which.

    A bundle is written aside, checked and published (see `kws.bundle.destination`): a reader sees
    all of it or none, and if anything fails, the version before stays served. The version is the
    time in UTC, `YYYYMMDDHHMMSS`.
    """

    SPEC_CLASS = MicroPusherSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        model_blessing: types.BaseChannel,
        streaming_blessing: types.BaseChannel,
        infra_blessing: types.BaseChannel,
        model_evaluation: types.BaseChannel,
        streaming_evaluation: types.BaseChannel,
        examples: types.BaseChannel,
        destination: str,
        info: str,
        audio_examples: types.BaseChannel | None = None,
        own_clips_blessing: types.BaseChannel | None = None,
        own_clips_evaluation: types.BaseChannel | None = None,
    ):
        """Makes the component.

        Args:
          model: MicroConverter's Model.
          model_blessing: of TFX's Evaluator.
          streaming_blessing: of StreamingEvaluator.
          infra_blessing: of MicroValidator, with `micro.json`.
          model_evaluation: of TFX's Evaluator, for `evaluation.json`.
          streaming_evaluation: of StreamingEvaluator, with the detector.
          examples: feature Examples; test vectors are clips of the test split.
          destination: folder of the versions, or the URL of a bucket: `gs://...`, `s3://...`.
          info: JSON object: `name`, and for the model card `model`, `data`, `licence`, `credits`;
            `held_back`: sentences that say why the model may not be pushed, whatever is blessed.
          audio_examples: the recordings, so that test vectors can be heard too.
          own_clips_blessing, own_clips_evaluation: of the Evaluator that compares the model with
            its base on one person's own clips; where they are given, it must have blessed too.
        """
        super().__init__(
            spec=MicroPusherSpec(
                model=model,
                model_blessing=model_blessing,
                streaming_blessing=streaming_blessing,
                infra_blessing=infra_blessing,
                model_evaluation=model_evaluation,
                streaming_evaluation=streaming_evaluation,
                examples=examples,
                audio_examples=audio_examples,
                own_clips_blessing=own_clips_blessing,
                own_clips_evaluation=own_clips_evaluation,
                destination=destination,
                info=info,
                pushed_model=types.Channel(type=standard_artifacts.PushedModel),
            )
        )
