"""The pipeline: this file only wires. See the picture in the README."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import tfx.v1 as tfx
from tfx.dsl.components.base import base_node

from components import beam_args
from components.audio_example_gen.component import AudioExampleGen
from components.audio_synthesizer.component import AudioSynthesizer
from components.evaluator.component import evaluator
from components.evaluator.params import EvaluationParams
from components.example_validator.component import StrictExampleValidator
from components.micro_converter.component import MicroConverter
from components.micro_pusher.component import MicroPusher
from components.micro_validator.component import MicroValidator
from components.scene_evaluator.component import SceneEvaluator
from components.spectrogram_transform.component import SpectrogramTransform
from components.statistics.options import statistics_options
from components.streaming_evaluator.component import StreamingEvaluator
from components.tuner.component import Tuner
from kws.corpus.sources import names_of
from kws.speech.frontend import speech_embedding_params
from pipeline import beam_options, metadata_store
from pipeline import combined_corpus as mix
from pipeline import config as configuration
from pipeline.config import Config
from pipeline.history import BaseRunHistory, History
from pipeline.paths import Paths
from pipeline.resolve import streaming_params
from pipeline.runs import run_artifacts
from pipeline.trainers import trainers

SYNTHESIZED = "speech synthesized by Kokoro-82M and hibari voices"
NO_WORSE = EvaluationParams(min_accuracy=0, max_accuracy_drop_from_last=0)
"""Of the clips that one person recorded: no fewer may be recognised than before."""
VOICES_LICENCE = "Apache-2.0 (both voices)"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recordings:
    """What AudioExampleGen ingests; see its arguments.

    Attributes:
      folder: path or URL.
      span_folder, last_spans, mix: how it is laid out.
    """

    folder: str
    span_folder: str = ""
    last_spans: int = 1
    mix: bool = False


def build(config: Config, paths: Paths, recordings: Path) -> tfx.dsl.Pipeline:
    """Wires every component.

    Args:
      config: the whole configuration.
      paths: where the run keeps what.
      recordings: folder in Speech Commands layout, or of a mix (see `pipeline.source`).

    Raises:
      KwsError: the run in `base` has no model, or has lost what is needed of it.
    """
    destination = config.destination or str(paths.bundles)
    history = History(config, paths, destination)
    if config.base is not None:
        found = run_artifacts.find(config.base.place, config.base.run)
        history = BaseRunHistory(config, paths, destination, found)
    return tfx.dsl.Pipeline(
        pipeline_name=config.name,
        pipeline_root=str(paths.root),
        components=beam_options.given(
            components(
                config,
                paths,
                Recordings(
                    folder=str(recordings),
                    span_folder=mix.span_folder_of(config),
                    mix=config.data.is_mix,
                ),
                history,
            ),
            config.beam_pipeline_args,
            config.beam_pipeline_args_of,
        ),
        enable_cache=True,
        metadata_connection_config=metadata_store.connection(config, paths),
        beam_pipeline_args=[*beam_args.complete(config.beam_pipeline_args)],
    )


def components(
    config: Config,
    paths: Paths,
    recordings: Recordings,
    history: History,
) -> list[base_node.BaseNode]:
    """All nodes, in order.

    Args:
      config: the whole configuration.
      paths: where the run keeps what is not an artifact.
      recordings: what is ingested.
      history: what is looked up of earlier runs and kept for later ones, and where bundles go.
    """
    keywords = list(config.keywords)
    base = history.base_data()

    ingested = AudioExampleGen(
        input_base=recordings.folder,
        params=config.ingest,
        span_folder=recordings.span_folder,
        last_spans=recordings.last_spans,
        mix=recordings.mix,
    )
    audio = ingested.outputs["examples"]

    statistics = tfx.components.StatisticsGen(examples=audio, stats_options=statistics_options())
    schema = history.schema()
    previous = history.previous_statistics(statistics.outputs["statistics"])
    validated = StrictExampleValidator(
        statistics=statistics.outputs["statistics"],
        schema=schema.channel,
        keywords=keywords,
        params=config.validation,
        examples=audio,
        previous_statistics=previous.channel,
        report_file=str(paths.logs / "anomalies.json"),
    )
    kept = history.keep_statistics(statistics.outputs["statistics"], validated.outputs["anomalies"])

    mining = config.training.hard_negatives if config.model is not None else None
    synthesized = AudioSynthesizer(
        examples=audio,
        input_base=recordings.folder,
        noisy_copies=config.noisy_copies,
        streams=config.streams if base is None else None,
        scenes=config.scenes,
        sample_rate=config.sample_rate,
        eval_percentage=config.ingest.eval_percentage,
        test_percentage=config.ingest.test_percentage,
        train_minutes=mining.minutes if mining else 0.0,
        train_negatives_minutes=mining.negatives_minutes if mining else 0.0,
        backgrounds=base.audio if base is not None else None,
    )
    # Nothing is made of data that the schema refuses.
    synthesized.add_upstream_node(validated)

    tuned = best = None
    if config.scenes is not None:
        transformed = SpectrogramTransform(
            examples=synthesized.outputs["scenes"],
            params=config.scene_features,
            keywords=keywords,
            scenes=True,
        )
    else:
        copies = [synthesized.outputs["examples"]]
        if config.tuning is not None and config.model is not None:
            tuned = Tuner(
                examples=audio,
                more_examples=copies,
                tuning=config.tuning,
                model=config.model,
                training=config.training,
                features=config.features,
                keywords=keywords,
                folder=paths.tuning,
                report_file=paths.logs / "tuning.json",
            )
            best = tuned.outputs["best_hyperparameters"]
        transformed = SpectrogramTransform(
            examples=audio,
            more_examples=copies,
            params=config.features,
            keywords=keywords,
            hyperparameters=best if config.tuning and config.tuning.of_features else None,
        )
    features = transformed.outputs["transformed_examples"]
    # A run that goes on from another one is judged as that one was: by the same clips and streams.
    if base is not None:
        judging, heard, streams = base.features, base.audio, base.streams
    else:
        judging, heard, streams = features, audio, synthesized.outputs["streams"]
    data: list[base_node.BaseNode] = [
        ingested,
        statistics,
        *schema.nodes,
        *previous.nodes,
        validated,
        kept,
        *(base.nodes if base is not None else []),
        synthesized,
        *([tuned] if tuned else []),
        transformed,
    ]
    if config.model is None:
        return data

    embedded = None
    if config.needs_speech_embedding:
        embedded = SpectrogramTransform(
            examples=audio,
            more_examples=copies,
            params=speech_embedding_params(config.clip_duration_ms),
            keywords=keywords,
        ).with_id("SpeechEmbedding")
        data.append(embedded)
    training = trainers(
        config,
        paths,
        history,
        features,
        streams,
        best,
        embedded.outputs["transformed_examples"] if embedded is not None else None,
        replay=base.features if base is not None else None,
    )
    trained = training[-1]
    started_from = next(
        (node.outputs.get("float_model") for node in training if node.id == "BaseModel"), None
    )
    converted = MicroConverter(
        model=trained.outputs["model"], examples=judging, params=config.conversion
    )
    model = converted.outputs["model"]

    evaluated: base_node.BaseNode
    last = history.in_service(model)
    if config.scenes is not None:
        evaluated = SceneEvaluator(model=model, examples=judging, params=config.scene_evaluation)
    else:
        evaluated = evaluator(
            model=model,
            examples=judging,
            baseline_model=last.baseline,
            params=config.evaluation,
            keywords=keywords,
        )
    own = None
    if base is not None:
        own = evaluator(
            model=model,
            examples=features,
            baseline_model=last.baseline,
            params=NO_WORSE,
            keywords=keywords,
        ).with_id("OwnClipsEvaluator")
    streamed = StreamingEvaluator(
        model=model,
        streams=streams,
        params=streaming_params(config),
        last_model=last.model,
        last_evaluation=last.evaluation,
    )
    fits = MicroValidator(
        model=model,
        examples=judging,
        params=config.budget,
        streams=streams,
        detector=config.streaming.detector,
    )

    pushed = MicroPusher(
        model=model,
        model_blessing=evaluated.outputs["blessing"],
        streaming_blessing=streamed.outputs["blessing"],
        infra_blessing=fits.outputs["blessing"],
        model_evaluation=evaluated.outputs["evaluation"],
        streaming_evaluation=streamed.outputs["evaluation"],
        examples=judging,
        audio_examples=heard,
        own_clips_blessing=own.outputs["blessing"] if own is not None else None,
        own_clips_evaluation=own.outputs["evaluation"] if own is not None else None,
        destination=history.destination,
        info=json.dumps(_info(config, base.info if base is not None else None), sort_keys=True),
    )
    return [
        *data,
        *training,
        converted,
        *last.nodes,
        evaluated,
        *([own] if own is not None else []),
        streamed,
        fits,
        pushed,
        history.keep_model(pushed.outputs["pushed_model"], trained.outputs["model"], started_from),
    ]


def _info(config: Config, base: dict[str, Any] | None) -> dict[str, object]:
    """What the model card says of the data and the configuration.

    Args:
      config: the whole configuration.
      base: the same of the run that this one goes on from.
    """
    if base is not None:
        # Of that run's data the model is made, and its terms hold.
        held_back = [*base.get("held_back", ()), *config.data.restrictions()]
        return {
            **base,
            "name": config.name,
            "data": f"{base['data']}; fitted to one person's own recordings",
            "config": configuration.of_result(config),
            **({"held_back": held_back} if held_back else {}),
        }
    data = config.data
    named = list(zip(names_of(data.all_sources), data.all_sources, strict=True))
    described = [
        SYNTHESIZED if source.voices else f"recordings of {name}" for name, source in named
    ] or [SYNTHESIZED]
    licences = [VOICES_LICENCE] if SYNTHESIZED in described else []
    licences += [data.licence] if data.licence else []
    restrictions, credits = data.restrictions(), data.credits()
    info: dict[str, object] = {
        "name": config.name,
        "keywords": list(config.keywords),
        "model": config.model.name if config.model else None,
        "data": ", ".join(described),
        "licence": "; ".join([*licences, *data.source_licences()]),
        "config": configuration.of_result(config),
    }
    # What does not apply is left out, so that a run of before is still the same execution.
    if credits:
        info["credits"] = credits
    if restrictions:
        info["held_back"] = restrictions
    return info
