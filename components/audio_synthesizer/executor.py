"""TFX AudioSynthesizer executor."""

import itertools
import os
from typing import Any

import apache_beam as beam
from absl import logging
from tfx import types
from tfx.components.example_gen import write_split
from tfx.components.util import examples_utils
from tfx.dsl.io import fileio
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils

from components.audio_synthesizer.copies import METRICS, NoisyCopies
from components.audio_synthesizer.recordings import (
    corpus_of,
    find_backgrounds,
    find_negatives,
    find_rooms,
    sample_backgrounds,
    sample_talkers,
)
from components.audio_synthesizer.scenes import LayScenes
from components.audio_synthesizer.streams import (
    JoinNegatives,
    LayStreams,
    NamedStream,
    StreamRecordings,
    VaryNegatives,
    plan_versions,
    sample_streams,
    word_stream_ids,
)
from components.local_workers import LocalWorkersExecutor, Work
from components.records import ReadRecords, SizedFile, WriteRecords, list_files
from kws.augment.params import NoisyCopyParams
from kws.corpus.listing import CONVERT
from kws.corpus.source_yield import MAX_LOSS, MS_PER_MINUTE
from kws.errors import DataError, KwsError
from kws.labels import NEGATIVES_FOLDER
from kws.scenes.ground_truth import GroundTruth
from kws.scenes.negatives import VARIED_FOLDER, Piece, plan_negatives, plan_talkers
from kws.scenes.params import SceneParams, StreamParams
from kws.splits import EVAL, SPLITS, TEST, TRAIN, Split

STREAM_SPLITS: tuple[Split, ...] = (EVAL, TEST)
WORK_PER_SECOND = 0.002
"""Seconds of one core for a second of noisy copies, streams or scenes (`benchmarks.local_cores`);
with rooms, pitch or codecs they take more."""


class Executor(LocalWorkersExecutor):
    """Noisy copies, streams and scenes; see `AudioSynthesizer` for what comes out."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Runs one Beam pipeline over all splits.

        Raises:
          KwsError: a split has no background, or no word to lay.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        originals = artifact_utils.get_single_instance(input_dict["audio_examples"])
        examples = artifact_utils.get_single_instance(output_dict["examples"])
        heard = input_dict.get("background_examples")
        copying = NoisyCopyParams.from_json(exec_properties["noisy_copy_params"])
        laying = stream_params(exec_properties)
        staging = _scene_params(exec_properties)
        scenes = output_dict["scenes"][0] if staging else None
        rate = exec_properties["sample_rate"]
        corpus = (
            corpus_of(originals.uri, exec_properties["input_base"]),
            exec_properties["eval_percentage"],
            exec_properties["test_percentage"],
        )
        copies = {s: copying.most_copies(s) for s in SPLITS}
        silences = {s: artifact_utils.get_split_uri(heard, s) if heard else "" for s in SPLITS}
        # Looked for first: an error inside the pipeline would reach the user as a stack trace.
        backgrounds = {
            s: sample_backgrounds(find_backgrounds(corpus[0], s, *corpus[1:]), copying.seed)
            if not heard and (copies[s] or s in laying or staging)
            else []
            for s in SPLITS
        }
        talkers = {s: _talkers(s, copying, *corpus) for s in SPLITS}
        rooms = {s: find_rooms(corpus[0], s, copying.augment.rooms, copying.seed) for s in SPLITS}
        most_ms = {s: params.negatives_hours * 3_600_000 for s, params in laying.items()}
        if TRAIN in laying:
            most_ms[TRAIN] = exec_properties["train_negatives_minutes"] * 60_000
        negatives = {
            s: planned_negatives(s, params, most_ms[s], *corpus) for s, params in laying.items()
        }

        recordings = {
            s: _stream_recordings(s, params, backgrounds[s], negatives[s], corpus[0])
            for s, params in laying.items()
        }

        for made in (examples, scenes):
            if made is not None:
                made.split_names = artifact_utils.encode_split_names(list(SPLITS))
        stream_root = artifact_utils.get_single_uri(output_dict["streams"]) if laying else ""
        folders = {s: os.path.join(stream_root, f"Split-{s}") for s in laying}
        versions = plan_versions(negatives[EVAL], laying[EVAL].varied_hours) if laying else []
        varied_folder = os.path.join(stream_root, VARIED_FOLDER)
        for folder in [*folders.values(), *([varied_folder] if versions else [])]:
            fileio.makedirs(folder)
        sources = {
            s: list_files([os.path.join(artifact_utils.get_split_uri([originals], s), "*")])
            for s in SPLITS
        }
        work = _work(
            *(sources, backgrounds, talkers, copying, laying, negatives, versions, staging, rate)
        )
        with self.make_pipeline(work) as pipeline:
            for split in SPLITS:
                placed = pipeline | f"Read[{split}]" >> ReadRecords(sources[split])
                copy = NoisyCopies(
                    *(backgrounds[split], copying.to_json(), rate, split, rooms[split]),
                    talkers[split],
                    silences[split],
                )
                # No copies, no step: it would want a background all the same.
                noisy = (
                    placed | f"Copy[{split}]" >> beam.ParDo(copy)
                    if copies[split]
                    else pipeline | f"NoCopies[{split}]" >> beam.Create([], reshuffle=False)
                )
                noisy | f"Write[{split}]" >> WriteRecords(_prefix(examples, split), audio=True)
                clips = placed | f"Clips[{split}]" >> beam.Values()
                if split in laying:
                    clips | f"LayStreams[{split}]" >> LayStreams(
                        split, recordings[split], laying[split], rate, folders[split]
                    )
                    (
                        pipeline
                        | f"Negatives[{split}]" >> beam.Create(negatives[split])
                        | f"Join[{split}]" >> beam.ParDo(JoinNegatives(rate, folders[split]))
                    )
                if split == EVAL and laying:
                    vary = VaryNegatives(
                        recordings[split], laying[split].to_json(), rate, split, varied_folder
                    )
                    (pipeline | "Versions" >> beam.Create(versions) | "Vary" >> beam.ParDo(vary))
                if scenes is not None and staging is not None:
                    (
                        clips
                        | f"LayScenes[{split}]"
                        >> LayScenes(split, backgrounds[split], staging, rate)
                        | f"WriteScenes[{split}]"
                        >> WriteRecords(_prefix(scenes, split), audio=True)
                    )
        _describe(examples)
        if scenes is not None:
            _describe(scenes)
            _note_scenes(scenes, pipeline.result)
        for split, params in laying.items():
            _check_streams(folders[split], split, params)
            _check_negatives(folders[split], split, negatives[split])


def stream_params(exec_properties: dict[str, Any]) -> dict[Split, StreamParams]:
    """Of each split that has streams; train has some only where it is asked for."""
    if not exec_properties.get("stream_params"):
        return {}
    params = StreamParams.from_json(exec_properties["stream_params"])
    laying = dict.fromkeys(STREAM_SPLITS, params)
    minutes = exec_properties.get("train_stream_minutes")
    if minutes:
        # Hard negatives are mined in the mixture.
        laying[TRAIN] = params.model_copy(update={"minutes": minutes, "conditions": ()})
    return laying


def _stream_recordings(
    split: Split,
    params: StreamParams,
    backgrounds: list[Piece],
    negatives: list[NamedStream],
    folder: str,
) -> StreamRecordings:
    talking = [piece for _, pieces in negatives for piece in pieces] if params.needs_babble else []
    return StreamRecordings(
        backgrounds=backgrounds,
        talkers=plan_talkers(talking, params.seed),
        room_paths=find_rooms(folder, split, params.most_rooms, params.seed),
    )


def _work(
    sources: dict[Split, list[SizedFile]],
    backgrounds: dict[Split, list[Piece]],
    talkers: dict[Split, list[Piece]],
    copying: NoisyCopyParams,
    laying: dict[Split, StreamParams],
    negatives: dict[Split, list[NamedStream]],
    versions: list[NamedStream],
    staging: SceneParams | None,
    sample_rate: int,
) -> Work:
    """How much there is to do, by the size of what it is made of."""
    copied_s = 0.0
    for split in SPLITS:
        clips_s = sum(size for _, size in sources[split]) / (2 * sample_rate)
        lengthened = 1 + copying.lead_in_ms / 1000
        copied_s += copying.most_copies(split) * clips_s * lengthened
    laid_s = sum(60 * params.minutes * max(1, len(params.conditions)) for params in laying.values())
    joined = [*itertools.chain(*negatives.values()), *versions]
    joined_ms = sum(piece.duration_ms for _, pieces in joined for piece in pieces)
    scenes_s = sum(staging.scenes) * staging.duration_ms / 1000 if staging else 0.0
    heard_ms = sum(piece.duration_ms for pieces in backgrounds.values() for piece in pieces)
    talk_ms = sum(piece.duration_ms for pieces in talkers.values() for piece in pieces)
    return Work(
        seconds=WORK_PER_SECOND * (copied_s + laid_s + joined_ms / 1000 + scenes_s),
        # Copies, streams and scenes each hold the backgrounds; copies alone the talkers.
        worker_bytes=int(2 * sample_rate * (3 * heard_ms + talk_ms) / 1000),
    )


def _talkers(
    split: Split,
    copying: NoisyCopyParams,
    folder: str,
    eval_percentage: float,
    test_percentage: float,
) -> list[Piece]:
    """Who talks around the words of a split's copies; nobody where none are asked for.

    Raises:
      KwsError: they are asked for, and the split has no negatives in which people talk.
    """
    if not copying.needs_talkers(split):
        return []
    negatives = find_negatives(folder, split, eval_percentage, test_percentage)
    found = sample_talkers(negatives, copying.seed)
    if not found:
        asked = copying.model_dump(
            include={"babble_share", "single_talker_share", "talk_before_share", "partial_copies"}
        )
        names = ", ".join(f"{name}={value:g}" for name, value in asked.items() if value)
        raise KwsError(
            f"noisy_copies asks for other people's speech ({names}), but split {split} has no "
            f"recording of speech in {NEGATIVES_FOLDER} ({len(negatives)} of something else)",
            hint="add recordings of people who never say a keyword (negatives), or set these to 0",
        )
    return found


def _scene_params(exec_properties: dict[str, Any]) -> SceneParams | None:
    text = exec_properties.get("scene_params")
    return SceneParams.from_json(text) if text else None


def planned_negatives(
    split: Split,
    params: StreamParams,
    most_ms: float,
    folder: str,
    eval_percentage: float,
    test_percentage: float,
) -> list[tuple[str, list[Piece]]]:
    """Named streams of pieces: of all recordings, or whole ones until they last `most_ms`."""
    recordings = find_negatives(folder, split, eval_percentage, test_percentage)
    planned = plan_negatives(recordings, params.negatives_chunk_s * 1000)
    named = [(f"negatives-{split}-{i:03d}", pieces) for i, pieces in enumerate(planned)]
    return sample_streams(named, most_ms, params.seed)


def _prefix(examples: types.Artifact, split: Split) -> str:
    folder = artifact_utils.get_split_uri([examples], split)
    return os.path.join(folder, write_split.DEFAULT_TF_RECORD_FILE_NAME)


def _describe(examples: types.Artifact) -> None:
    """What TFX's readers ask of an artifact."""
    examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_TF_EXAMPLE)
    file_format = write_split.to_file_format_str(example_gen_pb2.FORMAT_TFRECORDS_GZIP)
    examples_utils.set_file_format(examples, file_format)


def _note_scenes(scenes: types.Artifact, result: beam.runners.runner.PipelineResult) -> None:
    """Log and custom properties."""
    found = result.metrics().query(beam.metrics.MetricsFilter().with_namespace(METRICS))
    counts = {
        counter.key.metric.name: counter.committed
        for counter in found[beam.metrics.metric.MetricResults.COUNTERS]
    }
    for split in SPLITS:
        number, words, left_out = (
            counts.get(f"{name}_{split}", 0)
            for name in ("scenes", "scene_words", "scene_words_left_out")
        )
        scenes.set_int_custom_property(f"scenes_{split}", number)
        scenes.set_int_custom_property(f"words_{split}", words)
        scenes.set_int_custom_property(f"left_out_{split}", left_out)
        logging.info(
            "AudioSynthesizer: %d scenes of split %s with %d words (%d found no place)",
            *(number, split, words, left_out),
        )


def _check_negatives(folder: str, split: Split, planned: list[NamedStream]) -> None:
    """Most of the negatives were laid: a recording may begin well and break off all the same."""
    planned_ms = sum(piece.duration_ms for _, pieces in planned for piece in pieces)
    laid_ms = 0.0
    for name, _ in planned:
        path = os.path.join(folder, f"{name}.json")
        if fileio.exists(path):
            with fileio.open(path) as file:
                laid_ms += GroundTruth.from_json(file.read()).duration_ms
    if laid_ms < (1 - MAX_LOSS) * planned_ms:
        names = sorted({piece.path for _, pieces in planned for piece in pieces})
        raise DataError(
            f"negatives of split {split}: {laid_ms / MS_PER_MINUTE:.3g} of "
            f"{planned_ms / MS_PER_MINUTE:.3g} minutes can be read of {len(names)} recordings, "
            f"{names[0]} among them",
            hint=f"mend, convert ({CONVERT}) or remove the files that the log names",
        )


def _check_streams(folder: str, split: Split, params: StreamParams) -> None:
    """Every stream of words is there; it is not if no clip was dealt to it."""
    written = [name for name in fileio.listdir(folder) if name.endswith(".json")]
    expected = [f"{name}.json" for name in word_stream_ids(split, params)]
    missing = [name for name in expected if name not in written]
    if missing:
        raise KwsError(
            f"split {split} has too few clips of words for {len(expected)} streams of words",
            hint=f"add clips of more speakers, or ask for fewer than {params.minutes:g} minutes",
        )
    logging.info("AudioSynthesizer: %d streams of split %s", len(written), split)
