"""TFMA's results in our words: gates, the confusion matrix, slices."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_model_analysis as tfma

from components.evaluator.eval_config import ACCURACY, BOUND, POSTERIORS
from kws.detection.rates import Share, share
from kws.gates import Gate
from kws.labels import RESERVED

CLIPS, OWN_CLIPS = "clips", "own_clips"
"""What the names of gates begin with: of the test split; of one person's own clips."""
_MATRIX = "multi_class_confusion_matrix_at_thresholds"


def evaluation_gates(evaluation: str | Path, kind: str = CLIPS) -> list[Gate]:
    """Every threshold of the evaluation as a gate `<kind>.<metric>`, passed or not.

    A change against the last blessed model is a gate `<kind>.<metric>_diff`; where there was no
    such model, there is no such gate.
    """
    result = tfma.load_eval_result(str(evaluation))
    figures = _overall(result)
    detail = f"on {figures['example_count']:.0f} test clips"
    gates: list[Gate] = []

    def gate(name: str, limit: float, at_most: bool, detail: str) -> None:
        value = figures.get(name, float("nan"))
        if name.split("/")[0].endswith(BOUND):
            detail = f"{'upper' if at_most else 'lower'} 95 % bound {detail}"
        gates.append(
            Gate(name=f"{kind}.{name}", value=value, limit=limit, at_most=at_most, detail=detail)
        )

    for metric in (metric for spec in result.config.metrics_specs for metric in spec.metrics):
        name = json.loads(metric.config or "{}").get("name", metric.class_name)
        for judged in metric.per_slice_thresholds:
            bounds = judged.threshold.value_threshold
            if bounds.HasField("lower_bound"):
                gate(name, bounds.lower_bound.value, False, detail)
            if bounds.HasField("upper_bound"):
                gate(name, bounds.upper_bound.value, True, detail)
            change = f"{name}_diff"
            if judged.threshold.HasField("change_threshold") and change in figures:
                allowed = judged.threshold.change_threshold
                rising = allowed.direction == tfma.MetricDirection.LOWER_IS_BETTER
                against = "against the last blessed model, on the same clips"
                gate(change, allowed.absolute.value, rising, against)
    # TFMA has the last word: were it to refuse for a reason of its own, that must be seen.
    agreed = tfma.load_validation_result(str(evaluation)).validation_ok
    if not agreed and all(found.passed for found in gates):
        detail = "refused by TFMA for another reason, see validations in the evaluation's folder"
        gates.append(
            Gate(name=f"{kind}.validation", value=0, limit=1, at_most=False, detail=detail)
        )
    return gates


def accuracy(evaluation: str | Path) -> Share:
    """Of the whole test split, with its bounds."""
    return _right(_overall(tfma.load_eval_result(str(evaluation))))


def confusion_matrix(evaluation: str | Path, num_labels: int) -> np.ndarray:
    """Counts int64 `[actual, predicted]` on the whole test split."""
    result = tfma.load_eval_result(str(evaluation))
    metrics = result.get_metrics_for_slice(output_name=POSTERIORS)
    matrix = np.zeros((num_labels, num_labels), np.int64)
    # Zeros are left out of the message: a missing class id is class 0.
    for entry in metrics[_MATRIX]["multiClassConfusionMatrixAtThresholds"]["matrices"][0][
        "entries"
    ]:
        cell = entry.get("actualClassId", 0), entry.get("predictedClassId", 0)
        matrix[cell] += round(entry["numWeightedExamples"])
    return matrix


def accuracy_by_slice(evaluation: str | Path) -> dict[str, dict[str, tuple[float, int]]]:
    """Slicing key -> its value -> (accuracy, clips), for every slice but the whole split."""
    found: dict[str, dict[str, tuple[float, int]]] = {}
    for key, by_output in tfma.load_eval_result(str(evaluation)).slicing_metrics:
        if len(key) == 1:
            ((name, value),) = key
            metrics = by_output[POSTERIORS][""]
            figures = metrics[ACCURACY]["doubleValue"], int(metrics["example_count"]["doubleValue"])
            found.setdefault(name, {})[value] = figures
    return found


def before_and_after(original: str | Path, own_clips: str | Path) -> dict[str, dict[str, Any]]:
    """A model fitted to one person beside its base, as evaluations with a baseline have both.

    Args:
      original: evaluation on the base's test split.
      own_clips: on the person's own clips that were kept back, and their noisy copies.

    Returns:
      `held_out`, `in_noise` and `original` -> `before`, `after` -> `right`: the share of clips
      whose label has the highest posterior; of `original` also `false_positives`, the highest share
      of other clips that are taken for any one keyword.
    """
    found: dict[str, dict[str, Any]] = {"held_out": {}, "in_noise": {}, "original": {}}
    for when, model in (("before", tfma.BASELINE_KEY), ("after", tfma.CANDIDATE_KEY)):
        result = tfma.load_eval_result(str(own_clips), model_name=model)
        for key, by_output in result.slicing_metrics:
            if len(key) == 1 and key[0][0] == "augmentation":
                name = "held_out" if key[0][1] == "none" else "in_noise"
                found[name][when] = {"right": _right(_plain(by_output)).to_dict()}
        result = tfma.load_eval_result(str(original), model_name=model)
        figures = _overall(result)
        rates = [
            rate
            for name, rate in figures.items()
            if name.startswith("false_positive_rate/") and name.split("/")[1] not in RESERVED
        ]
        found["original"][when] = {
            "right": _right(figures).to_dict(),
            "false_positives": max(rates),
        }
    return {name: pair for name, pair in found.items() if pair}


def _right(figures: dict[str, float]) -> Share:
    clips = round(figures["example_count"])
    return share(round(figures[ACCURACY] * clips), clips)


def confusion_plot(evaluation: str | Path) -> dict[str, Any] | None:
    """What TFMA's own component draws of the confusion matrix on the whole test split."""
    plots = tfma.load_eval_result(str(evaluation)).plots
    # Beside a baseline, plots are kept under the model's name, unlike metrics.
    plots = plots or tfma.load_eval_result(str(evaluation), model_name=tfma.CANDIDATE_KEY).plots
    for key, by_output in plots:
        if key == ():
            found = by_output[POSTERIORS][""].get("multiClassConfusionMatrixAtThresholds")
            return dict(found) if found else None
    return None


def metrics_by_slice(evaluation: str | Path) -> list[tuple[str, dict[str, float]]]:
    """Every plain number of every slice; the whole split comes first, then by name."""
    found = [
        (", ".join(f"{name}: {value}" for name, value in key), _plain(by_output))
        for key, by_output in tfma.load_eval_result(str(evaluation)).slicing_metrics
    ]
    return [(name or "all clips", figures) for name, figures in sorted(found)]


def _overall(result: tfma.EvalResult) -> dict[str, float]:
    """Every plain number on the whole split, by metric name (ours are unique over outputs).

    TFMA puts the kind of an aggregation and a line's end before the name of what it aggregates.
    """
    return _plain(next(metrics for key, metrics in result.slicing_metrics if key == ()))


def _plain(by_output: dict[str, Any]) -> dict[str, float]:
    return {
        name.rpartition("\n_")[2]: float(value["doubleValue"])
        for by_class in by_output.values()
        for metrics in by_class.values()
        for name, value in metrics.items()
        if "doubleValue" in value
    }
