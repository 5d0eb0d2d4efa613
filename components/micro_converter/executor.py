"""MicroConverter's executor: read, convert, write."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from absl import logging
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from kws.features import files
from kws.features.example import FeatureExample
from kws.micro import feature_reader, representative
from kws.micro.convert import CONVERSION_FILE, Labelled, convert
from kws.micro.params import ConversionParams
from kws.micro.tflite_model import FLOAT_IO_FILE, MODEL_FILE
from kws.splits import EVAL, TRAIN


class Executor(base_executor.BaseExecutor):
    """See `component.MicroConverter`."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the converted model and the report.

        Raises:
          KwsError: see `kws.micro.convert.convert`.
        """
        import tensorflow as tf

        params = ConversionParams.from_json(exec_properties["params"])
        trained = artifact_utils.get_single_instance(input_dict["float_model"])
        examples = artifact_utils.get_single_instance(input_dict["examples"])
        converted = artifact_utils.get_single_instance(output_dict["model"])
        report = artifact_utils.get_single_instance(output_dict["report"])

        source = Path(path_utils.serving_model_path(trained.uri))
        labels, feature_params = files.read_labels(source), files.read(source)
        files.check_same(feature_params, files.read(examples.uri), examples.uri)
        chosen = representative.choose(
            feature_reader.read(_split(examples, TRAIN), feature_params),
            params.representative_examples,
            params.seed,
        )
        result = convert(
            tf.keras.models.load_model(str(source), compile=False),
            _labelled(chosen),
            _labelled(feature_reader.read(_split(examples, EVAL), feature_params)),
            labels,
            feature_params,
            params,
        )
        figures = result.figures
        logging.info(
            "MicroConverter: float %.2f %%, int8 %.2f %% of %d eval examples; %d bytes",
            100 * figures.float_accuracy,
            100 * figures.int8_accuracy,
            figures.eval_examples,
            figures.model_bytes,
        )
        target = Path(path_utils.serving_model_dir(converted.uri))
        target.mkdir(parents=True, exist_ok=True)
        (target / MODEL_FILE).write_bytes(result.model)
        (target / FLOAT_IO_FILE).write_bytes(result.float_io)
        files.write_labels(target, labels)
        files.write(target, feature_params)
        text = figures.model_dump_json(indent=2) + "\n"
        Path(report.uri).mkdir(parents=True, exist_ok=True)
        for folder in (target, Path(report.uri)):
            (folder / CONVERSION_FILE).write_text(text)
        report.set_float_custom_property("float_accuracy", figures.float_accuracy)
        report.set_float_custom_property("int8_accuracy", figures.int8_accuracy)


def _split(examples: types.Artifact, split: str) -> str:
    return artifact_utils.get_split_uri([examples], split)


def _labelled(examples: Iterable[FeatureExample]) -> Labelled:
    rows = [(example.features, example.label_index) for example in examples]
    return Labelled(
        features=np.stack([features for features, _ in rows]) if rows else np.zeros((0, 0, 0)),
        label_index=np.array([index for _, index in rows], np.int64),
    )
