"""What a device pays: the models that `pymicro-wakeword` ships beside this product's.

    python -m benchmarks.pymicro_wakeword [--only NAME ...] [--seconds 20]

Bytes of the file, the arena by TensorFlow Lite Micro's recording allocator, multiply-accumulates of
an inference and of a second at the rate at which each is run, and times real time of one core by
processor time: in TFLite with the kernels that give TFLM's numbers, in TFLM itself, and of the
whole chain from audio to posteriors as each program runs it, the fastest of some passes. All in one
run, the machine's load beside it; the ratios to `hey_jarvis` hold on other machines too. Ours have
untrained weights, which cost what trained ones cost.
"""

import dataclasses
import importlib.resources
import json
from collections.abc import Sequence

from benchmarks import harness, runners, untrained
from kws.export import flatbuffer
from kws.runtime import kernels, tflm

THEIRS = ("hey_jarvis", "okay_nabu")
OURS = (
    "mixed_net, hop 10 ms",
    "mixed_net, hop 20 ms",
    "ds_tc_resnet",
    "model of keyword",
    "ds_cnn S",
)
REFERENCE = THEIRS[0]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cost:
    """One model's.

    Attributes:
      stride_ms: time between inferences.
      inference_macs: of one.
      tflite, tflm, chain: times real time of the network alone, and of audio to posteriors.
    """

    file_bytes: int
    arena_bytes: int
    arena_tail_bytes: int
    stride_ms: float
    inference_macs: int
    tflite: float
    tflm: float
    chain: float

    @property
    def macs_per_second(self) -> float:
        """At the rate at which it runs."""
        return self.inference_macs * 1000 / self.stride_ms


def cost(
    content: bytes, stride_ms: float, chain: float, *, reference: bool, enough_s: float
) -> Cost:
    """Measures a file."""
    run = tflm.run(content, runners.random_inputs(content)[:1].reshape(_shape(content)))
    stride_s = stride_ms / 1000
    return Cost(
        file_bytes=len(content),
        arena_bytes=run.arena_bytes,
        arena_tail_bytes=run.arena_tail_bytes,
        stride_ms=stride_ms,
        inference_macs=flatbuffer.count_macs(content),
        tflite=stride_s / runners.tflite_seconds(content, reference=reference, enough_s=enough_s),
        tflm=stride_s / runners.tflm_seconds(content, enough_s),
        chain=chain,
    )


def theirs(name: str, seconds: float, enough_s: float) -> Cost:
    """A model of pymicro-wakeword, and the package's own chain from audio to probabilities."""
    import pymicro_wakeword

    models = importlib.resources.files(pymicro_wakeword) / "models"
    content = (models / f"{name}.tflite").read_bytes()
    hop_ms = json.loads((models / f"{name}.json").read_text())["micro"]["feature_step_size"]
    word = pymicro_wakeword.MicroWakeWord.from_builtin(pymicro_wakeword.Model(name))
    frontend = pymicro_wakeword.MicroWakeWordFeatures()
    audio = harness.noise(seconds, seed=1).tobytes()

    def hear() -> None:
        for at in range(0, len(audio), 320):
            for frame in frontend.process_streaming(audio[at : at + 320]):
                word.process_streaming(frame)

    chain = seconds / runners.least_seconds(hear)
    frames = _shape(content)[1]
    return cost(content, hop_ms * frames, chain, reference=True, enough_s=enough_s)


def ours(candidate: untrained.Candidate, seconds: float, enough_s: float) -> Cost:
    """A model of the zoo, and `stream_posteriors`."""
    from kws import features
    from kws.detection.posteriors import stream_posteriors

    converted = untrained.convert(candidate)
    model, frontend = converted.int8(candidate), features.create(candidate.features)
    audio = harness.noise(seconds, candidate.features.sample_rate, seed=1)
    stride_ms = round(candidate.stride_ms)
    chain = seconds / runners.least_seconds(
        lambda: stream_posteriors(model, frontend, audio, stride_ms)
    )
    return cost(
        converted.content,
        candidate.stride_ms,
        chain,
        reference=model.reference_kernels,
        enough_s=enough_s,
    )


def _shape(content: bytes) -> tuple[int, ...]:
    (source,) = kernels.interpreter(content, reference=True).get_input_details()
    return tuple(int(size) for size in source["shape"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table."""
    parser = harness.Parser("pymicro_wakeword", __doc__)
    parser.add_argument(
        "--only", nargs="*", choices=(*THEIRS, *OURS), help=f"beside {REFERENCE}; none: all"
    )
    parser.add_argument("--seconds", type=float, default=20, help="of audio for the whole chain")
    parser.add_argument(
        "--enough",
        type=float,
        default=runners.ENOUGH_S,
        metavar="SECONDS",
        help="processor time for each measurement of a network alone",
    )
    args = parser.parse_args(arguments)
    wanted = [n for n in (*THEIRS, *OURS) if not args.only or n in (REFERENCE, *args.only)]
    with harness.one_core():
        table(wanted, args.seconds, args.enough)


def table(wanted: Sequence[str], seconds: float, enough_s: float) -> None:
    """Measures each model and prints its row."""
    print(f"one core of a machine with {harness.load_average()}", flush=True)
    candidates = untrained.candidates()
    costs = {
        name: theirs(name, seconds, enough_s)
        if name in THEIRS
        else ours(candidates[name], seconds, enough_s)
        for name in wanted
    }
    print(
        "| model | runs every | file | arena (of it kept) | MACs an inference | MACs/s "
        "| TFLite | TFLM | whole chain |\n|---|---|---|---|---|---|---|---|---|"
    )
    base = costs[REFERENCE]
    for name, found in costs.items():
        rate, ratio = found.macs_per_second / 1e6, found.macs_per_second / base.macs_per_second
        print(
            f"| {name} | {found.stride_ms:g} ms | {found.file_bytes:,} "
            f"| {found.arena_bytes:,} ({found.arena_tail_bytes:,}) | {found.inference_macs:,} "
            f"| {rate:.2f} M ({ratio:.2f}) "
            f"| {found.tflite:,.0f} x ({found.tflite / base.tflite:.2f}) "
            f"| {found.tflm:,.0f} x ({found.tflm / base.tflm:.2f}) "
            f"| {found.chain:,.0f} x ({found.chain / base.chain:.2f}) |"
        )
    print(f"In brackets: as a ratio to {REFERENCE}. Load at the end: {harness.load_average()}")


if __name__ == "__main__":
    harness.start(main)
