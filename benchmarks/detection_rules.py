"""The rules of detection side by side, on the posteriors that a run kept.

    python -m benchmarks.detection_rules runs/quickstart [--target 1.0]

Threshold and smoothing (or rows in a row) of each rule are chosen on the run's eval streams for the
target rate of false accepts per hour, and judged on its test streams. `repeats` are second
detections of one word.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import harness, kept
from kws.detection.evaluate import evaluate_streams
from kws.detection.operating_point import choose_operating_point
from kws.detection.params import DetectorParams, OperatingPointParams
from kws.splits import EVAL, TEST

WINDOWS_MS = (150, 200, 300, 400, 600, 800)
COUNTS = (2, 3, 5, 8)
RULES: dict[str, dict[str, Any]] = {
    "average": {},
    "average, 2 s of suppression": {"suppression_ms": 2000},
    "average, rearm": {"rearm": True},
    "sliding_mean": {"rule": "sliding_mean"},
    "consecutive": {"rule": "consecutive", "minimum_count": 3, "rearm": False},
    "steps": {"rule": "steps", "steps_between": 25},
}


def _score_of(detector: DetectorParams) -> str:
    if detector.averages:
        return f"{detector.average_window_ms} ms"
    return f"{detector.minimum_count if detector.rule == 'consecutive' else 1} rows"


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a row for each rule and set of smoothing windows."""
    parser = harness.Parser("detection_rules", __doc__)
    parser.add_argument("run", type=Path, help="folder of a finished run")
    parser.add_argument("--target", type=float, default=1.0, help="false accepts per hour")
    args = parser.parse_args(arguments)
    run = kept.of_run(args.run)
    print("rule                         score of  threshold  FA/h (95 %)              missed (95 %)"
          "              repeats  latency, median and p95")  # fmt: skip
    for name, changes in RULES.items():
        detector = run.detector.model_copy(update=changes)
        searched: list[dict[str, Any]] = [{}]
        if detector.averages:
            searched.append({"average_windows_ms": WINDOWS_MS})
        elif detector.rule == "consecutive":
            searched.append({"consecutive_counts": COUNTS})
        for search in searched:
            point = choose_operating_point(
                run.heard[EVAL],
                run.labels,
                detector,
                run.match,
                OperatingPointParams(target_false_accepts_per_hour=args.target, **search),
            )
            total = evaluate_streams(run.heard[TEST], run.labels, point.detector, run.match).total
            rate, missed = total.false_accepts_per_hour, total.miss_rate
            print(
                f"{name:<28} {_score_of(point.detector):>8}"
                f"  {point.detector.detection_threshold:9.3f}"
                f"  {rate.estimate:6.2f} ({rate.low:6.2f} to {rate.high:6.2f})"
                f"  {missed.estimate:6.1%} ({missed.low:6.1%} to {missed.high:6.1%})"
                f"  {total.false_accepts_by_cause['repeat']:7}"
                f"  {total.latency_ms_median:.0f}, {total.latency_ms_p95:.0f} ms"
                + ("" if point.reached else "  (target not reached on eval)")
            )


if __name__ == "__main__":
    harness.start(main)
