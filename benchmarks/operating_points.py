"""A run's operating points at several rates, the DET curve, and the same through TFLM.

    python -m benchmarks.operating_points runs/NAME [--targets 0.5 0.1] [--det det.png] [--tflm 600]

The run's int8 model, on the posteriors that its StreamingEvaluator kept. For each target rate the
threshold and the smoothing are chosen on the eval streams and judged on the test streams, with
false accepts by what was heard. `--tflm MINUTES` listens to so much of the test streams anew, in
whole streams, through TensorFlow Lite Micro's interpreter, and exits with 1 where a posterior or a
detection is another one.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks import device_form, harness, kept
from kws.audio.read import read
from kws.detection.evaluate import evaluate_streams
from kws.detection.operating_point import choose_operating_point
from kws.detection.params import DetectorParams, OperatingPointParams
from kws.detection.posteriors import LONGEST_STREAM_MS, StreamPosteriors
from kws.features import files
from kws.splits import EVAL, TEST

WINDOWS_MS = (200, 300, 500, 700)


def show(run: kept.Kept, target: float, picture: Path | None) -> DetectorParams:
    """Prints one operating point; returns its detector."""
    shortest_ms = (run.detector.minimum_count - 1) * run.detector.clip_stride_ms
    windows_ms = tuple(
        window_ms for window_ms in WINDOWS_MS if window_ms > shortest_ms and run.detector.averages
    )
    wanted = OperatingPointParams(
        target_false_accepts_per_hour=target, average_windows_ms=windows_ms
    )
    point = choose_operating_point(run.heard[EVAL], run.labels, run.detector, run.match, wanted)
    report = evaluate_streams(run.heard[TEST], run.labels, point.detector, run.match)
    total = report.total
    print(f"at most {target:g} /h on eval: {point.reason}")
    print(f"  smoothing {point.detector.average_window_ms} ms; on test:")
    print(f"  missed {total.miss_rate}, false accepts {total.false_accepts_per_hour}")
    print(f"  latency {total.latency_ms_median:.0f} ms, 95 %: {total.latency_ms_p95:.0f} ms")
    for source, rate in report.false_accepts_by_source.items():
        print(f"  false accepts in {source}: {rate}")
    if picture is not None:
        from kws.report import det

        picture.write_bytes(det.picture(report, "DET on the test streams"))
        print(f"  {picture}")
    return point.detector


def test_streams(run: kept.Kept, rate: int) -> Iterator[tuple[np.ndarray, StreamPosteriors]]:
    """Audio and posteriors of each of the test streams."""
    for stream in run.heard[TEST]:
        name = f"Split-{TEST}/{stream.truth.stream_id}.wav"
        yield read(run.streams / name, rate, max_duration_ms=LONGEST_STREAM_MS).audio, stream


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the points; exits with 1 where the device's runtime says something else."""
    parser = harness.Parser("operating_points", __doc__)
    parser.add_argument("run", type=Path, help="folder of a finished run")
    parser.add_argument(
        "--targets", nargs="+", type=float, default=[0.5, 0.1], help="false accepts per hour"
    )
    parser.add_argument("--det", type=Path, help="writes the picture, with the first target's box")
    parser.add_argument(
        "--tflm", type=float, metavar="MINUTES", help="compare so much with TensorFlow Lite Micro"
    )
    args = parser.parse_args(arguments)
    run = kept.of_run(args.run)
    detectors = [
        show(run, target, args.det if number == 0 else None)
        for number, target in enumerate(args.targets)
    ]
    if args.tflm:
        model = kept.newest(args.run / "artifacts/MicroConverter/model") / "Format-Serving"
        rate = files.read(model).sample_rate
        found = device_form.compare(model, test_streams(run, rate), detectors, args.tflm)
        print(found)
        if not found.same:
            raise SystemExit(1)


if __name__ == "__main__":
    harness.start(main)
