"""How fast int8 models hear a stream on one core: times real time, from audio to posteriors.

    python -m benchmarks.streaming_throughput [--only NAME ...] [--seconds 20] [--memory]

Each windowed model runs every 40 ms, which is more often than the presets have it, and a streaming
one at each of its steps. By processor time of `kws.streaming.posteriors.stream_posteriors`; the
frontend alone and an inference of the network alone beside it (a streaming model's first layers
take the frames of many steps at once in a stream, which an inference alone does not show), in
TFLite's plain kernels, too, as the reference that each row's ratio is of, and in TensorFlow Lite
Micro. XNNPACK is what TFLite runs unless told otherwise: it is not used here, as it does not give
TFLM's numbers, and is printed to say what that costs. Weights are untrained, which takes as long.

`--memory` prints instead by how much a process grows over streams of 1, 10 and 60 minutes.
"""

import argparse
import resource

import numpy as np

from benchmarks import runners, untrained
from kws import features
from kws.micro import load, macs
from kws.streaming.posteriors import stream_posteriors

TARGETS = {"windowed": 300.0, "streaming": 150.0}
MEMORY_OF = "mixed_net, hop 20 ms"


def _noise(sample_rate: int, seconds: float) -> np.ndarray:
    rng = np.random.default_rng(1)
    return rng.normal(0, 2000, round(seconds * sample_rate)).astype(np.int16)


def row(name: str, candidate: untrained.Candidate, seconds: float) -> bool:
    """Measures and prints a model; returns whether it is as fast as is asked."""
    converted = untrained.convert(candidate)
    model, frontend = converted.int8(candidate), features.create(candidate.features)
    audio = _noise(candidate.features.sample_rate, seconds)
    stride_ms = round(candidate.stride_ms)
    whole, alone = (
        seconds / runners.least_seconds(call)
        for call in (
            lambda: stream_posteriors(model, frontend, audio, stride_ms),
            lambda: frontend.compute(audio),
        )
    )
    stride_s = candidate.stride_ms / 1000
    plain = stride_s / runners.tflite_seconds(converted.content, reference=True)
    chosen = stride_s / runners.tflite_seconds(converted.content, reference=model.reference_kernels)
    xnnpack = stride_s / runners.tflite_seconds(converted.content, reference=False, xnnpack=True)
    tflm = stride_s / runners.tflm_seconds(converted.content)
    target, kernels = TARGETS[model.kind], "plain" if model.reference_kernels else "optimized"
    print(
        f"| {name} | {candidate.stride_ms:g} ms | {macs.count(converted.content) / 1e6:.2f} M "
        f"| **{whole:,.0f} x** of {target:g} | {alone:,.0f} x | {chosen:,.0f} x ({kernels}: "
        f"{chosen / plain:.1f} of plain) | {plain:,.0f} x | {tflm:,.0f} x ({tflm / plain:.2f}) "
        f"| {xnnpack:,.0f} x |",
        flush=True,
    )
    return whole >= target


def memory(candidate: untrained.Candidate) -> None:
    """Prints a process's greatest size after longer and longer streams."""
    model: load.Int8Any = untrained.convert(candidate).int8(candidate)
    frontend = features.create(candidate.features)
    before = None
    for minutes in (1, 10, 60):
        audio = np.resize(_noise(candidate.features.sample_rate, 60), minutes * 60 * 16000)
        stream_posteriors(model, frontend, audio, round(candidate.stride_ms))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        before = before or peak
        print(f"{minutes} min: {peak:,.0f} MiB at most, {peak - before:+,.0f}", flush=True)


def main() -> None:
    """Runs the benchmark; exits with 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    candidates = untrained.candidates()
    parser.add_argument("--only", nargs="*", choices=tuple(candidates), help="none: all")
    parser.add_argument("--seconds", type=float, default=20, help="of the stream")
    parser.add_argument("--memory", action="store_true")
    args = parser.parse_args()
    runners.on_one_core()
    if args.memory:
        memory(candidates[MEMORY_OF])
        return
    print(f"one core; {runners.load_average()}; times real time, by processor time\n")
    print(
        "| model | runs every | MACs | audio to posteriors | frontend | network | plain kernels "
        "| TFLM | XNNPACK, not exact |\n|---|---|---|---|---|---|---|---|---|",
        flush=True,
    )
    slow = [
        name for name in args.only or candidates if not row(name, candidates[name], args.seconds)
    ]
    print(f"\nload at the end: {runners.load_average()}")
    if slow:
        raise SystemExit(f"slower than is asked: {'; '.join(slow)}")


if __name__ == "__main__":
    main()
