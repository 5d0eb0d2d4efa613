"""DET and ROC of the test streams, with the operating point and its 95 % box.

A. Martin et al., "The DET Curve in Assessment of Detection Task Performance", Eurospeech 1997; see
`kws.report.det`, which draws the same curves for a file.
"""

from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import Any

from kws.report.det import MOST_KEYWORDS, frontier
from kws.report.page.facts import Facts
from kws.report.page.html import Html, join, note, table, tag
from kws.report.page.plot import Plot, legend, linear, logarithmic, ticks, warped
from kws.report.page.section import Section, interval, number, percent
from kws.splits import EVAL, TEST
from kws.streaming.det import DetCurve, DetCurves, DetPoint

_ERRORS = ("false_accepts_per_hour", "miss_rate")
WIDTH, HEIGHT = 460.0, 340.0
_SHARES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.98)


def section(facts: Facts) -> Section:
    test = facts.streaming["test"]
    if "det" not in test:
        return Section(key="curves", title="DET and ROC", body=note("No curve was measured."))
    det = DetCurves.from_dict(test["det"])
    point = facts.streaming["operating_point"]
    named = facts.streaming.get("sensitivities")
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
                _figure("DET: lower left is better", _det(det, test["total"], named)),
                _figure("ROC: upper left is better", _roc(det, test["total"], named)),
                class_="pair",
            ),
            legend(*lines, ("point", "operating point, 95 % box")),
            _sensitivities(named) if named else None,
        ]
    )
    return Section(key="curves", title="DET and ROC", body=body)


def _sensitivities(named: dict[str, Any]) -> Html:
    """A table of them, and on what grounds each was chosen."""
    rows, grounds = [], []
    for name, one in named["points"].items():
        shown = [name, " (default)" if name == named["default"] else ""]
        cells: list[object] = []
        for split in (EVAL, TEST):
            rate, missed = (one["measured"][split][key] for key in _ERRORS)
            cells += [interval(rate, False), interval(missed, True)]
        target = number(one["target_false_accepts_per_hour"])
        rows.append(["".join(shown), target, f"{one['detection_threshold']:.4g}", *cells])
        grounds.append(tag("li", f"{name}: {one['grounds']}."))
    measured = {
        split: named["points"][named["default"]]["measured"][split] for split in (EVAL, TEST)
    }
    hours = [measured[split]["false_accepts_per_hour"]["exposure"] for split in (EVAL, TEST)]
    return join(
        [
            table(
                "Sensitivities",
                ["sensitivity", "false accepts an hour wanted", "threshold",
                 "eval: an hour (95 %)", "missed (95 %)",
                 "test: an hour (95 %)", "missed (95 %)"],
                rows,
            ),
            note(f"Over {hours[0]:.2f} h of eval streams and {hours[1]:.2f} h of test streams."),
            tag("ul", *grounds, class_="note"),
        ]
    )  # fmt: skip


def _figure(words: str, picture: Html) -> Html:
    return tag("figure", tag("figcaption", words), picture)


def _drawn(det: DetCurves) -> dict[str, DetCurve]:
    curves = det.per_keyword
    return curves if 1 < len(curves) <= MOST_KEYWORDS else {}


def _det(det: DetCurves, total: dict[str, Any], named: dict[str, Any] | None) -> Html:
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
    return _picture("DET curve", plot, axes, det, total, named, right, hits=False)


def _roc(det: DetCurves, total: dict[str, Any], named: dict[str, Any] | None) -> Html:
    bound = total["false_accepts_per_hour"]["high"] or 1.0
    last = max((p.false_accepts_per_hour for p in frontier(det.total)), default=0.0)
    right = max(1.15 * bound, min(1.1 * last, 3 * bound))
    plot = Plot(width=WIDTH, height=HEIGHT, x=linear(0, right), y=linear(0, 1))
    axes = plot.axes(
        [(value, f"{value:g}") for value in ticks(0, right)],
        [(value / 5, f"{20 * value} %") for value in range(6)],
        ("false accepts an hour", "keywords hit"),
    )
    return _picture("ROC curve", plot, axes, det, total, named, right, hits=True)


def _picture(
    name: str, plot: Plot, axes: Html, det: DetCurves, total: dict[str, Any],
    named: dict[str, Any] | None, right: float, hits: bool,
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
        parts += [_mark(plot, sensitivity, one, up) for sensitivity, one in _others(named)]
    return plot.picture(f"{name}; {words}", axes, *parts)


def _others(named: dict[str, Any] | None) -> list[tuple[str, dict[str, Any]]]:
    """The sensitivities that are not the operating point."""
    if named is None:
        return []
    return [item for item in named["points"].items() if item[0] != named["default"]]


def _mark(plot: Plot, name: str, one: dict[str, Any], up: Callable[[float], float]) -> Html:
    rate, missed = (one["measured"][TEST][key]["estimate"] for key in _ERRORS)
    words = f"{name}: {number(rate)} false accepts an hour, {percent(missed)} missed"
    return plot.dot(rate, up(missed), "point", words, radius=3.5)


def _deviate(share: float) -> float:
    """Of a normal distribution; its ends are cut, where they are infinite."""
    return NormalDist().inv_cdf(min(max(share, 1e-5), 1 - 1e-5))
