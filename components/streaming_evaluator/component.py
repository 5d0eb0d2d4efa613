"""StreamingEvaluator: the int8 model over long streams, judged as a user would hear it."""

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifacts import AudioStreams, StreamingBlessing, StreamingEvaluation
from components.streaming_evaluator import executor
from kws.detection.params import StreamingParams


class StreamingEvaluatorSpec(ComponentSpec):
    """Inputs, outputs and properties of the StreamingEvaluator."""

    PARAMETERS: ClassVar = {"params": ExecutionParameter(type=str)}
    INPUTS: ClassVar = {
        "model": ChannelParameter(type=standard_artifacts.Model),
        "streams": ChannelParameter(type=AudioStreams),
        "last_model": ChannelParameter(type=standard_artifacts.Model, optional=True),
        "last_evaluation": ChannelParameter(type=StreamingEvaluation, optional=True),
    }
    OUTPUTS: ClassVar = {
        "evaluation": ChannelParameter(type=StreamingEvaluation),
        "blessing": ChannelParameter(type=StreamingBlessing),
    }


class StreamingEvaluator(base_beam_component.BaseBeamComponent):
    """Finds the detector's threshold on the eval streams and judges it on the test streams.

    The int8 model runs over every stream with the model's own frontend, whose state carries on
    through the stream as on the device. The threshold is the one with the fewest misses among
    those that keep the target of false accepts per hour on the eval streams; the figures and the
    gates come from the test streams, which had no say in it.

    Component `outputs` contains:

     - `evaluation`: `evaluation.json` (`operating_point`, `sensitivities` where they are named, and
       under `test` and `eval` the totals and each keyword's hits, wrong words, misses, false
       accepts per hour and latency, with 95 % bounds and the hours and words they rest on; the same
       of each condition; false accepts of recorded and of synthesized negatives; `caveats`, what
       all of this does not show), `detections.jsonl` (every word and every false accept of the
       test streams), `detector.json` (DetectorParams with the threshold, the rule and the smoothing
       chosen), `det.json` (false accepts and misses at each threshold, eval streams), `det.png`
       (DET and ROC of the test streams, with the operating point), `report.txt`, and
       `posteriors/Split-*/<stream>.npz` (what the model said), so that another detector can be
       tried without running the model again; with a cascade, the section `cascade` of
       `evaluation.json` and `cascade.json` (its settings); with a last blessed model, the section
       `against_last`.
     - `blessing`: `gates.json`; the custom properties of `components.blessing`: `blessed` is 1 or
       0, `reasons` has one sentence for each gate that failed, `gates` every gate in short.

    With `params.cascade` the model is the second stage behind a pushed bundle, and what is judged,
    its threshold included, is the two together. A last blessed model is run over the test streams
    with its own frontend and detector, and the gates refuse a candidate that is shown to be worse
    (`kws.detection.compare`).

    A model that is not blessed does not fail the component: what follows reads the blessing.
    """

    SPEC_CLASS = StreamingEvaluatorSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        streams: types.BaseChannel,
        params: StreamingParams | None = None,
        last_model: types.BaseChannel | None = None,
        last_evaluation: types.BaseChannel | None = None,
    ):
        """Makes the component.

        Args:
          model: the converted Model (standard_artifacts.Model) with `Format-Serving/model.tflite`.
          streams: AudioStreams with the splits eval and test.
          params: detector, operating point, matching rule, cascade and gates.
          last_model: the last Model in service (`components.registry`); empty in the first run.
          last_evaluation: the StreamingEvaluation that it was judged by, with its detector.
        """
        super().__init__(
            spec=StreamingEvaluatorSpec(
                model=model,
                streams=streams,
                last_model=last_model,
                last_evaluation=last_evaluation,
                params=(params or StreamingParams()).to_json(),
                evaluation=types.Channel(type=StreamingEvaluation),
                blessing=types.Channel(type=StreamingBlessing),
            )
        )
