"""Scales and ticks of a diagram."""

import pytest

from kws.report.page.plot import LEFT, RIGHT, Plot, linear, logarithmic, ticks, warped


def test_scales_map_their_ends_to_the_ends_of_the_area():
    for scale in (linear(2, 8), logarithmic(2, 8), warped(2, 8, lambda v: v**2)):
        assert (scale(2), scale(8)) == pytest.approx((0, 1))
    assert logarithmic(1, 100)(10) == pytest.approx(0.5)


def test_ticks_are_round_and_inside():
    assert ticks(0, 1) == [0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert ticks(0.3, 1.24, 4) == [0.5, 0.75, 1.0] or ticks(0.3, 1.24, 4) == [0.5, 1.0]
    assert ticks(400.2, 402.3) == [400.5, 401.0, 401.5, 402.0]


def test_what_lies_outside_is_drawn_at_the_edge():
    plot = Plot(width=200, height=100, x=linear(0, 1), y=linear(0, 1))
    assert plot.at(-5, 0.5)[0] == LEFT and plot.at(9, 0.5)[0] == 200 - RIGHT
    assert plot.at(0, 1)[1] < plot.at(0, 0)[1]
