"""How fast int8 models hear a stream on one core: times real time, from audio to posteriors.

    python -m benchmarks.streaming_throughput [--only NAME ...] [--seconds 20] [--memory]

Each windowed model runs every 40 ms, which is more often than the presets have it, and a streaming
one at each of its steps. By processor time of `kws.detection.posteriors.stream_posteriors`; the
frontend alone and an inference of the network alone beside it (a streaming model's first layers
take the frames of many steps at once in a stream, which an inference alone does not show), in
TFLite's plain kernels, too, as the reference that each row's ratio is of, and in TensorFlow Lite
Micro. XNNPACK is what TFLite runs unless told otherwise: it is not used here, as it does not give
TFLM's numbers, and is printed to say what that costs. Weights are untrained, which takes as long.

`--memory` prints instead by how much a process grows over streams of 1, 10 and 60 minutes.
"""

import resource
from collections.abc import Sequence

import numpy as np

from benchmarks import harness, runners, untrained
from kws import features
from kws.detection.posteriors import stream_posteriors
from kws.export import flatbuffer
from kws.runtime import load

TARGETS = {"windowed": 300.0, "streaming": 150.0}
MEMORY_OF = "mixed_net, hop 20 ms"


def row(name: str, candidate: untrained.Candidate, seconds: float, enough_s: float) -> bool:
    """Measures and prints a model; returns whether it is as fast as is asked."""
    converted = untrained.convert(candidate)
    model, frontend = converted.int8(candidate), features.create(candidate.features)
    audio = harness.noise(seconds, candidate.features.sample_rate, seed=1)
    stride_ms = round(candidate.stride_ms)
    whole, alone = (
        seconds / runners.least_seconds(call)
        for call in (
            lambda: stream_posteriors(model, frontend, audio, stride_ms),
            lambda: frontend.compute(audio),
        )
    )
    stride_s = candidate.stride_ms / 1000

    def in_tflite(*, reference: bool, xnnpack: bool = False) -> float:
        return stride_s / runners.tflite_seconds(
            converted.content, reference=reference, xnnpack=xnnpack, enough_s=enough_s
        )

    plain, chosen = in_tflite(reference=True), in_tflite(reference=model.reference_kernels)
    xnnpack = in_tflite(reference=False, xnnpack=True)
    tflm = stride_s / runners.tflm_seconds(converted.content, enough_s)
    target, kernels = TARGETS[model.kind], "plain" if model.reference_kernels else "optimized"
    macs = flatbuffer.count_macs(converted.content)
    print(
        f"| {name} | {candidate.stride_ms:g} ms | {macs / 1e6:.2f} M "
        f"| **{whole:,.0f} x** of {target:g} | {alone:,.0f} x | {chosen:,.0f} x ({kernels}: "
        f"{chosen / plain:.1f} of plain) | {plain:,.0f} x | {tflm:,.0f} x ({tflm / plain:.2f}) "
        f"| {xnnpack:,.0f} x |",
        flush=True,
    )
    return whole >= target


def memory(candidate: untrained.Candidate, lengths_min: Sequence[float]) -> None:
    """Prints a process's greatest size after longer and longer streams."""
    model: load.Int8Any = untrained.convert(candidate).int8(candidate)
    frontend = features.create(candidate.features)
    before = None
    rate = candidate.features.sample_rate
    for minutes in lengths_min:
        audio = np.resize(harness.noise(60, rate, seed=1), round(minutes * 60 * rate))
        stream_posteriors(model, frontend, audio, round(candidate.stride_ms))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        before = before or peak
        print(f"{minutes:g} min: {peak:,.0f} MiB at most, {peak - before:+,.0f}", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the benchmark; exits with 1 where a target is missed."""
    parser = harness.Parser("streaming_throughput", __doc__)
    candidates = untrained.candidates()
    parser.add_argument("--only", nargs="*", choices=tuple(candidates), help="models; none: all")
    parser.add_argument("--seconds", type=float, default=20, help="of the stream")
    parser.add_argument(
        "--enough",
        type=float,
        default=runners.ENOUGH_S,
        metavar="SECONDS",
        help="processor time for each measurement of a network alone",
    )
    parser.add_argument("--memory", action="store_true", help=f"of {MEMORY_OF}, and no speed")
    parser.add_argument(
        "--minutes", nargs="+", type=float, default=[1, 10, 60], help="streams of --memory"
    )
    args = parser.parse_args(arguments)
    with harness.one_core():
        if args.memory:
            memory(candidates[MEMORY_OF], args.minutes)
            return
        chosen = {name: candidates[name] for name in args.only or candidates}
        slow = table(chosen, args.seconds, args.enough)
    if slow:
        raise SystemExit(f"slower than is asked: {'; '.join(slow)}")


def table(chosen: dict[str, untrained.Candidate], seconds: float, enough_s: float) -> list[str]:
    """Prints a row for each model; returns those that are slower than is asked."""
    print(f"one core; {harness.load_average()}; times real time, by processor time\n")
    print(
        "| model | runs every | MACs | audio to posteriors | frontend | network | plain kernels "
        "| TFLM | XNNPACK, not exact |\n|---|---|---|---|---|---|---|---|---|",
        flush=True,
    )
    slow = [name for name, model in chosen.items() if not row(name, model, seconds, enough_s)]
    print(f"\nload at the end: {harness.load_average()}")
    return slow


if __name__ == "__main__":
    harness.start(main)
