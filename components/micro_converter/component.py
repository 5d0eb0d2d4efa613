"""MicroConverter: a trained Keras model becomes the int8 file that ships."""

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifacts import ConversionReport
from components.micro_converter import executor
from kws.export.params import ConversionParams


class MicroConverterSpec(ComponentSpec):
    """Inputs, outputs and properties of the MicroConverter."""

    PARAMETERS: ClassVar = {"params": ExecutionParameter(type=str)}
    INPUTS: ClassVar = {
        # A key is an input's or an output's, never both, and the output is the one others wire.
        "float_model": ChannelParameter(type=standard_artifacts.Model),
        "examples": ChannelParameter(type=standard_artifacts.Examples),
    }
    OUTPUTS: ClassVar = {
        "model": ChannelParameter(type=standard_artifacts.Model),
        "report": ChannelParameter(type=ConversionReport),
    }


class MicroConverter(base_component.BaseComponent):
    """Quantizes weights and activations to int8 with representative data of the training split.

    Component `outputs` contains:

     - `model`: `Format-Serving/` with `model.tflite` (int8 input and output, batch 1),
       `model_float_io.tflite` (the same network between QUANTIZE and DEQUANTIZE), `labels.txt`,
       `frontend.json` and `conversion.json`. A streaming architecture (`training.json` beside the
       float model names it) is converted in its one-step form, with its state inside.
     - `report`: `conversion.json` alone: float and int8 accuracy on the eval split, agreement of
       the twins, quantization, operators; the accuracies are custom properties too.

    The component fails if the twins disagree or int8 loses more than `max_accuracy_drop` accuracy.
    """

    SPEC_CLASS = MicroConverterSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        examples: types.BaseChannel,
        params: ConversionParams | None = None,
    ):
        """Makes the component.

        Args:
          model: the Trainer's Model.
          examples: feature Examples with the splits train and eval.
          params: representative examples and the accuracy that may be lost.
        """
        super().__init__(
            spec=MicroConverterSpec(
                float_model=model,
                examples=examples,
                params=(params or ConversionParams()).to_json(),
                model=types.Channel(type=standard_artifacts.Model),
                report=types.Channel(type=ConversionReport),
            )
        )
