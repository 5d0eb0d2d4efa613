"""Misses and false accepts of a wake word's models: of one model, over seeds, as text and picture.

A point is a threshold at which all is counted: one for each sensitivity of the model, and the
lowest one that keeps to a rate of false accepts over all streams. That one is chosen on the test
itself: it says what the model could do, the sensitivities what it will.
"""

import dataclasses
import itertools
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.wake_word_models import Kept
from benchmarks.wake_word_streams import CONDITIONS, NEGATIVES
from kws.detection.det import DetCurve, candidate_thresholds, det_curves
from kws.detection.detector import detect
from kws.detection.params import MatchParams
from kws.detection.posteriors import StreamPosteriors
from kws.detection.rates import HourlyRate, Share, hourly_rate, share

WITH_THE_WORD, ALL = "streams with the word", "all streams"
EVERYWHERE = "all conditions"
_NAME, _CELL = 42, 22


@dataclasses.dataclass(frozen=True, kw_only=True)
class Point:
    """What one threshold comes to.

    Attributes:
      threshold: of the smoothed score.
      misses: by condition, and in `EVERYWHERE`.
      false_accepts: by kind of negative stream, in streams with the word, and in `ALL`.
    """

    threshold: float
    misses: dict[str, Share]
    false_accepts: dict[str, HourlyRate]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "threshold": self.threshold,
            "misses": {name: rate.to_dict() for name, rate in self.misses.items()},
            "false_accepts": {name: rate.to_dict() for name, rate in self.false_accepts.items()},
        }


@dataclasses.dataclass(frozen=True, kw_only=True)
class Judged:
    """One model's figures.

    Attributes:
      kept: the model.
      curves: errors at every threshold, by kind of stream.
      points: by name of the sensitivity, and `best` where a threshold keeps to its rate.
      best: the name of that point, whether there is one or not.
      near_misses: phrases that sound like the word of which the default sensitivity accepts one.
      accepted: those phrases.
    """

    kept: Kept
    curves: dict[str, DetCurve]
    points: dict[str, Point]
    best: str
    near_misses: Share
    accepted: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "pushed": self.kept.pushed,
            "detector": self.kept.detector.model_dump(mode="json"),
            "default": self.kept.default,
            "points": {name: point.to_dict() for name, point in self.points.items()},
            "near_misses": {**self.near_misses.to_dict(), "accepted": list(self.accepted)},
        }


def judge(
    kept: Kept,
    labels: Sequence[str],
    heard: Mapping[str, Sequence[StreamPosteriors]],
    near: Sequence[StreamPosteriors],
    per_hour: float,
) -> Judged:
    """Counts everything.

    Args:
      kept: the model.
      labels: of its outputs.
      heard: posteriors by kind of stream, those of `CONDITIONS` and of `NEGATIVES`.
      near: posteriors of phrases that sound like the word.
      per_hour: false accepts over all streams that the point `best` keeps to.
    """
    thresholds = sorted({*candidate_thresholds(kept.detector), *kept.sensitivities.values()})
    curves = {
        kind: det_curves(streams, labels, kept.detector, MatchParams(), thresholds).total
        for kind, streams in heard.items()
    }
    points = {name: _point(curves, thresholds.index(at)) for name, at in kept.sensitivities.items()}
    best = f"{per_hour:g} /h"
    keeping = list(
        itertools.takewhile(
            lambda i: _point(curves, i).false_accepts[ALL].estimate <= per_hour,
            reversed(range(len(thresholds))),
        )
    )
    if keeping:
        points[best] = _point(curves, keeping[-1])
    detector = kept.detector.model_copy(
        update={"detection_threshold": kept.sensitivities[kept.default]}
    )
    accepted = tuple(
        stream.truth.stream_id
        for stream in near
        if detect(stream.times_ms, stream.posteriors, detector, labels)
    )
    return Judged(
        kept=kept,
        curves=curves,
        points=points,
        best=best,
        near_misses=share(len(accepted), len(near)),
        accepted=accepted,
    )


def _point(curves: Mapping[str, DetCurve], index: int) -> Point:
    def misses(kinds: Sequence[str]) -> Share:
        return share(
            sum(curves[kind].points[index].misses for kind in kinds),
            sum(curves[kind].words for kind in kinds),
        )

    def accepts(kinds: Sequence[str]) -> HourlyRate:
        return hourly_rate(
            sum(curves[kind].points[index].false_accepts for kind in kinds),
            sum(curves[kind].hours for kind in kinds),
        )

    return Point(
        threshold=curves[CONDITIONS[0]].points[index].threshold,
        misses={**{kind: misses([kind]) for kind in CONDITIONS}, EVERYWHERE: misses(CONDITIONS)},
        false_accepts={
            **{kind: accepts([kind]) for kind in NEGATIVES},
            WITH_THE_WORD: accepts(CONDITIONS),
            ALL: accepts([*CONDITIONS, *NEGATIVES]),
        },
    )


def summary(seeds: Sequence[Judged]) -> dict[str, Any]:
    """Mean, lowest and highest over the seeds, for JSON and `table`; seeds without a point of some
    name do not count in it, and `seeds` says how many did."""
    names = list(dict.fromkeys(name for one in seeds for name in one.points))
    found: dict[str, Any] = {}
    for name in names:
        points = [one.points[name] for one in seeds if name in one.points]
        found[name] = {
            "seeds": len(points),
            "threshold": _over([point.threshold for point in points]),
            "misses": {
                kind: _over([point.misses[kind].estimate for point in points])
                for kind in points[0].misses
            },
            "false_accepts_per_hour": {
                kind: _over([point.false_accepts[kind].estimate for point in points])
                for kind in points[0].false_accepts
            },
        }
    return {"points": found, "near_misses": _over([one.near_misses.estimate for one in seeds])}


def _over(values: Sequence[float]) -> dict[str, float]:
    return {"mean": statistics.fmean(values), "lowest": min(values), "highest": max(values)}


def table(word: str, seeds: Mapping[int, Judged]) -> str:
    """What is printed of a word."""
    judged = list(seeds.values())
    first, over_seeds = judged[0], summary(judged)
    points = over_seeds["points"]
    hours = sum(first.curves[kind].hours for kind in NEGATIVES)
    lines = [
        f"{word}: {first.curves[CONDITIONS[0]].words} recordings in {len(CONDITIONS)} conditions, "
        f"{hours:.2f} h without the word, seeds {', '.join(map(str, seeds))}",
        _row("", points),
        _row("threshold", [_cell(one["threshold"], "{:.3f}") for one in points.values()]),
    ]
    for kind in (*CONDITIONS, EVERYWHERE):
        cells = [_cell(one["misses"][kind], "{:.1%}") for one in points.values()]
        lines.append(_row(f"missed: {kind}", cells))
    for kind in (*NEGATIVES, WITH_THE_WORD, ALL):
        cells = [_cell(one["false_accepts_per_hour"][kind], "{:.2f}") for one in points.values()]
        lines.append(_row(f"false accepts /h: {kind}", cells))
    default = first.kept.default
    lines.append(
        _row(f"near misses accepted at {default}", [_cell(over_seeds["near_misses"], "{:.1%}")])
    )
    for seed, one in seeds.items():
        passed = {True: "passed its gates", False: "REFUSED by its gates", None: "gates unknown"}
        lines.append(f"  seed {seed}, {passed[one.kept.pushed]}; near misses {one.near_misses}")
        for name in (default, one.best):
            if name not in one.points:
                lines.append(f"    no threshold keeps to {name} over all streams")
                continue
            point = one.points[name]
            lines.append(f"    {name}, missed in all conditions: {point.misses[EVERYWHERE]}")
            lines += [
                f"    {name}, false accepts in {kind}: {point.false_accepts[kind]}"
                for kind in (*NEGATIVES, ALL)
            ]
    return "\n".join(lines)


def _row(name: str, cells: Any) -> str:
    return f"  {name:<{_NAME}}" + "".join(f"{cell:>{_CELL}}" for cell in cells)


def _cell(over: Mapping[str, float], form: str) -> str:
    """`5.1% (4.0%-6.2%)`, or the one value."""
    mean, low, high = (form.format(over[name]) for name in ("mean", "lowest", "highest"))
    return mean if low == high else f"{mean} ({low}-{high})"


def picture(word: str, seeds: Mapping[int, Judged]) -> bytes:
    """A PNG: misses in each condition against false accepts an hour over all streams.

    A line for each condition and seed: at every threshold, or rather every rate of false accepts,
    the fewest misses that can be had. Diamonds are the sensitivities of each seed, in quiet.
    """
    from kws.report.det import COLOURS, frontier
    from kws.report.plotting import GRID, INK, QUIET_INK, heading, new_figure, plain, png

    figure = new_figure(8.0, 5.2)
    heading(
        figure,
        f'"{word}" by strangers',
        f"a line a condition and seed: {', '.join(map(str, seeds))}",
    )
    axes = figure.add_axes((0.09, 0.12, 0.88, 0.68))
    plain(axes)
    axes.grid(color=GRID, lw=0.6)
    axes.set_axisbelow(True)
    for place, judged in enumerate(seeds.values()):
        hours = sum(curve.hours for curve in judged.curves.values())
        accepts = [
            sum(at)
            for at in zip(
                *(
                    [point.false_accepts for point in curve.points]
                    for curve in judged.curves.values()
                ),
                strict=True,
            )
        ]
        for kind, colour in zip(CONDITIONS, COLOURS, strict=False):
            own = judged.curves[kind]
            points = [
                dataclasses.replace(
                    point, false_accepts=count, false_accepts_per_hour=count / hours
                )
                for point, count in zip(own.points, accepts, strict=True)
            ]
            best = frontier(dataclasses.replace(own, points=points))
            axes.plot(
                [max(point.false_accepts_per_hour, 0.5 / hours) for point in best],
                [100 * point.miss_rate for point in best],
                drawstyle="steps-post", color=colour, lw=1.4, label=None if place else kind,
            )  # fmt: skip
        for name in judged.kept.sensitivities:
            point = judged.points[name]
            axes.plot(
                max(point.false_accepts[ALL].estimate, 0.5 / hours),
                100 * point.misses[CONDITIONS[0]].estimate,
                marker="D", ms=5, mfc="white", mec=COLOURS[0], ls="none",
            )  # fmt: skip
    axes.set_xscale("log")
    axes.set_ylim(0, None)
    axes.set_xlabel("false accepts per hour, all streams", color=QUIET_INK, size=9)
    axes.set_ylabel("missed, %", color=QUIET_INK, size=9)
    axes.legend(loc="upper right", framealpha=0.85, edgecolor="none", fontsize=8, labelcolor=INK)
    return png(figure, 120)
