"""Every component that runs Beam, one after another on a small corpus, by any Beam options."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
from tfx import types
from tfx.components import StatisticsGen
from tfx.components.statistics_gen import executor as statistics_executor
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import channel_utils, standard_artifacts
from tfx.utils import proto_utils

from components import beam_args
from components.artifacts import AudioStreams, StreamingBlessing, StreamingEvaluation
from components.audio_example_gen import AudioExampleGen
from components.audio_example_gen import executor as ingest_executor
from components.audio_synthesizer import executor as synthesizer_executor
from components.audio_synthesizer.component import AudioSynthesizer
from components.evaluator import executor as evaluator_executor
from components.evaluator.component import evaluator
from components.evaluator.params import EvaluationParams
from components.spectrogram_transform import executor as transform_executor
from components.spectrogram_transform.component import SpectrogramTransform
from components.statistics.options import statistics_options
from components.streaming_evaluator import executor as streaming_executor
from components.streaming_evaluator.component import StreamingEvaluator
from kws.audio.params import IngestParams
from kws.augment.params import NoisyCopyParams
from kws.features.params import FeatureParams
from kws.scenes.params import SceneParams, StreamParams
from kws.streaming.params import OperatingPointParams, StreamingParams
from tests.kws.micro.conftest import Trial

KEYWORDS = ("yes", "no")
INGEST = IngestParams(
    keywords=KEYWORDS,
    unknown_percentage=50,
    negatives_percentage=20,
    eval_percentage=20,
    test_percentage=20,
    rare_word_clips=10,
    max_quarantine_share=0.1,
)
COPIES = NoisyCopyParams(copies=2, eval_copies=1)
STREAMS = StreamParams(minutes=0.3, negatives_chunk_s=3)
SCENES = SceneParams(scenes=(4, 2, 2))
FEATURES = FeatureParams()
STREAMING = StreamingParams(operating_point=OperatingPointParams(candidates=5))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Parts:
    """Runs the parts; all they write is below `root`.

    Attributes:
      root: the pipeline root, a folder or a URL.
      flags: Beam's options.
    """

    root: str
    flags: Sequence[str] = ()

    def run(self, corpus: str, trial: Trial) -> None:
        """Runs all parts on a corpus of `KEYWORDS`, and judges the model of the trial."""
        audio = self.ingest(corpus)
        self.statistics(audio)
        noisy, streams = self.synthesize(audio, corpus)
        features = self.transform(audio, noisy)
        converted = self.model(trial)
        self.evaluate(converted, features)
        self.evaluate_streams(converted, streams)

    def ingest(self, corpus: str) -> types.Artifact:
        (audio,) = made = self._made(standard_artifacts.Examples, "audio")
        self._do(
            ingest_executor.Executor, AudioExampleGen(corpus, INGEST), {}, {"examples": made}
        )
        return audio

    def statistics(self, audio: types.Artifact) -> None:
        component = StatisticsGen(channel_utils.as_channel([audio]), None, statistics_options())
        made = self._made(standard_artifacts.ExampleStatistics, "statistics")
        self._do(
            statistics_executor.Executor, component, {"examples": [audio]}, {"statistics": made}
        )

    def synthesize(
        self, audio: types.Artifact, corpus: str
    ) -> tuple[types.Artifact, types.Artifact]:
        component = AudioSynthesizer(
            channel_utils.as_channel([audio]), corpus, COPIES, STREAMS, scenes=SCENES,
            eval_percentage=20.0, test_percentage=20.0,
        )  # fmt: skip
        noisy = self._made(standard_artifacts.Examples, "noisy")
        streams = self._made(AudioStreams, "streams")
        scenes = self._made(standard_artifacts.Examples, "scenes")
        self._do(
            synthesizer_executor.Executor,
            component,
            {"audio_examples": [audio]},
            {"examples": noisy, "streams": streams, "scenes": scenes},
        )
        return noisy[0], streams[0]

    def transform(self, *clips: types.Artifact) -> types.Artifact:
        channel = channel_utils.as_channel(list(clips))
        (features,) = made = self._made(standard_artifacts.Examples, "features")
        self._do(
            transform_executor.Executor,
            SpectrogramTransform(channel, FEATURES, KEYWORDS),
            {"examples": list(clips)},
            {"transformed_examples": made},
        )
        return features

    def model(self, trial: Trial) -> types.Artifact:
        (made,) = self._made(standard_artifacts.Model, "model")
        folder = f"{made.uri}/Format-Serving"
        tf.io.gfile.makedirs(folder)
        for name, content in (
            ("model.tflite", trial.conversion.model),
            ("labels.txt", "".join(f"{label}\n" for label in trial.int8.labels)),
            ("frontend.json", trial.int8.feature_params.to_json()),
        ):
            with tf.io.gfile.GFile(f"{folder}/{name}", "wb") as file:
                file.write(content)
        return made

    def evaluate(self, model: types.Artifact, features: types.Artifact) -> None:
        component = evaluator(
            model=channel_utils.as_channel([model]),
            examples=channel_utils.as_channel([features]),
            baseline_model=channel_utils.as_channel([model]),
            params=EvaluationParams(),
            keywords=list(KEYWORDS),
        )
        self._do(
            evaluator_executor.Executor,
            component,
            {"model": [model], "examples": [features], "baseline_model": [model]},
            {
                "evaluation": self._made(standard_artifacts.ModelEvaluation, "evaluation"),
                "blessing": self._made(standard_artifacts.ModelBlessing, "blessing"),
            },
        )

    def evaluate_streams(self, model: types.Artifact, streams: types.Artifact) -> None:
        component = StreamingEvaluator(
            model=channel_utils.as_channel([model]),
            streams=channel_utils.as_channel([streams]),
            params=STREAMING,
        )
        self._do(
            streaming_executor.Executor,
            component,
            {"model": [model], "streams": [streams]},
            {
                "evaluation": self._made(StreamingEvaluation, "streaming"),
                "blessing": self._made(StreamingBlessing, "streaming_blessing"),
            },
        )

    def _made(self, kind: type[types.Artifact], name: str) -> list[types.Artifact]:
        artifact = kind()
        artifact.uri = f"{self.root}/{name}"
        return [artifact]

    def _do(self, executor: Any, component: Any, inputs: dict, outputs: dict) -> None:
        flags = beam_args.complete(self.flags) if self.flags else None
        properties = {
            key: value
            if isinstance(value, int | str | float)
            else proto_utils.proto_to_json(value)
            for key, value in component.exec_properties.items()
            if value is not None
        }
        context = BaseBeamExecutor.Context(beam_pipeline_args=flags)
        executor(context).Do(inputs, outputs, properties)


def records(root: str) -> dict[str, list[bytes]]:
    """Every file below a root: of TFRecords the records of all shards, sorted; else its bytes.

    Returns:
      Name, without what says which shard it is, to content.
    """
    found: dict[str, list[bytes]] = {}
    for folder, _, names in tf.io.gfile.walk(root):
        inside = folder.removeprefix(root).strip("/")
        for name in names:
            path = f"{folder}/{name}"
            if "-of-" in name:
                compression = "GZIP" if name.endswith(".gz") else ""
                content = [bytes(r) for r in tf.data.TFRecordDataset(path, compression)
                           .as_numpy_iterator()]  # fmt: skip
            else:
                with tf.io.gfile.GFile(path, "rb") as file:
                    content = [file.read()]
            found.setdefault(f"{inside}/{name.partition('-0')[0]}", []).extend(content)
    return {name: sorted(content) for name, content in found.items()}


