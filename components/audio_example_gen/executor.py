"""TFX AudioExampleGen executor."""

import json
import os
import posixpath
from typing import Any

from absl import logging
from google.protobuf import wrappers_pb2
from tfx import types
from tfx.components.example_gen import write_split
from tfx.components.example_gen.utils import SPAN_PROPERTY_NAME
from tfx.components.util import examples_utils
from tfx.dsl.io import fileio
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import proto_utils

from components import staging
from components.audio_example_gen import ingest
from components.audio_example_gen.digest import WriteDigest
from components.local_workers import LocalWorkersExecutor, Work
from components.records import WriteRecords
from kws.corpus.folders import SOURCES_FILE, Corpus, Folder
from kws.corpus.ingest_summary import INGEST_FILE
from kws.corpus.params import IngestParams
from kws.corpus.spans import find_spans, last_spans
from kws.corpus.splits import salt_of
from kws.errors import DataError, KwsError
from kws.splits import SPLITS

WORK_PER_FILE = 0.0035
"""Seconds of one core for a recording of a second, decoded twice (`benchmarks.local_cores`)."""
PLAN_BYTES_PER_FILE = 2500
"""Of memory, here and in the one worker that plans (`benchmarks.ingestion --memory`)."""


class Executor(LocalWorkersExecutor):
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
        corpus, params = find_corpus(exec_properties), parse_params(exec_properties)
        for folder in corpus.folders:
            if not fileio.isdir(folder.path):
                raise KwsError(
                    f"{folder.path} is not a folder",
                    hint="recordings are expected as <folder>/<word>/<file>",
                )
        salt = salt_of(params.speaker_salt_env) if params.speaker_salt_env else None
        examples = artifact_utils.get_single_instance(
            output_dict[standard_component_specs.EXAMPLES_KEY]
        )
        examples.split_names = artifact_utils.encode_split_names(list(SPLITS))
        # The driver notes the span in a custom property; StatisticsGen hands on this one.
        # On Kubeflow numbers come as floats.
        examples.span = int(exec_properties.get(SPAN_PROPERTY_NAME) or 0)
        with self.make_pipeline(_work(corpus)) as pipeline:
            splits = pipeline | "Ingest" >> ingest.Ingest(corpus, params, examples.uri, salt)
            for split, clips in splits.items():
                target = artifact_utils.get_split_uri([examples], split)
                clips | f"Write[{split}]" >> WriteRecords(
                    os.path.join(target, write_split.DEFAULT_TF_RECORD_FILE_NAME), audio=True
                )
            splits | "WriteDigest" >> WriteDigest(examples.uri, corpus)
        with fileio.open(os.path.join(examples.uri, INGEST_FILE)) as file:
            summary = json.load(file)
        if "problem" in summary:
            raise DataError(summary["problem"]["message"], hint=summary["problem"]["hint"])
        examples_utils.set_payload_format(examples, example_gen_pb2.FORMAT_TF_EXAMPLE)
        file_format = write_split.to_file_format_str(example_gen_pb2.FORMAT_TFRECORDS_GZIP)
        examples_utils.set_file_format(examples, file_format)
        _note(examples, summary)


def _work(corpus: Corpus) -> Work:
    """By the number of files, for which folders of a store are not listed twice."""
    here = [folder.path for folder in corpus.folders if not staging.is_url(folder.path)]
    count = sum(len(ingest.list_folder(path).files) for path in here)
    return Work(seconds=WORK_PER_FILE * count, shared_bytes=PLAN_BYTES_PER_FILE * count)


def find_corpus(exec_properties: dict[str, Any]) -> Corpus:
    """What to ingest: the folder that the driver chose, the mix in it, or the last spans."""
    folder, custom = corpus_folder(exec_properties), _custom_config(exec_properties)
    if posixpath.basename(_first_pattern(exec_properties)) == SOURCES_FILE:
        with fileio.open(os.path.join(folder, SOURCES_FILE)) as file:
            return Corpus.from_json(file.read())
    if "last_spans" not in custom:
        return Corpus.of_folder(folder)
    base = exec_properties[standard_component_specs.INPUT_BASE_KEY]

    def list_folders(inside: str) -> list[str]:
        names = [name.rstrip("/") for name in fileio.listdir(os.path.join(base, inside))]
        return [name for name in names if fileio.isdir(os.path.join(base, inside, name))]

    found = find_spans(custom["span_folder"], list_folders)
    chosen = [span for span in found if span.number <= exec_properties[SPAN_PROPERTY_NAME]]
    return Corpus(
        tuple(
            Folder(path=os.path.join(base, span.folder), prefix=f"span-{span.number}")
            for span in last_spans(chosen, custom["last_spans"], folder)
        )
    )


def corpus_folder(exec_properties: dict[str, Any]) -> str:
    """The folder of the corpus: the input base and, where there are spans, the span's folder."""
    base = exec_properties[standard_component_specs.INPUT_BASE_KEY]
    return os.path.join(base, posixpath.dirname(_first_pattern(exec_properties))).rstrip("/")


def _first_pattern(exec_properties: dict[str, Any]) -> str:
    """`[<span folder>/]*`, or `…/sources.json`; the driver has put the span's number in."""
    input_config = example_gen_pb2.Input()
    text = exec_properties[standard_component_specs.INPUT_CONFIG_KEY]
    proto_utils.json_to_proto(text, input_config)
    return input_config.splits[0].pattern


def parse_params(exec_properties: dict[str, Any]) -> IngestParams:
    """The params that `AudioExampleGen` packed into `custom_config`."""
    return IngestParams.from_json(_custom_config(exec_properties)["params"])


def _custom_config(exec_properties: dict[str, Any]) -> dict[str, Any]:
    custom_config = example_gen_pb2.CustomConfig()
    text = exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY]
    proto_utils.json_to_proto(text, custom_config)
    packed = wrappers_pb2.StringValue()
    custom_config.custom_config.Unpack(packed)
    return json.loads(packed.value)


def _note(examples: types.Artifact, summary: dict[str, Any]) -> None:
    """Log and custom properties."""
    examples.set_int_custom_property("quarantined", summary["quarantined"])
    if summary["keyword_in_transcript"]:
        examples.set_int_custom_property("keyword_in_transcript", summary["keyword_in_transcript"])
    examples.set_string_custom_property(
        "quarantine_reasons", json.dumps(summary["quarantine_reasons"])
    )
    examples.set_int_custom_property("cross_split_duplicates", summary["cross_split_duplicates"])
    examples.set_string_custom_property("notes", json.dumps(summary["notes"]))
    for note, count in summary["notes"].items():
        logging.warning("Read with a note: %d files: %s", count, note)
    for reason, count in summary["quarantine_reasons"].items():
        logging.warning("Quarantined %d files: %s", count, reason)
    for split, labels in summary["clips"].items():
        examples.set_int_custom_property(f"clips_{split}", sum(labels.values()))
        logging.info("Ingested %s: %s", split, labels)
