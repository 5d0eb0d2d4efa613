"""A stream drawn as it was judged: words, their windows, detections, and what became of each."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kws.report.drawing import GRID, INK, QUIET_INK, blank, heading, plain
from kws.streaming.match import match

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from kws.scenes.ground_truth import GroundTruth, Word
    from kws.streaming.detection import Detection
    from kws.streaming.match import MatchedStream
    from kws.streaming.params import MatchParams

WIDTH, HEIGHT = 11.0, 3.3
DPI = 110
TEXT_MS = 1000
"""Two texts need so much room: the second of two that are nearer stands lower."""
GOOD, BAD, WINDOW, KEYWORD, OTHER = "#1b7f5c", "#c0273b", "#dce7f7", "#1f5fbf", "#9aa5b1"
_CAUSES = {
    "wrong_word": "wrong word:\na miss and\na false accept",
    "repeat": "repeat:\na false accept",
    "unknown_word": "in another word:\na false accept",
    "background": "in no word:\na false accept",
}


def picture(truth: GroundTruth, detections: Sequence[Detection], params: MatchParams) -> bytes:
    """A PNG: words above with the windows in which they may be detected, detections below."""
    figure = blank(WIDTH, HEIGHT)
    matched = match(detections, truth, params)
    hits = sum(outcome.kind == "hit" for outcome in matched.outcomes)
    heading(
        figure,
        "How detections are judged",
        f"{len(matched.outcomes)} keywords said: {hits} hit, {len(matched.outcomes) - hits} "
        f"missed; {len(matched.false_accepts)} false accepts",
    )
    axes = figure.add_axes((0.065, 0.14, 0.925, 0.62))
    plain(axes)
    axes.set_xlim(0, truth.duration_ms / 1000)
    axes.set_ylim(-1.35, 1.15)
    axes.set_yticks([0.75, 0.0], ["said", "detected"])
    axes.tick_params(axis="y", length=0, labelsize=9)
    axes.set_xlabel("seconds", color=QUIET_INK, size=9, labelpad=2)
    for word in truth.words:
        _word(axes, word, params, word in [outcome.word for outcome in matched.outcomes])
    _verdicts(axes, matched)
    png = io.BytesIO()
    figure.savefig(png, dpi=DPI, format="png")
    return png.getvalue()


def _word(axes: Axes, word: Word, params: MatchParams, keyword: bool) -> None:
    start, end = word.start_ms / 1000, word.end_ms / 1000
    opens, closes = start - params.before_ms / 1000, end + params.after_ms / 1000
    axes.axvspan(opens, closes, ymin=0.47, ymax=1, color=WINDOW if keyword else "#eef1f4", lw=0)
    axes.barh(0.75, end - start, 0.42, start, color=KEYWORD if keyword else OTHER)
    text = word.label if keyword else f"({word.word})"
    axes.text((start + end) / 2, 0.74, text, color="white", size=9, ha="center", va="center")


def _verdicts(axes: Axes, matched: MatchedStream) -> None:
    found = [(accept.detection, _CAUSES[accept.cause], BAD) for accept in matched.false_accepts]
    for outcome in matched.outcomes:
        if outcome.kind == "miss":
            middle = (outcome.word.start_ms + outcome.word.end_ms) / 2000
            axes.text(middle, -0.33, "miss", color=BAD, size=9, ha="center", va="top")
        elif outcome.kind == "hit" and outcome.detection is not None:
            end = outcome.word.end_ms / 1000
            axes.plot([end, end], [0.0, 0.54], color=QUIET_INK, lw=0.8, ls=":")
            words = f"hit, {outcome.latency_ms} ms\nafter the word"
            found.append((outcome.detection, words, GOOD))
    last_ms, low = -TEXT_MS, False
    for detection, words, colour in sorted(found, key=lambda one: one[0].end_ms):
        low = not low and detection.end_ms - last_ms < TEXT_MS
        last_ms = detection.end_ms
        _detection(axes, detection, words, colour, -0.85 if low else -0.33)


def _detection(axes: Axes, detection: Detection, words: str, colour: str, below: float) -> None:
    at = detection.end_ms / 1000
    if below < -0.5:
        axes.plot([at, at], [below + 0.05, -0.2], color=GRID, lw=0.8)
    axes.plot([at, at], [0.12, 0.5], color=colour, lw=1.2)
    axes.text(
        at, 0.0, detection.label, color="white", size=9, ha="center", va="center",
        bbox={"boxstyle": "round,pad=0.3", "facecolor": colour, "edgecolor": "none"},
    )  # fmt: skip
    axes.text(at, below, words, color=INK, size=8.5, ha="center", va="top", linespacing=1.25)
