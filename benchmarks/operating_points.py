"""A run's operating points at several rates, the DET curve, and the same through TFLM.

    python -m benchmarks.operating_points runs/NAME [--targets 0.5 0.1] [--det det.png] [--tflm 600]

The run's int8 model, on the posteriors that its StreamingEvaluator kept. For each target rate the
threshold and the smoothing are chosen on the eval streams and judged on the test streams, with
false accepts by what was heard. `--tflm MINUTES` listens to so much of the test streams anew, in
whole streams, through TensorFlow Lite Micro's interpreter, and exits with 1 where a posterior or a
detection is another one.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from benchmarks import kept
from kws import features
from kws.audio.read import read
from kws.micro import load
from kws.splits import EVAL, TEST
from kws.streaming.detector import detect
from kws.streaming.evaluate import MS_PER_HOUR, StreamPosteriors, evaluate_streams
from kws.streaming.operating_point import choose_operating_point
from kws.streaming.params import DetectorParams, OperatingPointParams
from kws.streaming.posteriors import LONGEST_STREAM_MS, stream_posteriors

WINDOWS_MS = (200, 300, 500, 700)


def show(run: kept.Kept, target: float, picture: Path | None) -> DetectorParams:
    """Prints one operating point; returns its detector."""
    wanted = OperatingPointParams(
        target_false_accepts_per_hour=target, average_windows_ms=WINDOWS_MS
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


def through_tflm(
    run: kept.Kept, folder: Path, detectors: list[DetectorParams], minutes: float
) -> int:
    """Listens anew; returns how many posteriors and detections differ."""
    model = load.load_folder(folder, runtime="tflm")
    frontend = features.create(model.feature_params)
    rate, stride_ms = model.feature_params.sample_rate, run.detector.clip_stride_ms
    values = different = others = compared = 0
    began, hours = time.perf_counter(), 0.0
    for stream in run.heard[TEST]:
        if hours * 60 >= minutes:
            break
        name = f"Split-{TEST}/{stream.truth.stream_id}.wav"
        audio = read(run.streams / name, rate, max_duration_ms=LONGEST_STREAM_MS).audio
        times_ms, rows = stream_posteriors(model, frontend, audio, stride_ms)
        anew = StreamPosteriors(truth=stream.truth, times_ms=times_ms, posteriors=rows)
        values += rows.size
        different += int(np.count_nonzero(rows != stream.posteriors))
        others += sum(
            detect(anew.times_ms, anew.posteriors, detector, run.labels)
            != detect(stream.times_ms, stream.posteriors, detector, run.labels)
            for detector in detectors
        )
        compared += len(detectors)
        hours += stream.truth.duration_ms / MS_PER_HOUR
    speed = hours * 3600 / (time.perf_counter() - began)
    print(
        f"through TensorFlow Lite Micro: {hours:.2f} h at {speed:.0f} x real time, {different:,} "
        f"of {values:,} posteriors differ, detections differ in {others} of "
        f"{compared} streams and settings"
    )
    return different + others


def main() -> None:
    """Prints the points; exits with 1 where the device's runtime says something else."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of a finished run")
    parser.add_argument("--targets", nargs="+", type=float, default=[0.5, 0.1])
    parser.add_argument("--det", type=Path, help="writes the picture, with the first target's box")
    parser.add_argument("--tflm", type=float, metavar="MINUTES")
    args = parser.parse_args()
    run = kept.of_run(args.run)
    detectors = [
        show(run, target, args.det if number == 0 else None)
        for number, target in enumerate(args.targets)
    ]
    if args.tflm:
        model = kept.newest(args.run / "artifacts/MicroConverter/model") / "Format-Serving"
        if through_tflm(run, model, detectors, args.tflm):
            raise SystemExit(1)


if __name__ == "__main__":
    main()
