"""TFX AudioSynthesizer executor."""

import os
from typing import Any

import apache_beam as beam
from absl import logging
from tfx import types
from tfx.components.example_gen import write_split
from tfx.components.util import examples_utils
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.dsl.io import fileio
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils

from components.audio_synthesizer.copies import NoisyCopies
from components.audio_synthesizer.recordings import find_backgrounds, find_negatives
from components.audio_synthesizer.streams import (
    JoinNegatives,
    LayStreams,
    stream_count,
    stream_id,
)
from kws.augment.params import NoisyCopyParams
from kws.errors import KwsError
from kws.scenes.negatives import plan_negatives
from kws.scenes.params import StreamParams
from kws.scenes.piece import Piece
from kws.splits import EVAL, SPLITS, TEST, TRAIN, Split

STREAM_SPLITS: tuple[Split, ...] = (EVAL, TEST)


class Executor(BaseBeamExecutor):
    """Noisy copies and streams; see `AudioSynthesizer` for what comes out."""

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
        streams = artifact_utils.get_single_instance(output_dict["streams"])
        copying = NoisyCopyParams.from_json(exec_properties["noisy_copy_params"])
        laying = StreamParams.from_json(exec_properties["stream_params"])
        rate = exec_properties["sample_rate"]
        corpus = (
            exec_properties["input_base"],
            exec_properties["eval_percentage"],
            exec_properties["test_percentage"],
        )
        copies = {s: copying.copies if s == TRAIN else copying.eval_copies for s in SPLITS}
        # Looked for first: an error inside the pipeline would reach the user as a stack trace.
        backgrounds = {s: _backgrounds(s, copies[s], *corpus) for s in SPLITS}
        negatives = {s: _negatives(s, laying, *corpus) for s in STREAM_SPLITS}

        examples.split_names = artifact_utils.encode_split_names(list(SPLITS))
        folders = {s: os.path.join(streams.uri, f"Split-{s}") for s in STREAM_SPLITS}
        for folder in folders.values():
            fileio.makedirs(folder)
        with self._make_beam_pipeline() as pipeline:
            for split in SPLITS:
                pattern = os.path.join(artifact_utils.get_split_uri([originals], split), "*")
                clips = pipeline | f"Read[{split}]" >> beam.io.ReadFromTFRecord(pattern)
                prefix = os.path.join(
                    artifact_utils.get_split_uri([examples], split),
                    write_split.DEFAULT_TF_RECORD_FILE_NAME,
                )
                copy = NoisyCopies(backgrounds[split], copying.to_json(), copies[split], rate)
                # No copies, no step: it would want a background all the same.
                noisy = (
                    clips | f"Copy[{split}]" >> beam.ParDo(copy)
                    if copies[split]
                    else pipeline | f"NoCopies[{split}]" >> beam.Create([], reshuffle=False)
                )
                noisy | f"Write[{split}]" >> beam.io.WriteToTFRecord(prefix, file_name_suffix=".gz")
                if split in STREAM_SPLITS:
                    clips | f"LayStreams[{split}]" >> LayStreams(
                        split, backgrounds[split], laying, rate, folders[split]
                    )
                    (
                        pipeline
                        | f"Negatives[{split}]" >> beam.Create(negatives[split])
                        | f"Join[{split}]" >> beam.ParDo(JoinNegatives(rate, folders[split]))
                    )
        examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_TF_EXAMPLE)
        file_format = write_split.to_file_format_str(example_gen_pb2.FORMAT_TFRECORDS_GZIP)
        examples_utils.set_file_format(examples, file_format)
        for split in STREAM_SPLITS:
            _check_streams(folders[split], split, laying)


def _backgrounds(
    split: Split, copies: int, folder: str, eval_percentage: float, test_percentage: float
) -> list[Piece]:
    if not copies and split not in STREAM_SPLITS:
        return []
    return find_backgrounds(folder, split, eval_percentage, test_percentage)


def _negatives(
    split: Split,
    params: StreamParams,
    folder: str,
    eval_percentage: float,
    test_percentage: float,
) -> list[tuple[str, list[Piece]]]:
    """Named streams of pieces."""
    recordings = find_negatives(folder, split, eval_percentage, test_percentage)
    planned = plan_negatives(recordings, params.negatives_chunk_s * 1000)
    return [(f"negatives-{split}-{i:03d}", pieces) for i, pieces in enumerate(planned)]


def _check_streams(folder: str, split: Split, params: StreamParams) -> None:
    """Every stream of words is there; it is not if no clip was dealt to it."""
    written = [name for name in fileio.listdir(folder) if name.endswith(".json")]
    expected = [f"{stream_id(split, i)}.json" for i in range(stream_count(params))]
    missing = [name for name in expected if name not in written]
    if missing:
        raise KwsError(
            f"split {split} has too few clips of words for {len(expected)} streams of words",
            hint=f"add clips of more speakers, or ask for fewer than {params.minutes:g} minutes",
        )
    logging.info("AudioSynthesizer: %d streams of split %s", len(written), split)
