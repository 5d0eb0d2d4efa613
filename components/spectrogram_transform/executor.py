"""TFX SpectrogramTransform executor."""

import json
import os
from collections.abc import Sequence
from typing import Any

import apache_beam as beam
import numpy as np
from absl import logging
from tfx import types
from tfx.components.example_gen import write_split
from tfx.components.util import examples_utils
from tfx.dsl.io import fileio
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils

from components import staging
from components.inputs import joined
from components.local_workers import LocalWorkersExecutor, Work
from components.records import MixRecords, ReadRecords, SizedFile, WriteRecords, list_files
from components.spectrogram_transform.scenes import ComputeSceneFeatures
from components.spectrogram_transform.transform import METRICS, ComputeFeatures, NoteComplaint
from components.tuner.hyperparameters import best_values
from kws import features
from kws.errors import KwsError
from kws.features import files
from kws.features.params import FeatureParams
from kws.labels import label_list
from kws.splits import SPLITS
from kws.training.tuning_space import FEATURES, applied

MIN_FILES = 2
FILE_BYTES = 64 << 20
"""Of audio examples for each file of features: by the data, not by the number of workers."""
WORK_PER_SECOND = 0.001
"""Seconds of one core for a second of audio (`benchmarks.local_cores`)."""
_COMPLAINT_FILE = "refused.json"


class Executor(LocalWorkersExecutor):
    """Features of clips or scenes; see `SpectrogramTransform` for what comes out."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Runs one Beam pipeline over all splits of all input artifacts.

        Raises:
          KwsError: the frontend refuses the parameters, or a clip does not fit them.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        sources = joined(input_dict)["examples"]
        transformed = artifact_utils.get_single_instance(output_dict["transformed_examples"])
        best = best_values(input_dict.get("hyperparameters"))
        params = applied(FEATURES, FeatureParams.from_json(exec_properties["params"]), best)
        labels = label_list(json.loads(exec_properties["keywords"]))
        of_scenes = bool(exec_properties.get("scenes"))
        # What is wrong with the parameters is said here, not by a worker.
        features.create(params).compute(np.zeros(params.window_samples, np.int16))

        splits = _splits(sources)
        transformed.split_names = artifact_utils.encode_split_names(splits)
        with staging.written(transformed.uri) as folder:
            files.write(folder, params)
            files.write_labels(folder, labels)
        complaint_file = os.path.join(transformed.uri, _COMPLAINT_FILE)
        complaints = []
        inputs = {split: list_files(_patterns(sources, split)) for split in splits}
        with self.make_pipeline(_work(inputs, params)) as pipeline:
            for split in splits:
                compute = (
                    ComputeSceneFeatures(params, split)
                    if of_scenes
                    else ComputeFeatures(params, labels, split)
                )
                computed, refused = (
                    pipeline
                    | f"Read[{split}]" >> ReadRecords(inputs[split])
                    | f"Examples[{split}]" >> beam.Values()
                    | f"Features[{split}]" >> compute
                )
                complaints.append(refused)
                prefix = os.path.join(
                    artifact_utils.get_split_uri([transformed], split),
                    write_split.DEFAULT_TF_RECORD_FILE_NAME,
                )
                (
                    computed
                    | f"Mix[{split}]" >> MixRecords(_file_count(inputs[split]))
                    | f"Write[{split}]" >> WriteRecords(prefix)
                )
            complaints | beam.Flatten() | "Complain" >> NoteComplaint(complaint_file)
        counts = counters(pipeline.result)
        _raise_complaint(complaint_file, counts, "scenes" if of_scenes else "clips")
        for split in splits:
            clips = counts.get(f"clips_{split}", 0)
            milliseconds = counts.get(f"milliseconds_{split}", 0)
            transformed.set_int_custom_property(f"clips_{split}", clips)
            transformed.set_int_custom_property(f"milliseconds_{split}", milliseconds)
            logging.info(
                "SpectrogramTransform: %s features of %d %s (%.1f s) of split %s",
                *(params.frontend, clips, "scenes" if of_scenes else "clips"),
                *(milliseconds / 1000, split),
            )
        examples_utils.set_payload_format(transformed, example_gen_pb2.FORMAT_TF_EXAMPLE)
        file_format = write_split.to_file_format_str(example_gen_pb2.FORMAT_TFRECORDS_GZIP)
        examples_utils.set_file_format(transformed, file_format)


def counters(result: beam.runners.runner.PipelineResult) -> dict[str, int]:
    """The component's Beam counters by name, after a run; see `transform.METRICS`."""
    found = result.metrics().query(beam.metrics.MetricsFilter().with_namespace(METRICS))
    return {
        counter.key.metric.name: counter.committed
        for counter in found[beam.metrics.metric.MetricResults.COUNTERS]
    }


def _splits(artifacts: Sequence[types.Artifact]) -> list[str]:
    """All splits that any artifact has: train, eval, test, then others by name."""
    names = {name for a in artifacts for name in artifact_utils.decode_split_names(a.split_names)}
    return [*(s for s in SPLITS if s in names), *sorted(names.difference(SPLITS))]


def _patterns(artifacts: Sequence[types.Artifact], split: str) -> list[str]:
    """Of the files of one split in the artifacts that have it."""
    return [
        os.path.join(artifact_utils.get_split_uri([artifact], split), "*")
        for artifact in artifacts
        if split in artifact_utils.decode_split_names(artifact.split_names)
    ]


def _file_count(files: Sequence[SizedFile]) -> int:
    """Of a split's features: two, or more for more than 128 MiB of audio examples."""
    return max(MIN_FILES, -(-sum(size for _, size in files) // FILE_BYTES))


def _work(inputs: dict[str, list[SizedFile]], params: FeatureParams) -> Work:
    audio_bytes = sum(size for some in inputs.values() for _, size in some)
    seconds = audio_bytes / (2 * params.sample_rate)
    # The features are put in order in this process, for which it holds those of a split.
    values = seconds * 1000 / params.window_stride_ms * params.channels
    return Work(seconds=WORK_PER_SECOND * seconds, shared_bytes=int(4 * values))


def _raise_complaint(file: str, counts: dict[str, int], kind: str) -> None:
    if not fileio.exists(file):
        return
    with fileio.open(file) as complaint:
        message, hint = json.load(complaint)
    total = sum(count for name, count in counts.items() if name.startswith("refused_"))
    others = f" (and {total - 1} more {kind} like it)" if total > 1 else ""
    raise KwsError(message + others, hint=hint)
