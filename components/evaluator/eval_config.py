"""EvaluationParams -> tfma.EvalConfig: which metrics, which slices, which thresholds.

The predictor (`predictor.py`) gives two outputs: `posteriors`, the softmax, and `decision`, the
one-hot of its largest entry. Per-class metrics read the decision, so that a class's precision and
recall are those of the confusion matrix and of `kws evaluate`, not of a threshold of one half.
"""

import json
from collections.abc import Sequence

import tensorflow_model_analysis as tfma
from google.protobuf import wrappers_pb2

from components.evaluator.params import EvaluationParams

POSTERIORS = "posteriors"
DECISION = "decision"
ACCURACY = "accuracy"
LABEL_KEY = "label_index"
SLICES = ("label", "source", "snr_bucket", "augmentation", "novelty")


def metric_name(kind: str, label: str) -> str:
    """`precision/yes`: unique within the evaluation and the gate's name in the summary."""
    return f"{kind}/{label}"


def _judge(
    metric: tfma.MetricConfig,
    lower: float | None = None,
    upper: float | None = None,
    change: tfma.GenericChangeThreshold | None = None,
) -> tfma.MetricConfig:
    """Adds limits that hold on the whole split; TFMA's plain `threshold` judges every slice too,
    and the accuracy on the slice of one label is that label's recall."""
    threshold = tfma.MetricThreshold()
    if lower is not None:
        threshold.value_threshold.lower_bound.value = lower
    if upper is not None:
        threshold.value_threshold.upper_bound.value = upper
    if change is not None:
        threshold.change_threshold.CopyFrom(change)
    if lower is not None or upper is not None or change is not None:
        metric.per_slice_thresholds.append(
            tfma.PerSliceMetricThreshold(slicing_specs=[tfma.SlicingSpec()], threshold=threshold)
        )
    return metric


def _class_specs(params: EvaluationParams, labels: Sequence[str]) -> list[tfma.MetricsSpec]:
    """One specification a class. The class is named by `binarize`: of a `class_id` in a metric's
    own options TFMA computes the metric, but then looks for its threshold's under another key."""
    specs = []
    for index, label in enumerate(labels):
        limits = params.limits_of(label)
        metrics = []
        for kind, class_name, lower, upper in (
            ("precision", "Precision", limits.min_precision, None),
            ("recall", "Recall", limits.min_recall, None),
            ("false_positive_rate", "FPR", None, limits.max_false_positive_rate),
        ):
            options = {"name": metric_name(kind, label), "thresholds": 0.5}
            metric = tfma.MetricConfig(class_name=class_name, config=json.dumps(options))
            metrics.append(_judge(metric, lower, upper))
        binarize = tfma.BinarizationOptions(class_ids={"values": [index]})
        specs.append(tfma.MetricsSpec(output_names=[DECISION], metrics=metrics, binarize=binarize))
    return specs


def eval_config(params: EvaluationParams, labels: Sequence[str]) -> tfma.EvalConfig:
    """The configuration of TFX's Evaluator.

    Raises:
      ValueError: `per_class` names a label that the model does not have.
    """
    strangers = sorted(set(params.per_class) - set(labels))
    if strangers:
        raise ValueError(
            f"evaluation.per_class names {strangers}, but the labels are {list(labels)}"
        )
    accuracy = _judge(
        tfma.MetricConfig(
            class_name="SparseCategoricalAccuracy", config=json.dumps({"name": ACCURACY})
        ),
        lower=params.min_accuracy,
        change=tfma.GenericChangeThreshold(
            direction=tfma.MetricDirection.HIGHER_IS_BETTER,
            absolute=wrappers_pb2.DoubleValue(value=-params.max_accuracy_drop_from_last),
        ),
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
                        class_name="MultiClassConfusionMatrixAtThresholds",
                        config='{"thresholds": [0.0]}',
                    ),
                    tfma.MetricConfig(class_name="MultiClassConfusionMatrixPlot"),
                ],
            ),
            *_class_specs(params, labels),
        ],
    )
