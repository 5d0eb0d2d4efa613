"""TFX SpectrogramTransform component definition."""

import json
from collections.abc import Sequence
from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.inputs import more_examples as more_inputs
from components.inputs import more_examples_parameters
from components.spectrogram_transform import executor
from kws.features.params import FeatureParams


class SpectrogramTransformSpec(ComponentSpec):
    """Spec of SpectrogramTransform."""

    PARAMETERS: ClassVar = {
        "params": ExecutionParameter(type=str),
        "keywords": ExecutionParameter(type=str),
        "scenes": ExecutionParameter(type=int, optional=True),
    }
    INPUTS: ClassVar = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        **more_examples_parameters(),
        "hyperparameters": ChannelParameter(type=standard_artifacts.HyperParameters, optional=True),
    }
    OUTPUTS: ClassVar = {"transformed_examples": ChannelParameter(type=standard_artifacts.Examples)}


class SpectrogramTransform(base_beam_component.BaseBeamComponent):
    """Computes the features of audio examples, or of scenes, with the frontend of FeatureParams.

    Component `outputs` contains:
     - `transformed_examples`: Channel of type `standard_artifacts.Examples`: one feature example
       (`kws.features.example`) a clip, of all input artifacts together, in all splits that any of
       them has. `frontend.json` and `labels.txt` are in the artifact's folder. Of a clip with a
       lead-in the frames of the clip itself are kept. Custom properties `clips_<split>` and
       `milliseconds_<split>` (of audio, lead-ins included) are what Beam's counters said. For
       scenes: one example a scene, with its label vector (`kws.scenes.example.SceneFeatures`).

    Every file, and every byte of it, depends on the clips and FeatureParams alone: not on their
    order, the number of workers or the runner.
    """

    SPEC_CLASS = SpectrogramTransformSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        params: FeatureParams,
        keywords: Sequence[str],
        scenes: bool = False,
        hyperparameters: types.BaseChannel | None = None,
        more_examples: Sequence[types.BaseChannel] = (),
    ):
        """Constructs the component.

        Args:
          examples: audio examples.
          params: of the frontend; `clip_duration_ms` is that of the examples.
          keywords: what the clips were ingested for; they follow `_silence_` and `_unknown_` in the
            labels.
          scenes: the examples are scenes of AudioSynthesizer.
          hyperparameters: the Tuner's best; those of the features take the place of what `params`
            says.
          more_examples: further ones, such as noisy copies (see `components.inputs`).
        """
        # Left out for clips, so that a run of before is still the same execution.
        kind = {"scenes": 1} if scenes else {}
        super().__init__(
            SpectrogramTransformSpec(
                examples=examples,
                **more_inputs(more_examples),
                params=params.to_json(),
                keywords=json.dumps(list(keywords)),
                **kind,
                hyperparameters=hyperparameters,
                transformed_examples=types.Channel(type=standard_artifacts.Examples),
            )
        )
