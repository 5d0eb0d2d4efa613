"""Bounds against published tables and closed forms."""

import math

import pytest

from kws.detection import rates


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [
        # Garwood's 95 % limits for a Poisson count, as printed in tables of vital statistics.
        (0, 0.0, 3.689),
        (1, 0.0253, 5.572),
        (2, 0.2422, 7.225),
        (5, 1.6235, 11.668),
        (10, 4.7954, 18.390),
    ],
)
def test_poisson_bounds_are_those_of_the_tables(count: int, low: float, high: float) -> None:
    rate = rates.hourly_rate(count, 1.0)
    assert rate.low == pytest.approx(low, abs=6e-4)
    assert rate.high == pytest.approx(high, abs=6e-4)
    assert rate.estimate == count


def test_an_hourly_rate_scales_with_its_hours_and_names_them() -> None:
    rate = rates.hourly_rate(3, 1.5)
    one = rates.hourly_rate(3, 1.0)
    assert (rate.estimate, rate.low, rate.high) == pytest.approx(
        (2.0, one.low / 1.5, one.high / 1.5)
    )
    assert str(rate) == "2.00 /h (95 %: 0.41 to 5.84; 3 in 1.50 h)"


def test_no_event_has_the_closed_form_bound() -> None:
    assert rates.hourly_rate(0, 2.0).high == pytest.approx(-math.log(0.025) / 2)


@pytest.mark.parametrize(
    ("count", "trials", "low", "high"),
    [(0, 10, 0.0, 0.3085), (1, 10, 0.0025, 0.4450), (5, 10, 0.1871, 0.8129), (10, 10, 0.6915, 1)],
)
def test_clopper_pearson_bounds_are_those_of_the_tables(
    count: int, trials: int, low: float, high: float
) -> None:
    share = rates.share(count, trials)
    assert (share.low, share.high) == pytest.approx((low, high), abs=6e-5)


def test_no_miss_has_the_closed_form_bound() -> None:
    assert rates.share(0, 37).high == pytest.approx(1 - 0.025 ** (1 / 37))


def test_nothing_observed_says_nothing_and_is_null_in_json() -> None:
    rate, share = rates.hourly_rate(0, 0.0), rates.share(0, 0)
    assert math.isnan(rate.estimate) and (rate.low, rate.high) == (0.0, math.inf)
    assert math.isnan(share.estimate) and (share.low, share.high) == (0.0, 1.0)
    assert rate.to_dict()["high"] is None and rate.to_dict()["estimate"] is None


def test_more_quiet_hours_bring_the_bound_to_the_limit() -> None:
    rate = rates.hourly_rate(1, 2.0)
    more = rates.more_quiet_hours(rate, 1.0)
    assert more == pytest.approx(5.572 - 2.0, abs=1e-3)
    assert rates.hourly_rate(1, 2.0 + more).high == pytest.approx(1.0)
    assert rates.more_quiet_hours(rates.hourly_rate(0, 4.0), 1.0) == 0
    assert math.isinf(rates.more_quiet_hours(rate, 0.0))


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="count=4 of trials=3"):
        rates.share(4, 3)
    with pytest.raises(ValueError, match="hours=-1"):
        rates.hourly_rate(0, -1)
