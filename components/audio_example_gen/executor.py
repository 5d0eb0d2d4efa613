"""TFX AudioExampleGen executor."""

import json
import os
import posixpath
from typing import Any

import apache_beam as beam
from absl import logging
from google.protobuf import wrappers_pb2
from tfx import types
from tfx.components.example_gen import write_split
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.dsl.io import fileio
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import proto_utils

from components.audio_example_gen import ingest
from kws.audio.ingest_summary import INGEST_FILE
from kws.audio.params import IngestParams
from kws.errors import KwsError
from kws.splits import SPLITS


class Executor(base_beam_executor.BaseBeamExecutor):
    """Ingests recordings; see `AudioExampleGen` for what comes out."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Runs the ingestion and notes its figures on the artifact.

        Unlike TFX's own ExampleGens this one splits by speaker, not by pattern or record. It
        writes without a shuffle before (the clips are well mixed already), so that only a few
        clips are in memory at once.

        Raises:
          KwsError: the folder is missing, or the corpus cannot be learned from.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        folder, params = corpus_folder(exec_properties), parse_params(exec_properties)
        if not fileio.isdir(folder):
            raise KwsError(
                f"{folder} is not a folder",
                hint="recordings are expected as <folder>/<word>/<file>",
            )
        examples = artifact_utils.get_single_instance(
            output_dict[standard_component_specs.EXAMPLES_KEY]
        )
        examples.split_names = artifact_utils.encode_split_names(list(SPLITS))
        with self._make_beam_pipeline() as pipeline:
            splits = pipeline | "Ingest" >> ingest.Ingest(folder, params, examples.uri)
            for split, clips in splits.items():
                target = artifact_utils.get_split_uri([examples], split)
                clips | f"Write[{split}]" >> beam.io.WriteToTFRecord(
                    os.path.join(target, write_split.DEFAULT_TF_RECORD_FILE_NAME),
                    file_name_suffix=".gz",
                )
        with fileio.open(os.path.join(examples.uri, INGEST_FILE)) as file:
            summary = json.load(file)
        if "problem" in summary:
            raise KwsError(summary["problem"]["message"], hint=summary["problem"]["hint"])
        examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_TF_EXAMPLE)
        file_format = write_split.to_file_format_str(example_gen_pb2.FORMAT_TFRECORDS_GZIP)
        examples_utils.set_file_format(examples, file_format)
        _note(examples, summary)


def corpus_folder(exec_properties: dict[str, Any]) -> str:
    """The folder of the corpus: the input base and, where there are spans, the span's folder."""
    input_config = example_gen_pb2.Input()
    text = exec_properties[standard_component_specs.INPUT_CONFIG_KEY]
    proto_utils.json_to_proto(text, input_config)
    base = exec_properties[standard_component_specs.INPUT_BASE_KEY]
    # The driver has put the span's number into the patterns; the first is `[<span folder>/]*`.
    return os.path.join(base, posixpath.dirname(input_config.splits[0].pattern)).rstrip("/")


def parse_params(exec_properties: dict[str, Any]) -> IngestParams:
    """The params that `AudioExampleGen` packed into `custom_config`."""
    custom_config = example_gen_pb2.CustomConfig()
    text = exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY]
    proto_utils.json_to_proto(text, custom_config)
    packed = wrappers_pb2.StringValue()
    custom_config.custom_config.Unpack(packed)
    return IngestParams.from_json(packed.value)


def _note(examples: types.Artifact, summary: dict[str, Any]) -> None:
    """Log and custom properties."""
    examples.set_int_custom_property("quarantined", summary["quarantined"])
    examples.set_string_custom_property(
        "quarantine_reasons", json.dumps(summary["quarantine_reasons"])
    )
    for reason, count in summary["quarantine_reasons"].items():
        logging.warning("Quarantined %d files: %s", count, reason)
    for split, labels in summary["clips"].items():
        examples.set_int_custom_property(f"clips_{split}", sum(labels.values()))
        logging.info("Ingested %s: %s", split, labels)
