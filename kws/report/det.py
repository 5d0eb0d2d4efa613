"""The DET and the ROC curve of a spotter on streams, and where it was set to work."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

import numpy as np

from kws.report.drawing import GRID, INK, QUIET_INK, blank, heading, plain
from kws.splits import TEST

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from kws.streaming.det import DetCurve, DetPoint
    from kws.streaming.evaluate import StreamingReport
    from kws.streaming.sensitivities import Sensitivities

WIDTH, HEIGHT = 11.0, 5.2
DPI = 120
COLOURS = ("#1b7f5c", "#c2571a", "#7a4fbf", "#b8860b", "#a02c4f", "#2c7da0", "#5b7a1f", "#8c564b")
TOTAL_COLOUR, POINT_COLOUR = "#1f5fbf", "#c0273b"
MOST_KEYWORDS = 8
"""With more, their curves cannot be told apart, and only that of all is drawn."""
_SHARES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.98, 0.99)


def picture(
    report: StreamingReport, title: str, sensitivities: Sensitivities | None = None
) -> bytes:
    """A PNG with both curves.

    On the left the DET: false accepts per hour against misses, stretched so that small rates can
    be read (the rate logarithmic, the misses by normal deviates; 0 stands at the edges). On the
    right the ROC: hits against false accepts, as they are. A curve says what can be had: the fewest
    misses with so many false accepts or fewer. Each keyword has one, where they are few; the band
    around that of all is the 95 % interval of its misses. The circle is the operating point, its
    box the 95 % bounds of both of its rates; the other sensitivities are diamonds with their names.

    Args:
      report: of the streams; its DET has the curves.
      title: in the upper left corner.
      sensitivities: with their errors on the same streams, those of the test split.
    """
    figure = blank(WIDTH, HEIGHT)
    total = report.total
    heading(
        figure,
        title,
        f"threshold {report.detector.detection_threshold:.3f}: missed {total.miss_rate}; "
        f"false accepts {total.false_accepts_per_hour}",
    )
    for at, draw in ((0.07, _det), (0.565, _roc)):
        axes = figure.add_axes((at, 0.125, 0.415, 0.67))
        plain(axes)
        axes.grid(color=GRID, lw=0.6)
        axes.set_axisbelow(True)
        axes.set_xlabel("false accepts per hour", color=QUIET_INK, size=9, labelpad=3)
        draw(axes, report, sensitivities)
    png = io.BytesIO()
    figure.savefig(png, dpi=DPI, format="png")
    return png.getvalue()


def frontier(curve: DetCurve) -> list[DetPoint]:
    """The points that no other beats in both rates, by rising false accepts; none without words.

    At low thresholds false accepts suppress the words that follow them: a curve through all points
    turns back there, where nobody would work.
    """
    best: list[DetPoint] = []
    for point in sorted(curve.points, key=lambda p: (p.false_accepts, p.misses)):
        if curve.words and (not best or point.misses < best[-1].misses):
            best.append(point)
    return best


def _det(axes: Axes, report: StreamingReport, sensitivities: Sensitivities | None) -> None:
    from matplotlib.ticker import NullLocator

    curve, total = report.det.total, report.total
    no_rate = 0.5 / curve.hours if curve.hours else 0.1
    no_share = 0.5 / max(curve.words, 1)
    points = frontier(curve)
    last = max((p.false_accepts_per_hour for p in points), default=1.0)
    axes.set_xscale("log")
    axes.set_yscale("function", functions=(_deviates, _shares))
    _curves(axes, report, no_rate, no_share, last * 1.5)
    _operating_point(axes, report, no_rate, no_share)
    _sensitivities(axes, sensitivities, no_rate, no_share)
    bounds = total.false_accepts_per_hour.high, total.miss_rate.high
    right = max(1.2 * last, 20 * no_rate, *(1.3 * b for b in bounds[:1] if math.isfinite(b)))
    drawn = [*points, *(p for one in _drawn(report).values() for p in frontier(one))]
    highest = max([p.miss_rate for p in drawn], default=0.5)
    top = min(0.985, max(0.5, 1.25 * highest, 1.1 * bounds[1]))
    shares = [share for share in _SHARES if 1.3 * no_share < share < top]
    axes.set_yticks([no_share, *shares], ["0", *(f"{100 * share:g}%" for share in shares)])
    tens = [10.0**power for power in range(-4, 6) if 1.5 * no_rate < 10.0**power < right]
    axes.set_xticks([no_rate, *tens], ["0", *(f"{ten:g}" for ten in tens)])
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_locator(NullLocator())
    axes.set_xlim(no_rate, right)
    axes.set_ylim(no_share, top)
    axes.set_ylabel("keywords missed", color=QUIET_INK, size=9)
    _says(axes, "DET: lower left is better")


def _roc(axes: Axes, report: StreamingReport, sensitivities: Sensitivities | None) -> None:
    bound = report.total.false_accepts_per_hour.high
    if not math.isfinite(bound):
        bound = 1.0
    points = frontier(report.det.total)
    last = max((p.false_accepts_per_hour for p in points), default=0.0)
    reach = max(1.15 * bound, min(1.1 * last, 3 * bound))
    _curves(axes, report, 0.0, 0.0, max(reach, last), hits=True)
    _operating_point(axes, report, 0.0, 0.0, hits=True)
    _sensitivities(axes, sensitivities, 0.0, 0.0, hits=True)
    axes.set_xlim(0, reach)
    axes.set_ylim(0, 1.01)
    ticks = np.linspace(0, 1, 6)
    axes.set_yticks(ticks, [f"{tick:.0%}" for tick in ticks])
    axes.set_ylabel("keywords hit", color=QUIET_INK, size=9)
    axes.legend(loc="lower right", framealpha=0.85, edgecolor="none", fontsize=8, labelcolor=INK)
    _says(axes, "ROC: upper left is better")


def _curves(
    axes: Axes, report: StreamingReport, no_rate: float, no_share: float, end: float,
    hits: bool = False,
) -> None:  # fmt: skip
    """Steps: up to the next point, the last one's misses are what can be had."""

    def steps(curve: DetCurve) -> tuple[list[float], list[DetPoint]]:
        points = frontier(curve)
        x = [max(point.false_accepts_per_hour, no_rate) for point in points]
        return [*x, *([end] if x else [])], [*points, *points[-1:]]

    def missed(share: float) -> float:
        return 1 - share if hits else max(share, no_share)

    det = report.det
    for number, (label, curve) in enumerate(_drawn(report).items()):
        x, points = steps(curve)
        axes.plot(
            x, [missed(point.miss_rate) for point in points], drawstyle="steps-post",
            color=COLOURS[number % len(COLOURS)], lw=1.0, alpha=0.75, label=f'"{label}"',
        )  # fmt: skip
    x, points = steps(det.total)
    bounds = [det.total.misses(point) for point in points]
    low, high = ([missed(getattr(b, side)) for b in bounds] for side in ("low", "high"))
    axes.fill_between(x, low, high, step="post", color=TOTAL_COLOUR, alpha=0.12, lw=0)
    axes.plot(
        x, [missed(point.miss_rate) for point in points], drawstyle="steps-post",
        color=TOTAL_COLOUR, lw=2.2, label="all keywords" if len(det.per_keyword) > 1 else "keyword",
    )  # fmt: skip


def _drawn(report: StreamingReport) -> dict[str, DetCurve]:
    """The keywords that have a curve of their own."""
    curves = report.det.per_keyword
    return curves if 1 < len(curves) <= MOST_KEYWORDS else {}


def _operating_point(
    axes: Axes, report: StreamingReport, no_rate: float, no_share: float, hits: bool = False
) -> None:
    from matplotlib.patches import Rectangle

    rate, missed = report.total.false_accepts_per_hour, report.total.miss_rate
    if math.isnan(rate.estimate) or math.isnan(missed.estimate):
        return
    left = max(rate.low, no_rate)
    low, y, high = (max(share, no_share) for share in (missed.low, missed.estimate, missed.high))
    if hits:
        low, y, high = 1 - high, 1 - y, 1 - low
    corner, width, height = (left, low), rate.high - left, high - low
    axes.add_patch(Rectangle(corner, width, height, fc=POINT_COLOUR, ec="none", alpha=0.12))
    axes.add_patch(Rectangle(corner, width, height, fc="none", ec=POINT_COLOUR, lw=0.9, zorder=4))
    axes.plot(
        [max(rate.estimate, no_rate)], [y], marker="o", ms=6, mfc="white", mec=POINT_COLOUR,
        mew=1.8, ls="none", zorder=5, clip_on=False, label="operating point, 95 % box",
    )  # fmt: skip


def _sensitivities(
    axes: Axes,
    sensitivities: Sensitivities | None,
    no_rate: float,
    no_share: float,
    hits: bool = False,
) -> None:
    """All with their names; the default one has its circle already."""
    named: dict[tuple[float, float], list[str]] = {}
    for one in sensitivities.points if sensitivities is not None else ():
        errors = one.measured[TEST]
        rate, missed = errors.false_accepts_per_hour.estimate, errors.miss_rate.estimate
        if math.isnan(rate) or math.isnan(missed):
            continue
        place = max(rate, no_rate), 1 - missed if hits else max(missed, no_share)
        named.setdefault(place, []).append(one.name)
    default = sensitivities.default if sensitivities is not None else ""
    for (x, y), names in named.items():
        if default not in names:
            axes.plot(
                [x], [y], marker="D", ms=5, mfc="white", mec=POINT_COLOUR, mew=1.4, ls="none",
                zorder=5, clip_on=False,
            )  # fmt: skip
        axes.annotate(
            ", ".join(names), (x, y), xytext=(6, -9 if hits else 5), textcoords="offset points",
            color=POINT_COLOUR, size=8, zorder=6,
        )  # fmt: skip


def _says(axes: Axes, words: str) -> None:
    axes.text(0.0, 1.02, words, transform=axes.transAxes, color=INK, size=9.5)


def _deviates(shares: np.ndarray) -> np.ndarray:
    """Of a normal distribution; its ends are cut, where they are infinite."""
    from scipy.special import ndtri

    return np.asarray(ndtri(np.clip(shares, 1e-5, 1 - 1e-5)))


def _shares(deviates: np.ndarray) -> np.ndarray:
    from scipy.special import ndtr

    return np.asarray(ndtr(deviates))
