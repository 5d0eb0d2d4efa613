"""The report of a run: one HTML file that needs nothing else, from `templates/report.html`."""

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from kws.detection.det import DetCurves
from kws.detection.gates import CONDITION_GATE
from kws.detection.rates import share
from kws.gates import Gate
from kws.report import charts, det, lineage_tree
from kws.report.data_statistics import ALL, Figures, Table
from kws.report.error_examples import ErrorExample, StreamReader, worst_errors
from kws.report.report_data import ReportData, ScoredClip
from kws.report.templating import flac_url, number, percent, render
from kws.runtime.targets import ERROR_FACTOR, in_ms

SECTIONS = {
    "verdict": "Verdict and gates",
    "classes": "Each class",
    "confusion": "Confusion matrix",
    "curves": "DET and ROC",
    "listen": "Listen to the worst",
    "slices": "Slices",
    "comparison": "Against the last blessed run",
    "training": "Training",
    "data": "Data",
    "device": "Device",
    "lineage": "Lineage",
    "configuration": "Configuration",
}
"""Anchor, which is the name in the contents too -> heading."""
DARKEST = 0.6
"""Of the shade of a cell: text must be readable on it, in light and dark."""
MOST_ERRORS = 8
"""Misses, and false accepts, that are shown."""
MOST_ERROR_BYTES, MOST_CLIP_BYTES = 3_000_000, 1_500_000
"""Of embedded audio and pictures of errors on streams, and of clips of the confusion matrix."""
MOST_QUARANTINED = 50
"""Files in quarantine that are named."""
MOST_SLICES = 12
"""Of one slicing key; the rest, those with the highest accuracy, are folded."""
_SLICE_TITLES = {
    "augmentation": "Clean and noisy copies",
    "novelty": "Words of training and new ones",
    "snr_bucket": "Signal-to-noise ratio",
    "speaker_group": "Speakers",
}


def render_report(data: ReportData) -> str:
    """The page of a run."""
    test = data.streaming["test"]
    det_curves = DetCurves.from_dict(test["det"]) if "det" in test else None
    sensitivities = data.streaming.get("sensitivities")
    history = data.training.get("history") or {}
    main_gates, class_gates = split_gates(data.gates)
    levels_of_all, levels_of_groups = _levels(data.figures)
    by_split = data.ingest.get("clips", {})
    return render(
        "report.html",
        data=data,
        sections=SECTIONS,
        main_gates=main_gates,
        class_gates=class_gates,
        gate_bounds={gate.name: gate_bounds(gate, data) for gate in data.gates},
        difference_gates=[
            gate for gate in data.gates if "_diff" in gate.name or "against_last" in gate.name
        ],
        recalls=_recalls(data),
        clips=_confusion_clips(data),
        darkest=DARKEST,
        curves=None if det_curves is None else charts.det_and_roc(test, sensitivities),
        curve_keywords=[] if det_curves is None else _curve_keywords(det_curves),
        sensitivities=sensitivities,
        errors=error_cards(data),
        slices=[_slicing(key, values) for key, values in data.clip_slices.items()],
        training_summary=_training_summary(data.training, history),
        training_curves=charts.training_curves(history) if history.get("epochs") else [],
        ingested_labels=list(dict.fromkeys(itertools.chain(*by_split.values()))),
        levels_of_all=levels_of_all,
        levels_of_groups=levels_of_groups,
        quarantined=data.quarantine[:MOST_QUARANTINED],
        lost_in_int8=_lost_in_int8(data.conversion),
        in_ms=in_ms,
        error_factor=ERROR_FACTOR,
        lineage=[] if data.lineage is None else lineage_tree.sections(data.lineage),
        as_json=lambda settings: json.dumps(settings, indent=2, ensure_ascii=False),
    )


def split_gates(gates: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Gates to be shown first, and those of single classes that passed.

    Args:
      gates: `Gate`, or as JSON with `passed`.
    """

    def is_main(gate: Any) -> bool:
        name, passed = (
            (gate["name"], gate["passed"]) if isinstance(gate, Mapping)
            else (gate.name, gate.passed)
        )  # fmt: skip
        return not passed or "/" not in name

    return [g for g in gates if is_main(g)], [g for g in gates if not is_main(g)]


def gate_bounds(gate: Gate, data: ReportData) -> str:
    """`0.021 to 0.056`: the 95 % bounds of a gate's figure; "" for bytes and the like.

    Shares have Clopper-Pearson intervals, rates per hour Poisson intervals.
    """
    kind, _, rest = gate.name.partition(".")
    name, _, label = rest.partition("/")
    name = name.removesuffix("_bound")
    rate: Any = None
    if kind == "streaming" and name == CONDITION_GATE:
        for condition, figures in data.streaming["test"]["per_condition"].items():
            found = figures["miss_rate"]
            # The gate of all conditions has the figure of the hardest.
            hardest = not label and gate.value in (found["estimate"], found["high"])
            if rate is None and (label == condition or hardest):
                rate = found
    elif kind == "streaming":
        rate = data.streaming["test"]["total"].get(name)
    elif kind == "clips":
        counted = _counts_of_gate(name, label, data)
        rate = share(*counted).to_dict() if counted else None
    if not (isinstance(rate, dict) and rate["exposure"]):
        return ""
    return f"{number(rate['low'], 3)} to {number(rate['high'], 3)}"


def _counts_of_gate(name: str, label: str, data: ReportData) -> tuple[int, int] | None:
    """Numerator and denominator of a figure of clips."""
    matrix = data.matrix
    if matrix is None:
        return None
    counts = matrix.counts
    if name == "accuracy":
        return int(counts.trace()), matrix.total
    if label not in matrix.labels:
        return None
    place = matrix.labels.index(label)
    correct, actual, predicted = (
        int(n) for n in (counts[place, place], counts[place].sum(), counts[:, place].sum())
    )
    return {
        "recall": (correct, actual),
        "precision": (correct, predicted),
        "false_positive_rate": (predicted - correct, matrix.total - actual),
    }.get(name)


def _recalls(data: ReportData) -> dict[str, dict[str, Any]]:
    if data.matrix is None:
        return {}
    counts = data.matrix.counts
    return {
        label: share(int(counts[i, i]), int(counts[i].sum())).to_dict()
        for i, label in enumerate(data.matrix.labels)
    }


def _confusion_clips(data: ReportData) -> dict[tuple[int, int], list[tuple[str, str]]]:
    """Cell -> (words, URL) of its clips; errors first, the most frequent before others."""
    if data.matrix is None:
        return {}
    counts, left = data.matrix.counts, MOST_CLIP_BYTES
    found = {}
    cells = sorted(data.confusion_examples, key=lambda cell: (cell[0] == cell[1], -counts[cell]))
    for cell in cells:
        clips = [
            (_about(clip), flac_url(clip.audio, clip.sample_rate))
            for clip in data.confusion_examples[cell]
        ]
        size = sum(len(url) for _, url in clips)
        if size <= left:
            left -= size
            found[cell] = clips
    return found


def _about(clip: ScoredClip) -> str:
    parts = [f"“{clip.word}”" if clip.word else "nothing spoken", clip.speaker, clip.source]
    if clip.augmentation != "none":
        parts.append(clip.augmentation)
    return f"{' · '.join(part for part in parts if part)} ({clip.score:.2f})"


def _curve_keywords(curves: DetCurves) -> list[tuple[str, str]]:
    """Class and words of the legend, in the order of `det.COLOURS`."""
    names = ("soft", *(f"k{number}" for number in range(1, len(det.COLOURS))))
    return list(zip(names, det.keyword_curves(curves), strict=False))


ErrorCard = tuple[ErrorExample, Markup, str]
"""An example, its plot, and the URL of its audio."""


def error_cards(data: ReportData) -> list[tuple[str, list[ErrorCard], int, str]]:
    """Misses and false accepts: heading, cards, how many did not fit, and what to say of none."""
    streams = StreamReader(data)
    misses, accepts = worst_errors(data, streams, MOST_ERRORS)
    total = data.streaming["test"]["total"]
    left, found = MOST_ERROR_BYTES, []
    for title, examples, count, none in (
        ("Misses", misses, total["misses"], "No keyword was missed."),
        ("False accepts", accepts, total["false_accepts"], "There were none."),
    ):
        cards = []
        for example in examples:
            excerpt = streams.excerpt(example)
            svg = charts.error_example(example, excerpt)
            url = flac_url(excerpt.audio, excerpt.sample_rate)
            size = len(svg) + len(url)
            if size > left:
                break
            left -= size
            cards.append((example, svg, url))
        gone = "The streams have been deleted." if count else none
        found.append((title, cards, len(examples) - len(cards), gone))
    return found


Bars = list[tuple[str, dict[str, Any]]]
"""Value of a slicing key -> accuracy as JSON."""


def _slicing(key: str, values: Mapping[str, tuple[float, int]]) -> tuple[str, str, Bars, Bars]:
    """Key, heading, and bars in the open and folded: all by name, or the worst first."""
    title = _SLICE_TITLES.get(key, key.replace("_", " ").capitalize())
    worst = sorted(values.items(), key=lambda item: item[1][0])
    if len(worst) <= MOST_SLICES:
        worst.sort()

    def bars(rows: Sequence[tuple[str, tuple[float, int]]]) -> Bars:
        return [(name, share(round(of * clips), clips).to_dict()) for name, (of, clips) in rows]

    return key, title, bars(worst[:MOST_SLICES]), bars(worst[MOST_SLICES:])


def _training_summary(training: Mapping[str, Any], history: Mapping[str, Any]) -> str:
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


LevelRows = list[tuple[str, str, Figures]]


def _levels(figures: Mapping[str, Table]) -> tuple[LevelRows, LevelRows]:
    """Name, split and figures: of all clips, and of each label and source."""
    whole: LevelRows = []
    parts: LevelRows = []
    for split, groups in figures.items():
        for group, values in groups.items():
            for value, found in values.items():
                if group == ALL:
                    whole.append(("all clips", split, found))
                else:
                    parts.append((value, split, found))
    return whole, parts


def _lost_in_int8(conversion: Mapping[str, Any]) -> str:
    metric = "accuracy" if conversion.get("float_accuracy") is not None else "f1"
    before, after = conversion.get(f"float_{metric}"), conversion.get(f"int8_{metric}")
    if before is None or after is None:
        return "not measured"
    return (
        f"{metric} {percent(before)} in float, {percent(after)} in int8, on "
        f"{conversion['eval_examples']:,} eval examples"
    )
