"""EvaluationParams -> tfma.EvalConfig: which metrics, which slices, which thresholds.

The predictor (`predictor.py`) gives two outputs: `posteriors`, the softmax, and `decision`, the
one-hot of its largest entry. Per-class metrics read the decision, so that a class's precision and
recall are those of the confusion matrix and of `kws evaluate`, not of a threshold of one half.
"""

from collections.abc import Sequence

import tensorflow_model_analysis as tfma
from google.protobuf import json_format, wrappers_pb2

from components.evaluator.params import EvaluationParams

POSTERIORS = "posteriors"
DECISION = "decision"
LABEL_KEY = "label_index"
SLICES = ("label", "source", "snr_bucket", "augmentation", "novelty")


def metric_name(kind: str, label: str) -> str:
    """`precision/yes`: unique within the evaluation and the gate's name in the summary."""
    return f"{kind}/{label}"


def _value_threshold(
    lower: float | None = None, upper: float | None = None
) -> tfma.GenericValueThreshold:
    return tfma.GenericValueThreshold(
        lower_bound=None if lower is None else wrappers_pb2.DoubleValue(value=lower),
        upper_bound=None if upper is None else wrappers_pb2.DoubleValue(value=upper),
    )


def _class_metrics(params: EvaluationParams, labels: Sequence[str]) -> list[tfma.MetricConfig]:
    metrics = []
    for index, label in enumerate(labels):
        limits = params.limits_of(label)
        for kind, class_name, lower, upper in (
            ("precision", "Precision", limits.min_precision, None),
            ("recall", "Recall", limits.min_recall, None),
            ("false_positive_rate", "FPR", None, limits.max_false_positive_rate),
        ):
            config = f'"name": "{metric_name(kind, label)}", "class_id": {index}, "thresholds": 0.5'
            metric = tfma.MetricConfig(class_name=class_name, config="{%s}" % config)
            if lower is not None or upper is not None:
                metric.threshold.value_threshold.CopyFrom(_value_threshold(lower, upper))
            metrics.append(metric)
    return metrics


def eval_config(params: EvaluationParams, labels: Sequence[str]) -> tfma.EvalConfig:
    """The configuration of TFX's Evaluator.

    Raises:
      ValueError: `per_class` names a label that the model does not have.
    """
    strangers = sorted(set(params.per_class) - set(labels))
    if strangers:
        raise ValueError(f"evaluation.per_class names {strangers}, but the labels are {list(labels)}")
    accuracy = tfma.MetricConfig(
        class_name="SparseCategoricalAccuracy", config='{"name": "accuracy"}'
    )
    accuracy.threshold.value_threshold.CopyFrom(_value_threshold(lower=params.min_accuracy))
    accuracy.threshold.change_threshold.CopyFrom(
        tfma.GenericChangeThreshold(
            direction=tfma.MetricDirection.HIGHER_IS_BETTER,
            absolute=wrappers_pb2.DoubleValue(value=-params.max_accuracy_drop_from_last),
        )
    )
    keys = {POSTERIORS: LABEL_KEY, DECISION: LABEL_KEY}
    return tfma.EvalConfig(
        model_specs=[tfma.ModelSpec(label_keys=keys)],
        slicing_specs=[
            tfma.SlicingSpec(),
            *(tfma.SlicingSpec(feature_keys=[key]) for key in SLICES),
        ],
        metrics_specs=[
            tfma.MetricsSpec(
                output_names=[POSTERIORS],
                metrics=[
                    accuracy,
                    tfma.MetricConfig(class_name="ExampleCount"),
                    tfma.MetricConfig(
                        class_name="MultiClassConfusionMatrixTable", config='{"thresholds": [0.0]}'
                    ),
                    tfma.MetricConfig(class_name="MultiClassConfusionMatrixPlot"),
                ],
            ),
            tfma.MetricsSpec(output_names=[DECISION], metrics=_class_metrics(params, labels)),
        ],
    )


def to_json(config: tfma.EvalConfig) -> str:
    """For logs and lineage."""
    return json_format.MessageToJson(config, indent=None)
