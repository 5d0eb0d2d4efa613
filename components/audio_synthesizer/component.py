"""TFX AudioSynthesizer component definition."""

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifacts import AudioStreams
from components.audio_synthesizer import executor
from kws.augment.params import NoisyCopyParams
from kws.scenes.params import SceneParams, StreamParams


class AudioSynthesizerSpec(ComponentSpec):
    """Spec of AudioSynthesizer."""

    PARAMETERS: ClassVar = {
        "input_base": ExecutionParameter(type=str),
        "noisy_copy_params": ExecutionParameter(type=str),
        "stream_params": ExecutionParameter(type=str, optional=True),
        "scene_params": ExecutionParameter(type=str, optional=True),
        "train_stream_minutes": ExecutionParameter(type=float, optional=True),
        "train_negatives_minutes": ExecutionParameter(type=float, optional=True),
        "sample_rate": ExecutionParameter(type=int),
        "eval_percentage": ExecutionParameter(type=float),
        "test_percentage": ExecutionParameter(type=float),
    }
    # No name may be both an input's and an output's: what comes out has the plain names.
    INPUTS: ClassVar = {
        "audio_examples": ChannelParameter(type=standard_artifacts.Examples),
        "background_examples": ChannelParameter(type=standard_artifacts.Examples, optional=True),
    }
    OUTPUTS: ClassVar = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "streams": ChannelParameter(type=AudioStreams, optional=True),
        "scenes": ChannelParameter(type=standard_artifacts.Examples, optional=True),
    }


class AudioSynthesizer(base_beam_component.BaseBeamComponent):
    """Makes recordings harder, and long: noisy copies, streams for evaluation, labelled scenes.

    Component `outputs` contains:
     - `examples`: Channel of type `standard_artifacts.Examples`: the noisy copies alone, `copies`
       of each example of split train, `eval_copies` of each of eval and test. Where
       the corpus has recorded rooms, they are used beside as many simulated ones. A copy has
       background of its own split at a known SNR (`snr_db`), a time
       shift, a gain, and a lead-in of background (`lead_in_ms`); `augmentation` is "noisy". Where
       the params ask for parts of keywords, these are `_unknown_` and their `augmentation` is
       "partial". Other talkers come from the negatives of the same split.
     - `streams`: Channel of type `AudioStreams`, there only where `streams` is given: for eval and
       test, `Split-<name>/<stream>.wav` and `.json` (`kws.scenes.ground_truth`). Streams `words-…`
       have the split's clean keywords and other words over background: one stream for every ten of
       `minutes` begun, of ten minutes (or of `minutes`, where that is less). With `conditions`
       there are as many in each of them, `words-eval-00-quiet` and so on, all saying the same words
       at the same times; babble and rooms are the split's own. Streams `negatives-…` are the
       recordings without keywords, if there are any: all of them, or whole streams up to
       `negatives_hours`; the ground truth says which are synthesized. With `varied_hours`, folder
       `varied` has versions of split eval's negatives (`kws.scenes.negatives`). Where
       `train_minutes` is given, the train split has streams too: that many minutes of
       words, in one mixture, and a sample of its negatives.
     - `scenes`: Channel of type `standard_artifacts.Examples`, there only where `scenes` is given:
       in all splits, examples of some seconds of background with the split's clean keywords and
       other words at random places and a label vector (`kws.scenes.example`). Custom properties
       `scenes_<split>`, `words_<split>` and `left_out_<split>` (words for which no place was
       found) are what Beam's counters said.

    What comes out depends on the params and the clips alone, not on workers or the order of files.
    """

    SPEC_CLASS = AudioSynthesizerSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        input_base: str,
        noisy_copies: NoisyCopyParams,
        streams: StreamParams | None,
        scenes: SceneParams | None = None,
        sample_rate: int = 16000,
        eval_percentage: float = 10.0,
        test_percentage: float = 10.0,
        train_minutes: float = 0.0,
        train_negatives_minutes: float = 0.0,
        backgrounds: types.BaseChannel | None = None,
    ):
        """Constructs the component.

        Args:
          examples: audio examples of AudioExampleGen, splits train, eval and test.
          input_base: the corpus folder, for `_background_noise_/` and `_negatives_/`.
          noisy_copies: how many copies, and their ranges.
          streams: length, gaps, levels; None makes no streams.
          scenes: length, levels, labels; None makes no scenes.
          sample_rate: Hz of the examples.
          eval_percentage, test_percentage: as in IngestParams; they split long recordings.
          train_minutes: of words over background in the streams of split train, to mine hard
            negatives in; 0 lays none.
          train_negatives_minutes: of its streams without keywords, where there is so much.
          backgrounds: audio examples of another run, for noisy copies alone: the sound of their
            `_silence_` clips, split by split, in place of `_background_noise_/`; pink noise where a
            split has none.

        Raises:
          ValueError: `backgrounds` with streams or scenes.
        """
        if backgrounds is not None and (streams is not None or scenes is not None):
            raise ValueError("backgrounds are for noisy copies: leave out streams and scenes")
        # What is not asked for is left out, so that a run of before is still the same execution.
        optional = {}
        if scenes is not None:
            optional["scene_params"] = scenes.to_json()
            optional["scenes"] = types.Channel(type=standard_artifacts.Examples)
        if streams is not None:
            optional["stream_params"] = streams.to_json()
            optional["streams"] = types.Channel(type=AudioStreams)
        if backgrounds is not None:
            optional["background_examples"] = backgrounds
        if train_minutes:
            optional["train_stream_minutes"] = train_minutes
            optional["train_negatives_minutes"] = train_negatives_minutes
        super().__init__(
            AudioSynthesizerSpec(
                audio_examples=examples,
                input_base=input_base,
                noisy_copy_params=noisy_copies.to_json(),
                sample_rate=sample_rate,
                eval_percentage=eval_percentage,
                test_percentage=test_percentage,
                examples=types.Channel(type=standard_artifacts.Examples),
                **optional,
            )
        )
