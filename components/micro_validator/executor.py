"""MicroValidator's executor: read, measure, bless or not."""

from pathlib import Path
from typing import Any

import numpy as np
from absl import logging
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.blessing import bless
from components.micro_validator.streams import compare
from kws.bundle import golden_vectors
from kws.detection.params import DetectorParams
from kws.errors import KwsError
from kws.export import feature_reader
from kws.export.params import BudgetParams
from kws.features import files
from kws.runtime import load
from kws.runtime.int8_file import MODEL_FILE
from kws.runtime.validate import MICRO_FILE, budget_gates, measure, parity_gates
from kws.splits import EVAL, TEST


class Executor(base_executor.BaseExecutor):
    """See `component.MicroValidator`."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the blessing.

        Raises:
          KwsError: TFLM cannot run the model, or there are no test clips.
        """
        params = BudgetParams.from_json(exec_properties["params"])
        converted = artifact_utils.get_single_instance(input_dict["model"])
        examples = artifact_utils.get_single_instance(input_dict["examples"])
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])

        folder = Path(path_utils.serving_model_path(converted.uri))
        model = load.load_folder(folder)
        files.check_same(model.feature_params, files.read(examples.uri), examples.uri)
        split = artifact_utils.get_split_uri([examples], TEST)
        chosen = golden_vectors.choose(
            feature_reader.read(split, model.feature_params), params.test_vectors
        )
        if not chosen:
            raise KwsError(f"{split} holds no clip to compare TFLM and TFLite on")
        inputs = model.quantize(np.stack([example.features for example in chosen]))
        detector = DetectorParams.from_json(exec_properties["detector"])
        figures = measure(
            (folder / MODEL_FILE).read_bytes(),
            model,
            inputs,
            params,
            stride_ms=detector.clip_stride_ms,
        )
        gates = budget_gates(figures, params)
        if input_dict.get("streams") and params.parity_stream_s:
            streams = artifact_utils.get_single_instance(input_dict["streams"])
            parity = compare(str(folder), streams.uri, EVAL, params.parity_stream_s, detector)
            figures = figures.model_copy(update={"stream": parity})
            gates += parity_gates(parity, streaming=model.kind == "streaming")

        target = Path(blessing.uri)
        blessed = bless(blessing, gates, converted, by="MicroValidator")
        (target / MICRO_FILE).write_text(figures.model_dump_json(indent=2) + "\n")
        (target / ("INFRA_BLESSED" if blessed else "INFRA_NOT_BLESSED")).touch()
        logging.info(
            "MicroValidator: %d bytes, arena %d bytes", figures.flash_bytes, figures.arena_bytes
        )
