"""The pictures of docs/detection.md, drawn by the code that they explain.

    python -m benchmarks.detection_pictures [--out docs/pictures/detection]

One shows how words and detections are matched, the other what each rule of detection makes of a
drawn-out word and of a word said twice.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks import harness
from kws.labels import RESERVED
from kws.report import matching, rules
from kws.scenes.ground_truth import GroundTruth, Word
from kws.streaming.detection import Detection
from kws.streaming.params import DetectorParams, MatchParams

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
    return matching.picture(truth, detections, MatchParams())


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
    return rules.picture(
        times, posteriors, labels, DETECTORS, said, "A drawn-out word, and a word said twice"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Draws and writes both pictures."""
    parser = harness.Parser("detection_pictures", __doc__)
    parser.add_argument(
        "--out", type=Path, default=Path("docs/pictures/detection"), help="folder for the PNG files"
    )
    out = parser.parse_args(arguments).out
    out.mkdir(parents=True, exist_ok=True)
    for name, png in (("matching", judged()), ("rules", held())):
        (out / f"{name}.png").write_bytes(png)
        print(out / f"{name}.png")


if __name__ == "__main__":
    harness.start(main)
