"""The pipeline: this file only wires. See the picture in the README."""

import json
from pathlib import Path

import tfx.v1 as tfx
from tfx.dsl.components.base import base_node
from tfx.types.channel_utils import union

import schemas
from components.audio_example_gen.component import AudioExampleGen
from components.audio_synthesizer.component import AudioSynthesizer
from components.baseline.strategy import baseline_resolver
from components.evaluator.component import evaluator
from components.example_validator.component import StrictExampleValidator
from components.micro_converter.component import MicroConverter
from components.micro_pusher.component import MicroPusher
from components.micro_validator.component import MicroValidator
from components.spectrogram_transform.component import SpectrogramTransform
from components.streaming_evaluator.component import StreamingEvaluator
from components.trainer.component import trainer
from pipeline.config import Config
from pipeline.paths import Paths


def build(config: Config, paths: Paths, recordings: Path) -> tfx.dsl.Pipeline:
    """Wires every component.

    Args:
      config: the whole configuration.
      paths: where the run keeps what.
      recordings: folder in Speech Commands layout (see `pipeline.source`).
    """
    return tfx.dsl.Pipeline(
        pipeline_name=config.name,
        pipeline_root=str(paths.root),
        components=_components(config, paths, recordings),
        enable_cache=True,
        metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(
            str(paths.metadata)
        ),
        beam_pipeline_args=list(config.beam_pipeline_args),
    )


def _components(config: Config, paths: Paths, recordings: Path) -> list[base_node.BaseNode]:
    keywords = list(config.keywords)

    ingested = AudioExampleGen(input_base=str(recordings), params=config.ingest)
    audio = ingested.outputs["examples"]

    statistics = tfx.components.StatisticsGen(examples=audio)
    schema = tfx.components.ImportSchemaGen(
        schema_file=str(schemas.write_audio_schema(paths.schemas, keywords, config.ingest))
    )
    validated = StrictExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    )

    synthesized = AudioSynthesizer(
        examples=audio,
        input_base=str(recordings),
        noisy_copies=config.noisy_copies,
        streams=config.streams,
        sample_rate=config.sample_rate,
        eval_percentage=config.ingest.eval_percentage,
        test_percentage=config.ingest.test_percentage,
    )
    # Nothing is made of data that the schema refuses.
    synthesized.add_upstream_node(validated)

    transformed = SpectrogramTransform(
        examples=union([audio, synthesized.outputs["examples"]]),
        params=config.features,
        keywords=keywords,
    )
    features = transformed.outputs["transformed_examples"]

    trained = trainer(
        examples=features,
        model=config.model,
        training=config.training,
        keywords=keywords,
        checkpoints=paths.checkpoints,
    )
    converted = MicroConverter(
        model=trained.outputs["model"], examples=features, params=config.conversion
    )
    model = converted.outputs["model"]

    baseline = baseline_resolver(candidate=model)
    evaluated = evaluator(
        model=model,
        examples=features,
        baseline_model=baseline.outputs["model"],
        params=config.evaluation,
        keywords=keywords,
    )
    streamed = StreamingEvaluator(
        model=model, streams=synthesized.outputs["streams"], params=config.streaming
    )
    fits = MicroValidator(model=model, examples=features, params=config.budget)

    pushed = MicroPusher(
        model=model,
        model_blessing=evaluated.outputs["blessing"],
        streaming_blessing=streamed.outputs["blessing"],
        infra_blessing=fits.outputs["blessing"],
        model_evaluation=evaluated.outputs["evaluation"],
        streaming_evaluation=streamed.outputs["evaluation"],
        examples=features,
        audio_examples=audio,
        destination=str(paths.bundles),
        info=json.dumps(_info(config), sort_keys=True),
    )
    return [
        ingested,
        statistics,
        schema,
        validated,
        synthesized,
        transformed,
        trained,
        converted,
        baseline,
        evaluated,
        streamed,
        fits,
        pushed,
    ]


def _info(config: Config) -> dict[str, object]:
    """What the model card says of the data and the configuration."""
    synthesized = config.data.path is None
    return {
        "name": config.name,
        "keywords": list(config.keywords),
        "model": config.model.name,
        "data": "speech synthesized by Kokoro-82M and hibari voices"
        if synthesized
        else f"recordings of {config.data.path.name if config.data.path else ''}",
        "licence": "Apache-2.0 (both voices)" if synthesized else config.data.licence,
    }
