"""Every component that runs Beam, with any of Beam's options, without the rest of a pipeline."""

import json
from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tfx import types
from tfx.components import StatisticsGen
from tfx.components.statistics_gen import executor as statistics_executor
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import artifact_utils, channel_utils, standard_artifacts
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
from kws.audio.clip import Clip, encode
from kws.augment.params import NoisyCopyParams
from kws.corpus.params import IngestParams
from kws.detection.params import StreamingParams
from kws.features.params import FeatureParams
from kws.params import Params
from kws.runtime.int8_file import Int8File
from kws.scenes.params import SceneParams, StreamParams
from kws.splits import Split

KEYWORDS = ("yes", "no")


class Parts(Params):
    """The components that run Beam, each by its own executor, as a runner of TFX calls them.

    Attributes:
      root: the pipeline root, a folder or a URL; all that is written is below.
      flags: Beam's options.
      ingestion, copies, streams, scenes, features, streaming: what the components are given.
    """

    root: str
    flags: tuple[str, ...] = ()
    ingestion: IngestParams = IngestParams(keywords=KEYWORDS)
    copies: NoisyCopyParams = NoisyCopyParams()
    streams: StreamParams = StreamParams(minutes=1)
    scenes: SceneParams | None = None
    features: FeatureParams = FeatureParams()
    streaming: StreamingParams = StreamingParams()

    def ingest(self, corpus: str) -> types.Artifact:
        (audio,) = made = self._made(standard_artifacts.Examples, "audio")
        self._do(
            ingest_executor.Executor,
            AudioExampleGen(corpus, self.ingestion),
            {},
            {"examples": made},
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
            channel_utils.as_channel([audio]),
            corpus,
            self.copies,
            self.streams,
            scenes=self.scenes,
            sample_rate=self.ingestion.sample_rate,
            eval_percentage=self.ingestion.eval_percentage,
            test_percentage=self.ingestion.test_percentage,
        )
        noisy = self._made(standard_artifacts.Examples, "noisy")
        streams = self._made(AudioStreams, "streams")
        outputs = {"examples": noisy, "streams": streams}
        if self.scenes is not None:
            outputs["scenes"] = self._made(standard_artifacts.Examples, "scenes")
        self._do(synthesizer_executor.Executor, component, {"audio_examples": [audio]}, outputs)
        return noisy[0], streams[0]

    def transform(self, *clips: types.Artifact) -> types.Artifact:
        channel = channel_utils.as_channel(list(clips))
        (features,) = made = self._made(standard_artifacts.Examples, "features")
        self._do(
            transform_executor.Executor,
            SpectrogramTransform(channel, self.features, self.ingestion.keywords),
            {"examples": list(clips)},
            {"transformed_examples": made},
        )
        return features

    def model(self, int8: Int8File, content: bytes) -> types.Artifact:
        """MicroConverter's artifact, of a model and the bytes of its file."""
        (made,) = self._made(standard_artifacts.Model, "model")
        folder = f"{made.uri}/Format-Serving"
        tf.io.gfile.makedirs(folder)
        for name, text in (
            ("model.tflite", content),
            ("labels.txt", "".join(f"{label}\n" for label in int8.labels)),
            ("frontend.json", int8.feature_params.to_json()),
            ("conversion.json", json.dumps({"kind": "windowed"})),
        ):
            with tf.io.gfile.GFile(f"{folder}/{name}", "wb") as file:
                file.write(text)
        return made

    def evaluate(self, model: types.Artifact, features: types.Artifact) -> None:
        component = evaluator(
            model=channel_utils.as_channel([model]),
            examples=channel_utils.as_channel([features]),
            baseline_model=channel_utils.as_channel([model]),
            params=EvaluationParams(),
            keywords=list(self.ingestion.keywords),
        )
        self._do(
            evaluator_executor.Executor,
            component,
            {"model": [model], "examples": [features], "baseline_model": [model]},
            {
                "evaluation": self._made(standard_artifacts.ModelEvaluation, "clips_evaluation"),
                "blessing": self._made(standard_artifacts.ModelBlessing, "clips_blessing"),
            },
        )

    def evaluate_streams(self, model: types.Artifact, streams: types.Artifact) -> None:
        component = StreamingEvaluator(
            model=channel_utils.as_channel([model]),
            streams=channel_utils.as_channel([streams]),
            params=self.streaming,
        )
        self._do(
            streaming_executor.Executor,
            component,
            {"model": [model], "streams": [streams]},
            {
                "evaluation": self._made(StreamingEvaluation, "long_evaluation"),
                "blessing": self._made(StreamingBlessing, "long_blessing"),
            },
        )

    def _made(self, kind: type[types.Artifact], name: str) -> list[types.Artifact]:
        # No name begins with another: TensorFlow's file system in memory mistakes them.
        artifact = kind()
        artifact.uri = f"{self.root}/{name}"
        return [artifact]

    def _do(self, executor: Any, component: Any, inputs: dict, outputs: dict) -> None:
        flags = beam_args.complete(self.flags) if self.flags else None
        properties = {
            key: value if isinstance(value, int | str | float) else proto_utils.proto_to_json(value)
            for key, value in component.exec_properties.items()
            if value is not None
        }
        context = BaseBeamExecutor.Context(beam_pipeline_args=[*flags] if flags else None)
        executor(context).Do(inputs, outputs, properties)


def audio_examples(folder: str, clips: Sequence[Clip], splits: Sequence[Split]) -> types.Artifact:
    """AudioExampleGen's artifact of given clips, the same in each split."""
    artifact = standard_artifacts.Examples()
    artifact.uri = folder
    artifact.split_names = artifact_utils.encode_split_names(list(splits))
    for split in splits:
        place = artifact_utils.get_split_uri([artifact], split)
        tf.io.gfile.makedirs(place)
        with tf.io.TFRecordWriter(f"{place}/data_tfrecord-00000-of-00001.gz", "GZIP") as writer:
            for clip in clips:
                writer.write(encode(clip))
    return artifact


def records(root: str) -> dict[str, list[bytes]]:
    """Every file below a root: of TFRecords the records of all shards, sorted; else its bytes.

    Returns:
      Name, without what says which shard it is, to content.
    """
    found: dict[str, list[bytes]] = {}
    for folder, _, names in tf.io.gfile.walk(root):
        inside = folder.removeprefix(root).strip("/")
        for name in names:
            path = f"{folder.rstrip('/')}/{name}"
            if "-of-" in name:
                compression = "GZIP" if name.endswith(".gz") else ""
                content = [bytes(r) for r in tf.data.TFRecordDataset(path, compression)
                           .as_numpy_iterator()]  # fmt: skip
            else:
                with tf.io.gfile.GFile(path, "rb") as file:
                    content = [file.read()]
            # Some files say where they are.
            content = [record.replace(root.encode(), b"ROOT") for record in content]
            found.setdefault(f"{inside}/{name.partition('-0')[0]}", []).extend(content)
    return {name: sorted(content) for name, content in found.items()}
