"""The plots of the report and of the dashboard, as inline SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from kws.report import det
from kws.report.data_statistics import Column, Numbers
from kws.report.error_examples import ErrorExample, Excerpt
from kws.report.plotting import (
    BAD,
    BLUE,
    SERIES,
    SOFT,
    mel_spectrogram,
    name_axes,
    page_axes,
    page_figure,
    svg,
)
from kws.report.templating import number, percent

if TYPE_CHECKING:
    from matplotlib.axis import Axis

WIDTH = 460
DATASET_COLOURS = (BLUE, *SERIES)
"""Of the datasets of a histogram, in their order."""
SPECTROGRAM_DB = 70.0
"""What the colours of a spectrogram span, down from its loudest point."""
_FEW_RUNS = 10
"""Runs that can be told apart on an axis."""

Run = Mapping[str, Any]
"""As `pipeline.runs.listing.Record.to_dict` gives it."""


def det_and_roc(
    test: Mapping[str, Any], sensitivities: Mapping[str, Any] | None
) -> tuple[Markup, Markup]:
    """The DET and the ROC; arguments as for `det.draw_det`."""
    total = test["total"]
    rate, missed = (total[key]["estimate"] for key in ("false_accepts_per_hour", "miss_rate"))
    words = f"operating point: {number(rate)} false accepts per hour, {percent(missed)} missed"
    made = []
    for name, draw, label in (
        ("DET", det.draw_det, "keywords missed"),
        ("ROC", det.draw_roc, "keywords hit"),
    ):
        figure = page_figure(WIDTH, 340)
        axes = page_axes(figure)
        titles = draw(axes, test, sensitivities, size=12.5)
        name_axes(axes, "false accepts per hour", label)
        made.append(svg(figure, f"{name} curve; {words}", titles))
    return made[0], made[1]


def error_example(example: ErrorExample, excerpt: Excerpt) -> Markup:
    """Spectrogram above the posterior, on one axis of time; a line is moved as the audio plays."""
    from matplotlib.lines import Line2D

    height, curves = 260, 150
    start, end = example.start_ms / 1000, example.end_ms / 1000
    figure = page_figure(WIDTH, height)
    axes = page_axes(figure, top=curves)
    left, bottom, wide, _ = axes.get_position().bounds
    above = figure.add_axes((left, curves / height, wide, 1 - curves / height))
    above.set_axis_off()
    levels = mel_spectrogram(excerpt.audio, excerpt.sample_rate)
    loudest = float(levels.max(initial=-120.0))
    above.imshow(
        levels, origin="lower", aspect="auto", cmap="magma", vmin=loudest - SPECTROGRAM_DB,
        vmax=loudest, interpolation="none",
    )  # fmt: skip
    if example.word_ms is not None:
        word = example.word_ms[0] / 1000, min(example.word_ms[1] / 1000, end)
        axes.axvspan(*word, color=BLUE, alpha=0.13, lw=0)
    seconds = excerpt.times_ms / 1000
    axes.plot(seconds, excerpt.posteriors, color=SOFT, lw=1)
    if excerpt.smoothed is not None:
        axes.plot(seconds, excerpt.smoothed, color=BLUE, lw=2.4)
    axes.axhline(example.threshold, color=BAD, lw=1.4, ls=(0, (3.6, 3)), clip_on=False)
    titles: det.Titles = {}
    if example.detected_ms is not None:
        at = example.detected_ms / 1000
        (marker,) = axes.plot(
            [at], [example.score], "o", ms=9, mfc="white", mec=BAD, mew=2.4, clip_on=False
        )
        titles[marker] = [f"detected at {at:.2f} s"]
    axes.set(xlim=(start, end), ylim=(0, 1.02), yticks=[0, 0.5, 1], yticklabels=["0", "0.5", "1"])
    _round_ticks(axes.xaxis, lambda value: f"{value:g}")
    name_axes(axes, "seconds in the stream")
    playhead = Line2D([0, 0], [bottom, 1], transform=figure.transFigure, color="black", lw=2)
    playhead.set_gid("playhead")
    figure.add_artist(playhead)
    words = f"Spectrogram and posterior: {example.title}"
    return svg(figure, words, titles, left=left * WIDTH, wide=wide * WIDTH)


def training_curves(history: Mapping[str, Any]) -> list[tuple[str, Markup]]:
    """Accuracy, cross-entropy and learning rate by epoch, each with its caption, if recorded.

    Args:
      history: of `training.json`, with at least one epoch.
    """
    found = (
        _training_curve(history, "Accuracy", ("accuracy", "eval_accuracy"), as_percent=True),
        _training_curve(history, "Cross-entropy", ("cross_entropy", "eval_cross_entropy")),
        _training_curve(history, "Learning rate", ("learning_rate",)),
    )
    return [one for one in found if one is not None]


def _training_curve(
    history: Mapping[str, Any], caption: str, keys: tuple[str, ...], as_percent: bool = False
) -> tuple[str, Markup] | None:
    epochs = history["epochs"]
    lines = {
        key: [
            (epoch["epoch"], epoch[key])
            for epoch in epochs
            if isinstance(epoch.get(key), float | int) and math.isfinite(epoch[key])
        ]
        for key in keys
    }
    values = [value for line in lines.values() for _, value in line]
    if not values:
        return None
    figure = page_figure(WIDTH, 260)
    axes = page_axes(figure)
    axes.axvline(history["best_epoch"], color=BAD, lw=1.4, ls=(0, (3.6, 3)), clip_on=False)
    titles: det.Titles = {}
    for key, line in lines.items():
        if line:
            judged = key.startswith("eval") or len(keys) == 1
            x, y = zip(*line, strict=True)
            axes.plot(x, y, color=BLUE if judged else SOFT, lw=2.4 if judged else 1.3)
            (markers,) = axes.plot(x, y, "o", ms=9, color=BLUE, alpha=0, clip_on=False)
            titles[markers] = [
                f"epoch {epoch}: {percent(value) if as_percent else f'{value:.4g}'}"
                for epoch, value in line
            ]
    low = min(values) if as_percent else 0.0
    high = 1.0 if as_percent else max(values) * 1.05
    axes.set(xlim=(1, max(len(epochs), 2)), ylim=(low, high if high > low else low + 1))
    _round_ticks(axes.xaxis, lambda value: f"{value:g}", integer=True)
    _round_ticks(axes.yaxis, _percent_tick if as_percent else lambda value: f"{value:g}")
    name_axes(axes, "epoch")
    words = f"{caption} over {len(epochs)} epochs, from {values[0]:.3g} to {values[-1]:.3g}"
    return caption, svg(figure, words, titles)


def figure_over_runs(
    runs: Sequence[Run], key: str, caption: str, as_percent: bool
) -> Markup | None:
    """One figure over runs with its 95 % bounds; a ring is a run that was not pushed.

    Args:
      runs: in the order of time.
      key: of `figures` of a run.
      caption: of the figure.
      as_percent: how its values are written.

    Returns:
      None if it was measured in no run.
    """
    known = [(place, run) for place, run in enumerate(runs, 1) if _is_measured(run, key)]
    if not known:
        return None
    values = [run["figures"][key]["value"] for _, run in known]
    bounded = [
        (place, one["low"], one["high"])
        for place, run in known
        if (one := run["figures"][key]).get("high") is not None and math.isfinite(one["high"])
    ]
    top = max([*values, *(high for _, _, high in bounded)])
    # The bounds of a rate over little time would press everything else to the floor.
    top = 1.05 * (min(top, 4 * (max(values) or top)) or 1.0)
    figure = page_figure(WIDTH, 220)
    axes = page_axes(figure)
    places = [place for place, _ in known]
    for place, low, high in bounded:
        axes.plot([place, place], [low, min(high, top)], color=BLUE, lw=2.5, alpha=0.45,
                  gid="bounds")  # fmt: skip
    axes.plot(places, values, color=BLUE, lw=2.4)
    write = percent if as_percent else number
    titles: det.Titles = {}
    styles: list[tuple[bool, dict[str, Any]]] = [
        (True, {"ms": 10, "mfc": BLUE, "mec": "white", "mew": 1.5}),
        (False, {"ms": 9, "mfc": "white", "mec": BAD, "mew": 2.4}),
    ]
    for pushed, style in styles:
        shown = [(p, run, v) for (p, run), v in zip(known, values, strict=True)
                 if (run["state"] == "pushed") == pushed]  # fmt: skip
        if shown:
            (markers,) = axes.plot(
                [p for p, _, _ in shown], [v for _, _, v in shown], "o", clip_on=False, zorder=5,
                **style,
            )  # fmt: skip
            titles[markers] = [f"{run['run']}: {write(value)}" for _, run, value in shown]
    axes.set(xlim=(0.5, max(len(runs), 2) + 0.5), ylim=(0, top))
    named = list(enumerate(runs, 1))[:: math.ceil(len(runs) / _FEW_RUNS)]
    axes.set_xticks([p for p, _ in named], [run["run"].rpartition("#")[2] for _, run in named])
    _round_ticks(axes.yaxis, _percent_tick if as_percent else _short_tick)
    name_axes(axes, "run")
    words = f"{caption} of {len(known)} runs, the last {write(values[-1])}"
    return svg(figure, words, titles)


def histogram(name: str, columns: Mapping[str, Column], datasets: Sequence[str]) -> Markup | None:
    """The density of a feature's values, so that datasets of any size can be compared.

    Args:
      name: of the feature.
      columns: dataset -> what is known of the feature.
      datasets: all, in the order of `DATASET_COLOURS`.

    Returns:
      None if there is no density: no numbers, or one value everywhere.
    """
    figure = page_figure(WIDTH, 170)
    axes = page_axes(figure)
    drawn = []
    for colour, dataset in zip(_cycle(len(datasets)), datasets, strict=True):
        values = columns[dataset].values if dataset in columns else None
        if not isinstance(values, Numbers):
            continue
        buckets = [bucket for bucket in values.histogram if bucket[1] > bucket[0]]
        total = sum(count for _, _, count in buckets)
        if total:
            densities = [count / total / (high - low) for low, high, count in buckets]
            edges = [buckets[0][0], *(high for _, high, _ in buckets)]
            axes.stairs(densities, edges, color=colour, lw=2)
            drawn.append(dataset)
    if not drawn:
        return None
    axes.margins(x=0)
    axes.set_ylim(bottom=0)
    axes.set_yticks([])
    _round_ticks(axes.xaxis, lambda value: f"{value:g}")
    name_axes(axes, name, "density")
    return svg(figure, f"Density of {name} in {', '.join(drawn)}")


def _cycle(count: int) -> list[str]:
    return [DATASET_COLOURS[place % len(DATASET_COLOURS)] for place in range(count)]


def _is_measured(run: Run, key: str) -> bool:
    found = run["figures"].get(key)
    return found is not None and found["value"] is not None and math.isfinite(found["value"])


def _round_ticks(axis: Axis, write: Callable[[float], str], integer: bool = False) -> None:
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(5, integer=integer, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(lambda value, _: write(round(value, 10)))


def _percent_tick(value: float) -> str:
    return f"{100 * value:g}\N{NO-BREAK SPACE}%"


def _short_tick(value: float) -> str:
    return f"{value / 1000:g} k" if abs(value) >= 10_000 else f"{value:g}"
