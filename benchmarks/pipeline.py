"""A whole pipeline from nothing: time by step, peak memory, accuracy, rates, the device's cost.

    python -m benchmarks.pipeline                                       # the quickstart preset
    python -m benchmarks.pipeline --preset speech_commands --data DIR   # recordings

Voices are synthesized before the clock starts, if they are not in the cache yet. Everything else
runs from an empty output folder, in a process of its own, whose peak memory (its children's
included, one at a time) is what the operating system says.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import harness
from pipeline import config as configuration
from pipeline import source
from pipeline.paths import Paths


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the pipeline once and prints what it took."""
    parser = harness.Parser("pipeline", __doc__)
    parser.add_argument("--preset", default="quickstart", help="as of `kws run`")
    parser.add_argument("--data", type=Path, help="recordings, as of `kws run`; none: the preset's")
    parser.add_argument("--set", action="append", default=[], help="as of `kws run`")
    parser.add_argument("--out", type=Path, help="keeps the run there; none: it is deleted")
    args = parser.parse_args(arguments)

    config = configuration.load(args.preset, args.set, data=args.data)
    if args.out and (args.out / config.name).exists():
        raise SystemExit(f"{args.out / config.name} exists: a benchmark starts from nothing")
    started = time.monotonic()
    source.prepare(config, os.cpu_count() or 1)
    print(f"voices or unpacking (0 if in the cache): {time.monotonic() - started:.0f} s")
    with tempfile.TemporaryDirectory() as temporary:
        out = args.out or Path(temporary)
        command = [sys.executable, "-m", "kws", "run", "--preset", args.preset]
        command += [word for setting in args.set for word in ("--set", setting)]
        command += ["--out", str(out), *(["--data", str(args.data)] if args.data else [])]
        started = time.monotonic()
        status = subprocess.run(command).returncode
        elapsed_s = time.monotonic() - started
        peak_kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        if status not in (0, 2):
            raise SystemExit(f"the pipeline failed with exit status {status}")
        print(f"\npipeline: {elapsed_s:.0f} s from start to end, exit status {status}")
        print(f"peak memory: {peak_kib / 2**20:.2f} GiB")
        print_model(Paths(out=out, name=config.name))


def print_model(paths: Paths) -> None:
    """Parameters and training time, and what int8 lost to float on the eval split."""
    from pipeline.runs.results import newest_run

    run = newest_run(paths.metadata)
    trained = run.step("Trainer").folder("model") / "Format-Serving" / "training.json"
    converted = run.step("MicroConverter").folder("model") / "Format-Serving" / "conversion.json"
    print(f"training: {run.step('Trainer').seconds:.0f} s")
    for file in (trained, converted):
        report = json.loads(file.read_text())
        plain = {name: value for name, value in report.items() if isinstance(value, int | float)}
        print(f"{file.name}: {plain}")


if __name__ == "__main__":
    harness.start(main)
