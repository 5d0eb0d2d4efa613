"""Learning rates at the steps where they are known by hand."""

import pytest

from kws.training.params import TrainingParams
from kws.training.session import learning_rate


def rate(step: int, **params) -> float:
    return learning_rate(step, 100, TrainingParams(learning_rate=0.1, **params))


def test_warm_up_rises_in_a_line_to_the_peak():
    rates = [rate(step, warmup_share=0.05) for step in range(5)]
    assert rates == pytest.approx([0.02, 0.04, 0.06, 0.08, 0.1])


def test_cosine_is_at_its_peak_half_and_end_where_half_a_cosine_is():
    assert rate(0, warmup_share=0) == pytest.approx(0.1)
    assert rate(50, warmup_share=0) == pytest.approx(0.05)
    assert 0 < rate(99, warmup_share=0) < 1e-4


def test_step_is_a_tenth_for_the_last_quarter():
    assert rate(74, warmup_share=0, schedule="step") == pytest.approx(0.1)
    assert rate(75, warmup_share=0, schedule="step") == pytest.approx(0.01)


def test_constant_stays():
    assert rate(99, schedule="constant") == pytest.approx(0.1)


def test_step_does_the_tutorials_rates_exactly():
    """TensorFlow's speech_commands/train.py: 15,000 steps at 0.001, then 3,000 at 0.0001."""
    params = TrainingParams(
        learning_rate=0.001, schedule="step", step_share=15 / 18, warmup_share=0
    )
    rates = [learning_rate(step, 18_000, params) for step in (0, 14_999, 15_000, 17_999)]
    assert rates == [0.001, 0.001, 0.0001, 0.0001]
