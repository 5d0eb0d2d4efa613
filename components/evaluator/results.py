"""TFMA's results in our words: gates, per-class figures, the confusion matrix."""

from pathlib import Path

import numpy as np
import tensorflow_model_analysis as tfma

from components.evaluator.eval_config import DECISION, POSTERIORS, metric_name
from kws.gates import Gate

_KINDS = ("precision", "recall", "false_positive_rate")


def evaluation_gates(evaluation: str | Path) -> list[Gate]:
    """Every threshold of the evaluation as a gate `clips.<metric>`, passed or not.

    A change against the last blessed model is the gate `clips.accuracy_change`.
    """
    result = tfma.load_eval_result(str(evaluation))
    gates: list[Gate] = []
    for spec in result.config.metrics_specs:
        output = spec.output_names[0]
        for metric in spec.metrics:
            name = _name_of(metric)
            value = _metric(result, output, name)
            bound = metric.threshold.value_threshold
            count = int(_metric(result, POSTERIORS, "example_count") or 0)
            detail = f"on {count} test clips"
            if bound.HasField("lower_bound"):
                gates.append(_gate(name, value, bound.lower_bound.value, False, detail))
            if bound.HasField("upper_bound"):
                gates.append(_gate(name, value, bound.upper_bound.value, True, detail))
            if metric.threshold.HasField("change_threshold"):
                change = _change(evaluation, output, name)
                if change is not None:
                    limit = metric.threshold.change_threshold.absolute.value
                    detail = "against the last blessed model, on the same clips"
                    gates.append(_gate(f"{name}_change", change, limit, False, detail))
    return gates


def confusion_matrix(evaluation: str | Path, num_labels: int) -> np.ndarray:
    """Counts `[actual, predicted]` on the whole test split."""
    result = tfma.load_eval_result(str(evaluation))
    matrix = np.zeros((num_labels, num_labels), np.int64)
    table = result.get_metrics_for_slice(output_name=POSTERIORS)["multi_class_confusion_matrix_table"]
    entries = table["multiClassConfusionMatrixAtThresholds"]["matrices"][0]["entries"]
    for entry in entries:
        actual = entry.get("actualClassId", 0)
        predicted = entry.get("predictedClassId", 0)
        matrix[actual, predicted] += round(entry["numWeightedExamples"])
    return matrix


def per_class(evaluation: str | Path, labels: list[str]) -> dict[str, dict[str, float]]:
    """TFMA's own precision, recall and false-positive rate of every label."""
    result = tfma.load_eval_result(str(evaluation))
    return {
        label: {
            kind: _metric(result, DECISION, metric_name(kind, label), class_id=index)
            for kind in _KINDS
        }
        for index, label in enumerate(labels)
    }


def _name_of(metric: tfma.MetricConfig) -> str:
    import json

    return json.loads(metric.config or "{}").get("name", metric.class_name)


def _gate(name: str, value: float, limit: float, at_most: bool, detail: str) -> Gate:
    return Gate(name=f"clips.{name}", value=value, limit=limit, at_most=at_most, detail=detail)


def _metric(
    result: tfma.EvalResult, output: str, name: str, class_id: int | None = None
) -> float:
    """A metric of the whole split; NaN where TFMA has none (a class that never occurred)."""
    if class_id is None and output == DECISION:
        found = [
            metrics[name]
            for by_class in _overall(result)[DECISION].values()
            for key, metrics in [(None, by_class)]
            if name in metrics
        ]
        return float(found[0]["doubleValue"]) if found else float("nan")
    metrics = result.get_metrics_for_slice(output_name=output, class_id=class_id)
    return float(metrics[name]["doubleValue"]) if metrics and name in metrics else float("nan")


def _overall(result: tfma.EvalResult) -> dict:
    return next(metrics for key, metrics in result.slicing_metrics if key == ())


def _change(evaluation: str | Path, output: str, name: str) -> float | None:
    """Candidate less baseline, None where there was no baseline."""
    for model in tfma.load_eval_results([str(evaluation)], tfma.constants.MODEL_CENTRIC_MODE).get_results():
        metrics = _overall(model).get(output, {}).get("", {})
        if f"{name}_diff" in metrics:
            return float(metrics[f"{name}_diff"]["doubleValue"])
    return None
