"""The Evaluator judges decisions of the int8 model, on the whole split, by our gates."""

import json

import numpy as np
import pytest

from components.evaluator.eval_config import DECISION, POSTERIORS, eval_config
from components.evaluator.params import ClassGateParams, EvaluationParams
from components.evaluator.predictor import outputs_of

LABELS = ["_silence_", "_unknown_", "yes", "no"]


class Model:
    """Says the same posteriors whatever it hears."""

    def __init__(self, labels, posteriors):
        self.labels = labels
        self._posteriors = np.asarray(posteriors, np.float32)

    def stack(self, raw):
        return raw

    def posteriors(self, features):
        assert len(features) == len(self._posteriors)
        return self._posteriors


def thresholds(config):
    return {
        json.loads(metric.config)["name"]: metric.per_slice_thresholds[0]
        for spec in config.metrics_specs
        for metric in spec.metrics
        if metric.per_slice_thresholds
    }


def test_the_decision_is_the_largest_posterior_even_below_one_half():
    model = Model(LABELS, [[0.1, 0.2, 0.4, 0.3], [0.0, 0.9, 0.1, 0.0]])
    outputs = outputs_of(model, [b"a", b"b"], LABELS)
    assert outputs[DECISION].tolist() == [[0, 0, 1, 0], [0, 1, 0, 0]]
    assert outputs[POSTERIORS][0] == pytest.approx([0.1, 0.2, 0.4, 0.3])


def test_a_baseline_with_other_keywords_is_lined_up_by_name():
    baseline = Model(["_silence_", "_unknown_", "no", "stop"], [[0.1, 0.2, 0.6, 0.1]])
    outputs = outputs_of(baseline, [b"a"], LABELS)
    assert outputs[POSTERIORS][0] == pytest.approx([0.1, 0.2, 0.0, 0.6])


def test_a_limit_that_anything_keeps_to_is_none():
    # A label that is never recognized has no precision, and that would fail it.
    every = ClassGateParams(min_precision=0.6, min_recall=0.6, max_false_positive_rate=0.3)
    free = ClassGateParams(min_precision=0, min_recall=0, max_false_positive_rate=1)
    params = EvaluationParams(every_class=every, per_class={"_silence_": free})
    assert params.limits_of("_silence_") == ClassGateParams()
    assert params.limits_of("yes") == every
    gated = thresholds(eval_config(params, LABELS))
    assert not [name for name in gated if "_silence_" in name]
    assert len(gated) == 1 + 3 * (len(LABELS) - 1)


def test_every_threshold_holds_on_the_whole_split_alone():
    # On the slice of one label accuracy is that label's recall: another figure, another limit.
    params = EvaluationParams(min_accuracy=0.9, every_class=ClassGateParams(min_recall=0.8))
    config = eval_config(params, LABELS)
    found = thresholds(config)
    assert len(found) == 1 + len(LABELS)  # accuracy, and the recall of each label
    for judged in found.values():
        (slicing,) = judged.slicing_specs
        assert not slicing.feature_keys and not slicing.feature_values
    for spec in config.metrics_specs:
        assert not any(metric.HasField("threshold") for metric in spec.metrics)


def test_a_class_s_own_limit_overrides_that_of_every_class():
    params = EvaluationParams(
        every_class=ClassGateParams(min_precision=0.8, min_recall=0.8),
        per_class={"yes": ClassGateParams(min_recall=0.95)},
    )
    found = thresholds(eval_config(params, LABELS))
    assert found["recall/yes"].threshold.value_threshold.lower_bound.value == 0.95
    assert found["precision/yes"].threshold.value_threshold.lower_bound.value == 0.8
    assert found["recall/no"].threshold.value_threshold.lower_bound.value == 0.8


def test_each_class_is_named_by_binarization_so_that_tfma_finds_its_thresholds():
    config = eval_config(EvaluationParams(), LABELS)
    named = [list(spec.binarize.class_ids.values) for spec in config.metrics_specs[1:]]
    assert named == [[0], [1], [2], [3]]


def test_a_limit_for_a_label_that_is_none_is_refused():
    params = EvaluationParams(per_class={"maybe": ClassGateParams(min_recall=0.9)})
    with pytest.raises(ValueError, match="maybe"):
        eval_config(params, LABELS)
