"""Converts EvaluationParams to a tfma.EvalConfig: metrics, slices, thresholds.

The predictor (`predictor.py`) gives two outputs: `posteriors`, the softmax, and `decision`, the
one-hot of its largest entry. Per-class metrics read the decision, so that precision and recall are
those of the confusion matrix and of `kws evaluate`, not of a threshold of one half.

The metrics defined here are the worse 95 % bound of precision, recall and false-positive rate, by
Clopper and Pearson's exact method (`kws.detection.rates.share`). A class without a clip has the
bounds 0 and 1, so it passes no meaningful limit.
"""

import json
from collections.abc import Sequence

import tensorflow_model_analysis as tfma
from google.protobuf import wrappers_pb2

from components.evaluator.params import EvaluationParams
from kws.detection.rates import share


class PrecisionLow(tfma.metrics.Precision):
    """Lower bound of the share of a class's decisions that are right."""

    def result(self, tp: float, tn: float, fp: float, fn: float) -> float:
        return share(round(tp), round(tp + fp)).low


class RecallLow(tfma.metrics.Recall):
    """Lower bound of the share of a class's clips that are found."""

    def result(self, tp: float, tn: float, fp: float, fn: float) -> float:
        return share(round(tp), round(tp + fn)).low


class FalsePositiveRateHigh(tfma.metrics.FPR):
    """Upper bound of the share of all other clips that are taken for the class."""

    def result(self, tp: float, tn: float, fp: float, fn: float) -> float:
        return share(round(fp), round(fp + tn)).high


POSTERIORS = "posteriors"
DECISION = "decision"
ACCURACY = "accuracy"
BOUND = "_bound"
"""Ends the names of metrics that are 95 % bounds: `recall_bound/yes`."""
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
        for kind, class_name, bound_class, limit, change in (
            ("precision", "Precision", "PrecisionLow", limits.min_precision, None),
            (
                "recall",
                "Recall",
                "RecallLow",
                limits.min_recall,
                _drop(limits.max_recall_drop_from_last),
            ),
            (
                "false_positive_rate",
                "FPR",
                "FalsePositiveRateHigh",
                limits.max_false_positive_rate,
                _rise(limits.max_false_positive_rate_rise_from_last),
            ),
        ):
            options = {"name": metric_name(kind, label), "thresholds": 0.5}
            metric = tfma.MetricConfig(class_name=class_name, config=json.dumps(options))
            side = "upper" if kind == "false_positive_rate" else "lower"
            if params.on_bound and limit is not None:
                options["name"] = metric_name(f"{kind}{BOUND}", label)
                metrics += [
                    _judge(metric, change=change),
                    _bound(bound_class, options, side, limit),
                ]
            else:
                metrics.append(_judge(metric, change=change, **{side: limit}))
        binarize = tfma.BinarizationOptions(class_ids={"values": [index]})
        specs.append(tfma.MetricsSpec(output_names=[DECISION], metrics=metrics, binarize=binarize))
    return specs


def _bound(
    class_name: str, options: dict[str, object], side: str, limit: float
) -> tfma.MetricConfig:
    metric = tfma.MetricConfig(class_name=class_name, module=__name__, config=json.dumps(options))
    return _judge(metric, **{side: limit})


def _drop(allowed: float | None) -> tfma.GenericChangeThreshold | None:
    if allowed is None:
        return None
    return _change(tfma.MetricDirection.HIGHER_IS_BETTER, -allowed if allowed else 0.0)


def _rise(allowed: float | None) -> tfma.GenericChangeThreshold | None:
    return _change(tfma.MetricDirection.LOWER_IS_BETTER, allowed) if allowed is not None else None


def _change(direction: int, absolute: float) -> tfma.GenericChangeThreshold:
    return tfma.GenericChangeThreshold(
        direction=direction, absolute=wrappers_pb2.DoubleValue(value=absolute)
    )


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
        lower=None if params.on_bound else params.min_accuracy,
        change=_drop(params.max_accuracy_drop_from_last),
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
            *([_accuracy_bound(params.min_accuracy)] if params.on_bound else []),
        ],
    )


def _accuracy_bound(limit: float) -> tfma.MetricsSpec:
    """Over all classes together, the recall of decisions is the accuracy."""
    options: dict[str, object] = {"name": f"{ACCURACY}{BOUND}", "thresholds": 0.5}
    return tfma.MetricsSpec(
        output_names=[DECISION],
        metrics=[_bound("RecallLow", options, "lower", limit)],
        aggregate=tfma.AggregationOptions(micro_average=True),
    )
