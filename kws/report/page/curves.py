"""DET and ROC of the test streams, with the operating point and its 95 % box.

A. Martin et al., "The DET Curve in Assessment of Detection Task Performance", Eurospeech 1997; see
`kws.report.det`, which draws the same curves for a file.
"""

from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

from kws.report.det import MOST_KEYWORDS, frontier
from kws.report.page.facts import Facts
from kws.report.page.html import Html, join, note, tag
from kws.report.page.plot import Plot, legend, linear, logarithmic, ticks, warped
from kws.report.page.section import Section, number, percent
from kws.streaming.det import DetCurve, DetCurves, DetPoint

WIDTH, HEIGHT = 460.0, 340.0
_SHARES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.98)


def section(facts: Facts) -> Section:
    test = facts.streaming["test"]
    if "det" not in test:
        return Section(key="curves", title="DET and ROC", body=note("No curve was measured."))
    det = DetCurves.from_dict(test["det"])
    point = facts.streaming["operating_point"]
    drawn = _drawn(det)
    lines = [("total", "all keywords" if len(det.per_keyword) > 1 else "keyword")]
    lines += [(f"k{i}", label) for i, label in enumerate(drawn)]
    body = join(
        [
            note(
                "What could be had at other thresholds, and the bounds of what was counted. "
                f"Chosen on the eval streams: {point['reason']}."
            ),
            tag(
                "div",
                _figure("DET: lower left is better", _det(det, test["total"])),
                _figure("ROC: upper left is better", _roc(det, test["total"])),
                class_="pair",
            ),
            legend(*lines, ("point", "operating point, 95 % box")),
        ]
    )
    return Section(key="curves", title="DET and ROC", body=body)


def _figure(words: str, picture: Html) -> Html:
    return tag("figure", tag("figcaption", words), picture)


def _drawn(det: DetCurves) -> dict[str, DetCurve]:
    curves = det.per_keyword
    return curves if 1 < len(curves) <= MOST_KEYWORDS else {}


def _det(det: DetCurves, total: dict[str, Any]) -> Html:
    no_rate = 0.5 / det.total.hours if det.total.hours else 0.1
    no_share = 0.5 / max(det.total.words, 1)
    points = frontier(det.total)
    rate_high = total["false_accepts_per_hour"]["high"] or 1.0
    last = max((p.false_accepts_per_hour for p in points), default=1.0)
    right = max(1.5 * last, 1.3 * rate_high, 20 * no_rate)
    top = min(0.985, max([0.5, *(1.25 * p.miss_rate for p in points)]))
    plot = Plot(
        width=WIDTH, height=HEIGHT, x=logarithmic(no_rate, right),
        y=warped(no_share, top, _deviate),
    )  # fmt: skip
    tens = [10.0**power for power in range(-4, 6) if 1.5 * no_rate < 10.0**power < right]
    shares = [s for s in _SHARES if 1.3 * no_share < s < top]
    axes = plot.axes(
        [(no_rate, "0"), *((ten, f"{ten:g}") for ten in tens)],
        [(no_share, "0"), *((s, f"{100 * s:g} %") for s in shares)],
        ("false accepts an hour", "keywords missed"),
    )
    return _picture("DET curve", plot, axes, det, total, right, hits=False)


def _roc(det: DetCurves, total: dict[str, Any]) -> Html:
    bound = total["false_accepts_per_hour"]["high"] or 1.0
    last = max((p.false_accepts_per_hour for p in frontier(det.total)), default=0.0)
    right = max(1.15 * bound, min(1.1 * last, 3 * bound))
    plot = Plot(width=WIDTH, height=HEIGHT, x=linear(0, right), y=linear(0, 1))
    axes = plot.axes(
        [(value, f"{value:g}") for value in ticks(0, right)],
        [(value / 5, f"{20 * value} %") for value in range(6)],
        ("false accepts an hour", "keywords hit"),
    )
    return _picture("ROC curve", plot, axes, det, total, right, hits=True)


def _picture(
    name: str, plot: Plot, axes: Html, det: DetCurves, total: dict[str, Any], right: float,
    hits: bool,
) -> Html:  # fmt: skip
    def up(share: float) -> float:
        return 1 - share if hits else share

    def line(points: Sequence[DetPoint], shares: Sequence[float]) -> list[tuple[float, float]]:
        found = [(p.false_accepts_per_hour, up(s)) for p, s in zip(points, shares, strict=True)]
        found = [place for place in found if place[0] <= right]
        return [*found, (right, found[-1][1])] if found else []

    points = frontier(det.total)
    bounds = [det.total.misses(point) for point in points]
    parts: list[Html] = [
        plot.band(
            line(points, [b.low for b in bounds]),
            line(points, [b.high for b in bounds]),
            "band",
            steps=True,
        )
    ]
    for place, curve in enumerate(_drawn(det).values()):
        own = frontier(curve)
        parts.append(plot.line(line(own, [p.miss_rate for p in own]), f"curve k{place}", True))
    parts.append(plot.line(line(points, [p.miss_rate for p in points]), "curve total", True))
    parts += [
        plot.dot(
            p.false_accepts_per_hour, up(p.miss_rate), "hover",
            f"threshold {p.threshold:g}: {number(p.false_accepts_per_hour)} an hour, "
            f"{percent(p.miss_rate)} missed",
        )
        for p in points if p.false_accepts_per_hour <= right
    ]  # fmt: skip
    rate, miss = total["false_accepts_per_hour"], total["miss_rate"]
    words = "nothing was measured"
    if rate["exposure"] and miss["exposure"]:
        sides = sorted((up(miss["low"]), up(miss["high"])))
        words = (
            f"operating point: {number(rate['estimate'])} false accepts an hour, "
            f"{percent(miss['estimate'])} missed"
        )
        parts.append(plot.box((rate["low"], rate["high"]), (sides[0], sides[1]), "box"))
        parts.append(plot.dot(rate["estimate"], up(miss["estimate"]), "point", words))
    return plot.picture(f"{name}; {words}", axes, *parts)


def _deviate(share: float) -> float:
    """Of a normal distribution; its ends are cut, where they are infinite."""
    return NormalDist().inv_cdf(min(max(share, 1e-5), 1 - 1e-5))
