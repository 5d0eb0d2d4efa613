"""HardNegativeMiner's executor: score every train stream, keep what is wrongly accepted."""

import io
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from absl import logging
from tfx import types
from tfx.components.example_gen import write_split
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_executor
from tfx.dsl.io import fileio
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils
from tfx.utils import path_utils

from kws import features
from kws.audio.read import Unreadable, read
from kws.detection.params import DetectorParams, MatchParams
from kws.detection.posteriors import LONGEST_STREAM_MS, stream_posteriors
from kws.errors import KwsError
from kws.features import example, files
from kws.scenes.ground_truth import GroundTruth
from kws.splits import EVAL, TRAIN, Split
from kws.training.mining import HardNegative, hardest, mine_stream, summary
from kws.training.saved_model import FloatModel

MINED_FILE = "mined.json"


class Executor(base_executor.BaseExecutor):
    """See `component.HardNegativeMiner`."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the mined examples and what they are.

        Raises:
          KwsError: there is no train stream, or one cannot be read.
        """
        detector = DetectorParams.from_json(exec_properties["detector"])
        match_params = MatchParams.from_json(exec_properties["match"])
        trained = artifact_utils.get_single_instance(input_dict["model"])
        streams = artifact_utils.get_single_instance(input_dict["streams"])
        examples = artifact_utils.get_single_instance(output_dict["examples"])

        wavs = _streams(os.path.join(streams.uri, f"Split-{TRAIN}"))
        model = FloatModel.load(path_utils.serving_model_path(trained.uri))
        found: list[HardNegative] = []
        hours = 0.0
        for number, wav in enumerate(wavs, start=1):
            mined, duration_ms = _mine(wav, model, detector, match_params)
            found += mined
            hours += duration_ms / 3_600_000
            logging.info(
                "HardNegativeMiner: stream %d of %d, %d false accepts in %.2f h",
                *(number, len(wavs), len(found), hours),
            )
        kept = hardest(found, exec_properties["max_examples"])
        report = {"hours": hours, "found": len(found), **summary(kept)}
        _write(examples, kept, model)
        (Path(examples.uri) / MINED_FILE).write_text(json.dumps(report, indent=2) + "\n")
        examples.set_int_custom_property("mined", len(kept))
        worst = ", ".join(
            f"{row['said']} for {row['detected']} ({row['count']})"
            for row in report["taken_for"][:5]
        )
        logging.info(
            "HardNegativeMiner: %d hard negatives of %d found in %.2f h of train streams%s",
            *(len(kept), len(found), hours, f": {worst}" if worst else ""),
        )


def _streams(folder: str) -> list[str]:
    names = fileio.listdir(folder) if fileio.isdir(folder) else []
    wavs = sorted(os.path.join(folder, name) for name in names if name.endswith(".wav"))
    if not wavs:
        raise KwsError(
            f"{folder} holds no stream to mine",
            hint="AudioSynthesizer lays train streams where training.hard_negatives is given",
        )
    return wavs


def _mine(
    wav: str, model: FloatModel, detector: DetectorParams, match_params: MatchParams
) -> tuple[list[HardNegative], int]:
    """The false accepts of one stream, and how long it is, ms."""
    params = model.feature_params
    with fileio.open(wav.removesuffix(".wav") + ".json") as file:
        truth = GroundTruth.from_json(file.read())
    with fileio.open(wav, "rb") as file:
        content = io.BytesIO(file.read())
    try:
        audio = read(content, params.sample_rate, max_duration_ms=LONGEST_STREAM_MS).audio
    except Unreadable as error:
        raise KwsError(f"the stream {wav} cannot be read: {error}") from error
    frontend = features.create(params)
    times_ms, posteriors = stream_posteriors(model, frontend, audio, detector.clip_stride_ms)
    # The features once more, to cut windows of: a thousandth of the stream's length.
    mined = mine_stream(
        frontend.compute(audio),
        times_ms,
        posteriors,
        truth,
        model.labels,
        params,
        detector,
        match_params,
    )
    return mined, truth.duration_ms


def _write(examples: types.Artifact, kept: Sequence[HardNegative], model: FloatModel) -> None:
    """Split train with the examples, split eval without any, and what they are."""
    import tensorflow as tf

    splits: dict[Split, Sequence[HardNegative]] = {TRAIN: kept, EVAL: ()}
    examples.split_names = artifact_utils.encode_split_names(list(splits))
    for split, rows in splits.items():
        folder = artifact_utils.get_split_uri([examples], split)
        fileio.makedirs(folder)
        name = f"{write_split.DEFAULT_TF_RECORD_FILE_NAME}-00000-of-00001.gz"
        with tf.io.TFRecordWriter(os.path.join(folder, name), "GZIP") as writer:
            for row in rows:
                writer.write(example.encode(row.example))
    files.write(examples.uri, model.feature_params)
    files.write_labels(examples.uri, model.labels)
    examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_TF_EXAMPLE)
    file_format = write_split.to_file_format_str(example_gen_pb2.FORMAT_TFRECORDS_GZIP)
    examples_utils.set_file_format(examples, file_format)
