"""Time to first useful output from a cold process, as ratios: a busy machine has the same ones.

    python -m benchmarks.startup --bundle runs/quickstart/bundles

Each command runs a few times, taking turns, in a process of its own; the medians count: of time on
the clock, and of processor time, which a busy machine leaves as it is. The ratios, of the latter,
are to `python -c pass` and to importing NumPy, soundfile, soxr and TFLite's interpreter, which is
the least that anybody who scores a sound file in Python would import.
"""

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import harness
from kws.errors import KwsError

HELP_AIM_S, DETECT_AIM_S = 0.5, 2.0
LEAST = "import numpy, soundfile, soxr; from kws.runtime import kernels; kernels._module()"


def commands(bundle: str, recording: Path) -> dict[str, list[str]]:
    """What is timed, by its name; the first two are what the others are held against."""
    kws = [sys.executable, "-m", "kws"]
    return {
        "python -c pass": [sys.executable, "-c", "pass"],
        "NumPy, soundfile, soxr, TFLite": [sys.executable, "-c", LEAST],
        "kws --help": [*kws, "--help"],
        "kws detect, one second": [*kws, "detect", str(recording), "--bundle", bundle],
    }


def medians(timed: dict[str, list[str]], times: int) -> dict[str, tuple[float, float]]:
    """Seconds of each on the clock and of the processor: medians of runs that take turns."""
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in timed}
    for _ in range(times):
        for name, command in timed.items():
            begin = time.perf_counter(), _processor_s()
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                raise KwsError(f"{name} failed: {done.stderr.strip()}")
            seconds[name].append((time.perf_counter() - begin[0], _processor_s() - begin[1]))
    return {
        name: (statistics.median(clock), statistics.median(processor))
        for name, rows in seconds.items()
        for clock, processor in [zip(*rows, strict=True)]
    }


def _processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table; exits with 1 if an aim is missed."""
    parser = harness.Parser("startup", __doc__)
    parser.add_argument("--bundle", required=True, help="bundle, or a folder of versions")
    parser.add_argument("--times", type=int, default=7, help="runs of each")
    args = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "one_second.wav"
        harness.write_noise(recording, 1, seed=0)
        seconds = medians(commands(args.bundle, recording), args.times)
    (_, nothing), (_, least), (_, usage), (_, detect) = seconds.values()
    print(f"{'command':<32} {'clock s':>8} {'CPU s':>8} {'x pass':>8} {'x least':>8}")
    for name, (clock, value) in seconds.items():
        ratios = f"{value / nothing:>8.1f} {value / least:>8.1f}"
        print(f"{name:<32} {clock:>8.2f} {value:>8.2f} {ratios}")
    late = [
        f"{name} takes {value:.2f} s of the processor, the aim is {aim:g} s"
        for name, value, aim in (
            ("kws --help", usage, HELP_AIM_S),
            ("kws detect", detect, DETECT_AIM_S),
        )
        if value > aim
    ]
    if late:
        raise SystemExit("; ".join(late))
    print("both aims are reached: help in 0.5 s, detect in 2 s")


if __name__ == "__main__":
    harness.start(main)
