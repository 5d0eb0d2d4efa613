"""MicroConverter's executor: read, convert, write."""

import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from absl import logging
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from kws import code_version
from kws.bundle import lineage
from kws.export import feature_reader
from kws.export.convert import CONVERSION_FILE, Conversion, Labelled, choose_representative, convert
from kws.export.convert_steps import CALIBRATION_SCENES, convert_steps
from kws.export.microwakeword import CONVERTED_FILE
from kws.export.params import ConversionParams
from kws.features import files
from kws.features.example import FeatureExample
from kws.features.params import FeatureParams
from kws.models import registry
from kws.models.params import ModelParams
from kws.runtime.int8_file import FLOAT_IO_FILE, MODEL_FILE
from kws.scenes.example import read_scenes
from kws.splits import EVAL, TRAIN
from kws.training import saved_model
from kws.training.saved_model import TRAINING_FILE


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
          KwsError: see `kws.export.convert.convert`.
        """
        params = ConversionParams.from_json(exec_properties["params"])
        trained = artifact_utils.get_single_instance(input_dict["float_model"])
        examples = artifact_utils.get_single_instance(input_dict["examples"])
        converted = artifact_utils.get_single_instance(output_dict["model"])
        report = artifact_utils.get_single_instance(output_dict["report"])

        source = Path(path_utils.serving_model_path(trained.uri))
        labels, feature_params = files.read_labels(source), files.read(source)
        files.check_same(feature_params, files.read(examples.uri), examples.uri)
        trained_model = saved_model.load(source)
        model_params = _model_params(source)
        if model_params is not None and registry.output(model_params.name) == "steps":
            result = _convert_steps(
                trained_model, examples, labels[0], feature_params, params, model_params
            )
        else:
            result = _convert(trained_model, examples, labels, feature_params, params, model_params)
        figures = result.figures
        logging.info(
            "MicroConverter: %s, float %.2f %%, int8 %.2f %% of %d eval examples; %d bytes",
            figures.kind,
            100 * figures.float_accuracy,
            100 * figures.int8_accuracy,
            figures.eval_examples,
            figures.model_bytes,
        )
        target = Path(path_utils.serving_model_dir(converted.uri))
        target.mkdir(parents=True, exist_ok=True)
        (target / MODEL_FILE).write_bytes(result.model)
        (target / FLOAT_IO_FILE).write_bytes(result.float_io)
        if result.microwakeword is not None:
            (target / CONVERTED_FILE).write_bytes(result.microwakeword)
        lineage.write_origin(target, lineage.origin_of_float_model(source, code_version.find()))
        files.write_labels(target, labels)
        files.write(target, feature_params)
        text = figures.model_dump_json(indent=2) + "\n"
        Path(report.uri).mkdir(parents=True, exist_ok=True)
        for folder in (target, Path(report.uri)):
            (folder / CONVERSION_FILE).write_text(text)
        report.set_float_custom_property("float_accuracy", figures.float_accuracy)
        report.set_float_custom_property("int8_accuracy", figures.int8_accuracy)


def _convert(
    model: Any,
    examples: types.Artifact,
    labels: list[str],
    feature_params: FeatureParams,
    params: ConversionParams,
    model_params: ModelParams | None,
) -> Conversion:
    chosen = choose_representative(
        feature_reader.read(_split(examples, TRAIN), feature_params),
        params.representative_examples,
        params.seed,
    )
    return convert(
        model,
        _labelled(chosen),
        _labelled(feature_reader.read(_split(examples, EVAL), feature_params)),
        labels,
        feature_params,
        params,
        model_params,
    )


def _convert_steps(
    model: Any,
    examples: types.Artifact,
    keyword: str,
    feature_params: FeatureParams,
    params: ConversionParams,
    model_params: ModelParams,
) -> Conversion:
    typical = read_scenes(_split(examples, TRAIN), feature_params)
    return convert_steps(
        model,
        list(itertools.islice(typical, CALIBRATION_SCENES)),
        list(read_scenes(_split(examples, EVAL), feature_params)),
        keyword,
        feature_params,
        params,
        model_params,
    )


def _model_params(trained: Path) -> ModelParams | None:
    """What the Trainer built; None of a model that says nothing of it."""
    file = trained / TRAINING_FILE
    if not file.is_file():
        return None
    return ModelParams.model_validate(json.loads(file.read_text())["model"])


def _split(examples: types.Artifact, split: str) -> str:
    return artifact_utils.get_split_uri([examples], split)


def _labelled(examples: Iterable[FeatureExample]) -> Labelled:
    rows = [(example.features, example.label_index) for example in examples]
    return Labelled(
        features=np.stack([features for features, _ in rows]) if rows else np.zeros((0, 0, 0)),
        label_index=np.array([index for _, index in rows], np.int64),
    )
