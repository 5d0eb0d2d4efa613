"""The pictures of docs/detection.md, drawn by the code that they explain.

    python -m benchmarks.detection_pictures [--out docs/pictures/detection]

One shows how words and detections are matched, the other what each rule of detection makes of a
drawn-out word and of a word said twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks import harness
from kws.detection.detection import Detection
from kws.detection.detector import detect, keyword_indices
from kws.detection.match import MatchedStream, match
from kws.detection.params import DetectorParams, MatchParams
from kws.labels import RESERVED
from kws.report.plotting import BLUE, GRID, INK, QUIET_INK, heading, new_figure, plain, png
from kws.scenes.ground_truth import GroundTruth, Word

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SAID = [
    ("yes", 600, 1150),
    ("tree", 3150, 3700),
    ("no", 5600, 6100),
    ("_unknown_", 7600, 8150),
]
DETECTED = [("yes", 1350), ("yes", 1870), ("no", 3850), ("yes", 8300), ("no", 10_200)]
STEP_MS = 20
DETECTORS = {
    "average": DetectorParams(clip_stride_ms=STEP_MS),
    "average, suppression 2,000 ms": DetectorParams(clip_stride_ms=STEP_MS, suppression_ms=2000),
    "average, rearm": DetectorParams(clip_stride_ms=STEP_MS, rearm=True),
    "sliding_mean": DetectorParams(clip_stride_ms=STEP_MS, rule="sliding_mean"),
    "consecutive, 5 rows": DetectorParams(
        clip_stride_ms=STEP_MS, rule="consecutive", minimum_count=5
    ),
    "steps, 75 between": DetectorParams(clip_stride_ms=STEP_MS, rule="steps"),
}
WIDTH, HEIGHT, ROW_HEIGHT = 11.0, 3.3, 0.42
"""Inches: of the pictures, and of a rule's row."""
DPI = 110
TEXT_MS = 1000
"""Two texts need so much room: the second of two that are nearer stands lower."""
GOOD, BAD, WINDOW, OTHER = "#1b7f5c", "#c0273b", "#dce7f7", "#9aa5b1"
_CAUSES = {
    "wrong_word": "wrong word:\na miss and\na false accept",
    "repeat": "repeat:\na false accept",
    "unknown_word": "in another word:\na false accept",
    "background": "in no word:\na false accept",
}


def judged() -> bytes:
    """How words and detections are matched, one of each case."""
    words = [
        Word(
            label=label, word="bed" if label in RESERVED else label, start_ms=start, end_ms=end,
            speaker="", source="", clip_id="",
        )
        for label, start, end in SAID
    ]  # fmt: skip
    truth = GroundTruth(
        stream_id="s", kind="words", duration_ms=11_000, sample_rate=16000, words=tuple(words)
    )
    detections = [
        Detection(label=label, score=0.9, start_ms=at - 300, end_ms=at) for label, at in DETECTED
    ]
    return matching_picture(truth, detections, MatchParams())


def held() -> bytes:
    """A drawn-out word, and a word said twice in quick succession, by each rule."""
    times = STEP_MS * np.arange(1, 501)
    score = np.full(len(times), 0.02)
    said = [(800, 2600), (5400, 5900), (6550, 7050)]
    for start, end in said:
        # A word is known by its end, or after 0.75 s; its second stays in the window for a while.
        rise, fall = min(end - 150, start + 750), end + 400
        shape = 1 / (1 + np.exp(-(times - rise) / 30)) / (1 + np.exp((times - fall) / 30))
        score = np.maximum(score, 0.97 * shape)
    posteriors = np.stack([1 - score, np.zeros_like(score), score], axis=1)
    labels = [*RESERVED, "computer"]
    return rules_picture(
        times, posteriors, labels, DETECTORS, said, "A drawn-out word, and a word said twice"
    )


def matching_picture(
    truth: GroundTruth, detections: Sequence[Detection], params: MatchParams
) -> bytes:
    """A PNG: words above with the windows in which they may be detected, detections below."""
    figure = new_figure(WIDTH, HEIGHT)
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
    return png(figure, DPI)


def _word(axes: Axes, word: Word, params: MatchParams, keyword: bool) -> None:
    start, end = word.start_ms / 1000, word.end_ms / 1000
    opens, closes = start - params.before_ms / 1000, end + params.after_ms / 1000
    axes.axvspan(opens, closes, ymin=0.47, ymax=1, color=WINDOW if keyword else "#eef1f4", lw=0)
    axes.barh(0.75, end - start, 0.42, start, color=BLUE if keyword else OTHER)
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


def rules_picture(
    times_ms: np.ndarray,
    posteriors: np.ndarray,
    labels: Sequence[str],
    detectors: Mapping[str, DetectorParams],
    said_ms: Sequence[tuple[int, int]],
    title: str,
) -> bytes:
    """A PNG.

    Args:
      times_ms, posteriors: `[n]` and `[n, labels]`.
      labels: with one keyword.
      detectors: by name, each with a row.
      said_ms: where the keyword was said, start and end.
      title: in the upper left corner.
    """
    height = 3.6 + ROW_HEIGHT * len(detectors)
    figure = new_figure(WIDTH, height)
    heading(figure, title, "the model's posterior above, and where each rule fires below")
    left, wide = 0.25, 0.735
    above = figure.add_axes((left, 1 - 2.8 / height, wide, 2.0 / height))
    below = figure.add_axes((left, 0.45 / height, wide, ROW_HEIGHT * len(detectors) / height))
    (keyword,) = keyword_indices(labels)
    for axes in (above, below):
        plain(axes)
        axes.set_xlim(0, times_ms[-1] / 1000)
        for start, end in said_ms:
            axes.axvspan(start / 1000, end / 1000, color=WINDOW, lw=0)
    above.plot(times_ms / 1000, posteriors[:, keyword], color=BLUE, lw=1.8)
    above.set_ylim(0, 1.02)
    above.grid(axis="y", color=GRID, lw=0.6)
    above.set_ylabel("posterior", color=QUIET_INK, size=9)
    above.tick_params(labelbottom=False)
    for start, end in said_ms:
        above.text((start + end) / 2000, 1.05, labels[keyword], color=INK, size=9, ha="center")
    for number, detector in enumerate(detectors.values()):
        fired = detect(times_ms, posteriors, detector, labels)
        below.axhline(number, color=GRID, lw=0.8, zorder=0)
        ends = [one.end_ms / 1000 for one in fired]
        below.plot(ends, [number] * len(ends), "v", color=BAD, ms=8, clip_on=False)
    below.set_yticks(range(len(detectors)), list(detectors), color=INK)
    below.tick_params(axis="y", length=0, labelsize=9)
    below.set_ylim(len(detectors) - 0.5, -0.5)
    below.set_xlabel("seconds", color=QUIET_INK, size=9, labelpad=2)
    return png(figure, DPI)


def main(arguments: Sequence[str] | None = None) -> None:
    """Draws and writes both pictures."""
    parser = harness.Parser("detection_pictures", __doc__)
    parser.add_argument(
        "--out", type=Path, default=Path("docs/pictures/detection"), help="folder for the PNG files"
    )
    out = parser.parse_args(arguments).out
    out.mkdir(parents=True, exist_ok=True)
    for name, picture in (("matching", judged()), ("rules", held())):
        (out / f"{name}.png").write_bytes(picture)
        print(out / f"{name}.png")


if __name__ == "__main__":
    harness.start(main)
