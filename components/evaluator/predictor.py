"""TFMA's predictor for our int8 models, by the Evaluator's own hooks.

TFMA's TFLite predictor casts features to int8 without rounding or clipping, so it would judge a
model that nobody ships. This one scores the very int8 file with the quantization that the device
uses (`kws.runtime.load`).
"""

import copy
from collections.abc import Sequence

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.utils import model_util

from components import staging
from components.evaluator.eval_config import DECISION, POSTERIORS
from kws.features.example import FEATURES_FIELD
from kws.runtime import load
from kws.runtime.int8_file import Int8File


def custom_eval_shared_model(
    eval_saved_model_path: str, model_name: str, eval_config: tfma.EvalConfig, **_: object
) -> tfma.types.EvalSharedModel:
    """The Evaluator's hook: loads the int8 model of `Format-Serving`, once a worker."""
    return tfma.types.EvalSharedModel(
        model_path=eval_saved_model_path,
        model_name=model_name,
        model_type=tfma.TF_LITE,
        model_loader=tfma.types.ModelLoader(construct_fn=lambda: _loaded(eval_saved_model_path)),
    )


def custom_extractors(
    eval_shared_model: tfma.types.MaybeMultipleEvalSharedModels,
    eval_config: tfma.EvalConfig,
    tensor_adapter_config: object,
) -> list[tfma.extractors.Extractor]:
    """The Evaluator's hook: TFMA's default extractors with our predictor in place of its own."""
    models = model_util.verify_and_update_eval_shared_models(eval_shared_model)
    predict = tfma.extractors.Extractor(
        stage_name="Int8Predictions",
        ptransform=beam.ParDo(_Int8PredictDoFn(eval_config, {m.model_name: m for m in models})),
    )
    return tfma.default_extractors(
        eval_shared_model=eval_shared_model,
        eval_config=eval_config,
        tensor_adapter_config=tensor_adapter_config,
        custom_predict_extractor=predict,
    )


def outputs_of(
    model: Int8File, raw_features: Sequence[bytes], labels: Sequence[str]
) -> dict[str, np.ndarray]:
    """The predictor's two outputs, float32 `[n, labels]`, columns in the order of `labels`.

    A baseline may know other labels than the candidate: its missing columns are zero, the columns
    of labels that are gone are dropped.
    """
    own = model.posteriors(model.stack(raw_features))
    posteriors = np.zeros((len(own), len(labels)), np.float32)
    for column, label in enumerate(labels):
        if label in model.labels:
            posteriors[:, column] = own[:, list(model.labels).index(label)]
    decision = np.eye(len(labels), dtype=np.float32)[posteriors.argmax(axis=1)]
    return {POSTERIORS: posteriors, DECISION: decision}


def _loaded(folder: str) -> load.Int8Any:
    with staging.copied(folder) as local:
        return load.load_folder(local)


class _Int8PredictDoFn(model_util.BatchReducibleBatchedDoFnWithModels):
    """Adds `tfma.PREDICTIONS_KEY` to batched extracts, for the candidate and a baseline."""

    def __init__(self, eval_config: tfma.EvalConfig, models: dict[str, tfma.types.EvalSharedModel]):
        super().__init__({name: model.model_loader for name, model in models.items()})
        self._specs = [(spec.name, spec.is_baseline) for spec in eval_config.model_specs]

    def _batch_reducible_process(self, element: tfma.types.Extracts) -> list:
        raw = np.ravel(element[tfma.FEATURES_KEY][FEATURES_FIELD]).tolist()
        single = len(self._specs) == 1
        names = {is_baseline: "" if single else name for name, is_baseline in self._specs}
        labels = self._loaded_models[names[False]].labels
        predictions = {
            name: outputs_of(self._loaded_models[name], raw, labels) for name in names.values()
        }
        result = copy.copy(element)
        result[tfma.PREDICTIONS_KEY] = predictions[""] if single else predictions
        return [result]
