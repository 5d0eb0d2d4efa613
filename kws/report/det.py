"""DET and ROC curves of a keyword spotter on streams, with its operating point.

A. Martin et al., "The DET Curve in Assessment of Detection Task Performance", Eurospeech 1997. On
the left the DET: false accepts per hour (logarithmic) against misses (by normal deviates), so that
small rates can be read; 0 is drawn at the edges. On the right the ROC: hits against false accepts.
A curve shows the fewest misses at that many false accepts or fewer. Each keyword has a curve if
they are few; the band around the curve of all is the 95 % interval of its misses. The circle is the
operating point and the box the 95 % bounds of both its rates; diamonds are the other sensitivities.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kws.detection.det import DetCurve, DetCurves, DetPoint
from kws.report import templating
from kws.report.plotting import (
    BAD,
    BLUE,
    GRID,
    INK,
    QUIET_INK,
    SERIES,
    SOFT,
    heading,
    literal,
    new_figure,
    plain,
    png,
)
from kws.splits import TEST

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from kws.detection.evaluate import StreamingReport
    from kws.detection.sensitivities import Sensitivities

COLOURS = (SOFT, *SERIES)
"""Of the keywords' own curves."""
MOST_KEYWORDS = len(COLOURS)
"""More curves could not be told apart: then only that of all keywords is drawn."""
_SHARES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.98, 0.99)

Titles = dict["Artist", list[str]]
"""Line of markers -> the words of each."""


def picture(
    report: StreamingReport, title: str, sensitivities: Sensitivities | None = None
) -> bytes:
    """Both curves as a PNG.

    Args:
      report: of the streams; its DET has the curves.
      title: in the upper left corner.
      sensitivities: with their errors on the same streams, those of the test split.
    """
    figure = new_figure(11.0, 5.2)
    total = report.total
    heading(
        figure,
        title,
        f"threshold {report.detector.detection_threshold:.3f}: missed {total.miss_rate}; "
        f"false accepts {total.false_accepts_per_hour}",
    )
    named = None if sensitivities is None else sensitivities.to_dict()
    left, right = (figure.add_axes((at, 0.125, 0.415, 0.67)) for at in (0.07, 0.565))
    for axes, words in ((left, "DET: lower left is better"), (right, "ROC: upper left is better")):
        plain(axes)
        axes.grid(color=GRID, lw=0.6)
        axes.set_axisbelow(True)
        axes.set_xlabel("false accepts per hour", color=QUIET_INK, size=9, labelpad=3)
        axes.text(0.0, 1.02, words, transform=axes.transAxes, color=INK, size=9.5)
    draw_det(left, report.to_dict(), named)
    draw_roc(right, report.to_dict(), named)
    left.set_ylabel("keywords missed", color=QUIET_INK, size=9)
    right.set_ylabel("keywords hit", color=QUIET_INK, size=9)
    right.legend(loc="lower right", framealpha=0.85, edgecolor="none", fontsize=8, labelcolor=INK)
    return png(figure, dpi=120)


def frontier(curve: DetCurve) -> list[DetPoint]:
    """The points that no other beats in both rates, by rising false accepts; none without words.

    At low thresholds false accepts suppress the words that follow them: a curve through all points
    would turn back there, where nobody would operate.
    """
    best: list[DetPoint] = []
    for point in sorted(curve.points, key=lambda p: (p.false_accepts, p.misses)):
        if curve.words and (not best or point.misses < best[-1].misses):
            best.append(point)
    return best


def keyword_curves(det: DetCurves) -> dict[str, DetCurve]:
    """The keywords with a curve of their own, in the order of `COLOURS`."""
    return det.per_keyword if 1 < len(det.per_keyword) <= MOST_KEYWORDS else {}


def draw_det(
    axes: Axes, test: Mapping[str, Any], sensitivities: Mapping[str, Any] | None, size: float = 8
) -> Titles:
    """Draws the DET.

    Args:
      axes: to draw in.
      test: `StreamingReport.to_dict()`, or the section `test` of `evaluation.json`.
      sensitivities: `Sensitivities.to_dict()`, or the section of `evaluation.json`.
      size: of the sensitivities' names, in points.

    Returns:
      For each line of markers, the figures of each marker.
    """
    from matplotlib.ticker import FixedLocator, NullLocator

    det, total = DetCurves.from_dict(test["det"]), test["total"]
    no_rate = 0.5 / det.total.hours if det.total.hours else 0.1
    no_share = 0.5 / max(det.total.words, 1)
    last = max((p.false_accepts_per_hour for p in frontier(det.total)), default=1.0)
    right = max(1.2 * last, 20 * no_rate, 1.3 * (total["false_accepts_per_hour"]["high"] or 0.0))
    drawn = [p for one in (det.total, *keyword_curves(det).values()) for p in frontier(one)]
    highest = max([p.miss_rate for p in drawn], default=0.5)
    top = min(0.985, max(0.5, 1.25 * highest, 1.1 * (total["miss_rate"]["high"] or 0.0)))
    axes.set_xscale("log")
    axes.set_yscale("function", functions=(_deviates, _shares))
    shares = [share for share in _SHARES if 1.3 * no_share < share < top]
    axes.set_yticks([no_share, *shares], ["0", *(f"{100 * share:g} %" for share in shares)])
    tens = [10.0**power for power in range(-4, 6) if 1.5 * no_rate < 10.0**power < right]
    axes.xaxis.set_major_locator(FixedLocator([no_rate, *tens]))
    axes.set_xticks([no_rate, *tens], ["0", *(f"{ten:g}" for ten in tens)])
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_locator(NullLocator())
    axes.set_xlim(no_rate, right)
    axes.set_ylim(no_share, top)
    scale = _Scale(no_rate=no_rate, no_share=no_share)
    return _draw(axes, det, total, sensitivities, scale, right, size)


def draw_roc(
    axes: Axes, test: Mapping[str, Any], sensitivities: Mapping[str, Any] | None, size: float = 8
) -> Titles:
    """Draws the ROC; arguments and result are those of `draw_det`."""
    det, total = DetCurves.from_dict(test["det"]), test["total"]
    bound = total["false_accepts_per_hour"]["high"] or 1.0
    last = max((p.false_accepts_per_hour for p in frontier(det.total)), default=0.0)
    right = max(1.15 * bound, min(1.1 * last, 3 * bound))
    axes.set_xlim(0, right)
    axes.set_ylim(0, 1.01)
    ticks = np.linspace(0, 1, 6)
    axes.set_yticks(ticks, [f"{100 * tick:.0f} %" for tick in ticks])
    return _draw(axes, det, total, sensitivities, _Scale(hits=True), right, size)


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Scale:
    """What is drawn of a pair of rates.

    Attributes:
      no_rate: stands for a rate of 0, which a DET cannot show.
      no_share: stands for a share of 0.
      hits: instead of misses, for a ROC.
    """

    no_rate: float = 0.0
    no_share: float = 0.0
    hits: bool = False

    def x(self, rate: float) -> float:
        return max(rate, self.no_rate)

    def y(self, missed: float) -> float:
        return 1 - missed if self.hits else max(missed, self.no_share)

    def steps(
        self, points: Sequence[DetPoint], shares: Sequence[float], right: float
    ) -> tuple[list[float], list[float]]:
        """The last point's misses hold up to the right edge."""
        x = [self.x(point.false_accepts_per_hour) for point in points]
        y = [self.y(share) for share in shares]
        return [*x, max(right, x[-1])] if x else x, [*y, *y[-1:]]


def _draw(
    axes: Axes, det: DetCurves, total: Mapping[str, Any], named: Mapping[str, Any] | None,
    scale: _Scale, right: float, size: float,
) -> Titles:  # fmt: skip
    steps: dict[str, Any] = {"drawstyle": "steps-post"}
    for colour, (label, curve) in zip(COLOURS, keyword_curves(det).items(), strict=False):
        points = frontier(curve)
        x, y = scale.steps(points, [point.miss_rate for point in points], right)
        axes.plot(x, y, color=colour, lw=1.3, label=literal(f'"{label}"'), **steps)
    points = frontier(det.total)
    bounds = [det.total.misses(point) for point in points]
    x, low = scale.steps(points, [bound.low for bound in bounds], right)
    _, high = scale.steps(points, [bound.high for bound in bounds], right)
    axes.fill_between(x, low, high, step="post", color=BLUE, alpha=0.13, lw=0)
    label = "all keywords" if len(det.per_keyword) > 1 else "keyword"
    x, y = scale.steps(points, [point.miss_rate for point in points], right)
    axes.plot(x, y, color=BLUE, lw=2.2, label=label, **steps)
    titles: Titles = {}
    shown = [point for point in points if scale.x(point.false_accepts_per_hour) <= right]
    if shown:
        # Seen only under the mouse, where a page shows their words.
        (markers,) = axes.plot(
            [scale.x(point.false_accepts_per_hour) for point in shown],
            [scale.y(point.miss_rate) for point in shown],
            "o", ms=9, color=BLUE, alpha=0, clip_on=False, zorder=4.5,
        )  # fmt: skip
        titles[markers] = [
            f"threshold {point.threshold:g}: "
            + _words(point.false_accepts_per_hour, point.miss_rate)
            for point in shown
        ]
    titles |= _operating_point(axes, total, scale)
    return titles | _sensitivities(axes, named, scale, size)


def _operating_point(axes: Axes, total: Mapping[str, Any], scale: _Scale) -> Titles:
    from matplotlib.patches import Rectangle

    rate, missed = total["false_accepts_per_hour"], total["miss_rate"]
    if not (rate["exposure"] and missed["exposure"]):
        return {}
    left, right = scale.x(rate["low"]), scale.x(rate["high"])
    low, high = sorted((scale.y(missed["low"]), scale.y(missed["high"])))
    corner, width, height = (left, low), right - left, high - low
    axes.add_patch(Rectangle(corner, width, height, fc=BAD, ec="none", alpha=0.12))
    axes.add_patch(Rectangle(corner, width, height, fc="none", ec=BAD, lw=0.9, zorder=4))
    (marker,) = axes.plot(
        [scale.x(rate["estimate"])], [scale.y(missed["estimate"])], marker="o", ms=7, mfc="white",
        mec=BAD, mew=2, ls="none", zorder=5, clip_on=False, label="operating point, 95 % box",
    )  # fmt: skip
    return {marker: [f"operating point: {_words(rate['estimate'], missed['estimate'])}"]}


def _sensitivities(
    axes: Axes, named: Mapping[str, Any] | None, scale: _Scale, size: float
) -> Titles:
    """The name of each, and a diamond for all but the default, which is the operating point."""
    if named is None:
        return {}
    titles: Titles = {}
    at: dict[tuple[float, float], list[str]] = {}
    for name, one in named["points"].items():
        errors = one["measured"][TEST]
        rate, missed = (errors[key]["estimate"] for key in ("false_accepts_per_hour", "miss_rate"))
        if rate is None or missed is None:
            continue
        x, y = scale.x(rate), scale.y(missed)
        at.setdefault((x, y), []).append(name)
        if name != named["default"]:
            (marker,) = axes.plot(
                [x], [y], marker="D", ms=5, mfc="white", mec=BAD, mew=1.4, ls="none", zorder=5,
                clip_on=False,
            )  # fmt: skip
            titles[marker] = [f"{name}: {_words(rate, missed)}"]
    for (x, y), names in at.items():
        axes.annotate(
            literal(", ".join(names)), (x, y), xytext=(6, -1.1 * size if scale.hits else 5),
            textcoords="offset points", color=BAD, size=size, zorder=6,
        )  # fmt: skip
    return titles


def _words(rate: float, missed: float) -> str:
    return f"{templating.number(rate)} false accepts per hour, {templating.percent(missed)} missed"


def _deviates(shares: np.ndarray) -> np.ndarray:
    """Of a normal distribution; its ends are cut, where they are infinite."""
    from scipy.special import ndtri

    return np.asarray(ndtri(np.clip(shares, 1e-5, 1 - 1e-5)))


def _shares(deviates: np.ndarray) -> np.ndarray:
    from scipy.special import ndtr

    return np.asarray(ndtr(deviates))
