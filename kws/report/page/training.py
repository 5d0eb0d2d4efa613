"""How the training went: accuracy and loss by epoch, and what was trained."""

import math
from typing import Any

from kws.report.page.facts import Facts
from kws.report.page.html import Html, join, note, table, tag
from kws.report.page.plot import Plot, legend, linear, ticks
from kws.report.page.section import Section, percent

WIDTH, HEIGHT = 460.0, 260.0


def section(facts: Facts) -> Section:
    training = facts.training
    history = training.get("history") or {}
    epochs = history.get("epochs") or []
    parts: list[object] = [note(_sentence(training, history))]
    if epochs:
        best = history["best_epoch"]
        parts += [
            tag(
                "div",
                _figure("Accuracy", epochs, ("accuracy", "eval_accuracy"), best, share=True),
                _figure("Cross-entropy", epochs, ("cross_entropy", "eval_cross_entropy"), best),
                _figure("Learning rate", epochs, ("learning_rate",), best),
                class_="pair",
            ),
            legend(("k0", "training (augmented)"), ("total", "eval"), ("best", "best epoch")),
        ]
    counts = training.get("label_counts") or {}
    if counts:
        rows = [[tag("span", label, class_="mono"), f"{n:,}"] for label, n in counts.items()]
        parts.append(table("What it was trained on", ["label", "examples"], rows))
    return Section(key="training", title="Training", body=join(parts))


def _sentence(training: dict[str, Any], history: dict[str, Any]) -> str:
    words = [f"{training['model']['name']}, {training['parameters']:,} parameters"]
    epochs = history.get("epochs") or []
    if epochs:
        best = epochs[history["best_epoch"] - 1]
        words.append(
            f"best epoch {history['best_epoch']} of {len(epochs)}"
            + (f", {percent(best['eval_accuracy'])} on eval" if "eval_accuracy" in best else "")
        )
        words.append(f"{history['steps']:,} steps in {history['seconds']:.0f} s")
    if history.get("stopped_early"):
        words.append("stopped early")
    return "; ".join(words) + "."


def _figure(
    words: str, epochs: list[dict[str, Any]], keys: tuple[str, ...], best: int, share: bool = False
) -> Html | None:
    lines = {
        key: [(e["epoch"], e[key]) for e in epochs if isinstance(e.get(key), float | int)]
        for key in keys
    }
    values = [v for line in lines.values() for _, v in line if math.isfinite(v)]
    if not values:
        return None
    low = min(values) if share else 0.0
    high = 1.0 if share else max(values) * 1.05 or 1.0
    last = max(len(epochs), 2)
    plot = Plot(width=WIDTH, height=HEIGHT, x=linear(1, last), y=linear(low, high))
    axes = plot.axes(
        [(value, f"{value:g}") for value in ticks(1, last) if value == int(value)],
        [(v, percent(v, 0) if share else f"{v:g}") for v in ticks(low, high)],
        ("epoch", ""),
    )
    parts = [plot.line([(best, low), (best, high)], "best")]
    for key, line in lines.items():
        look = "total" if key.startswith("eval") or len(keys) == 1 else "k0"
        parts.append(plot.line(line, f"curve {look}"))
        parts += [
            plot.dot(x, y, "hover", f"epoch {x}: {percent(y) if share else f'{y:.4g}'}")
            for x, y in line
        ]
    said = f"{words} over {len(epochs)} epochs, from {values[0]:.3g} to {values[-1]:.3g}"
    return tag("figure", tag("figcaption", words), plot.picture(said, axes, *parts))
