"""A whole pipeline from nothing: time by step, peak memory, accuracy, rates, the device's cost.

    python -m benchmarks.pipeline                                       # the quickstart preset
    python -m benchmarks.pipeline --preset speech_commands --data DIR   # recordings, see README.md

Voices are synthesized before the clock starts, if they are not in the cache yet. Everything else
runs from an empty output folder, in a process of its own, whose peak memory (its children's
included, one at a time) is what the operating system says.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pipeline import config as configuration
from pipeline import source
from pipeline.paths import Paths


def main() -> None:
    """Runs the pipeline once and prints what it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="quickstart")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path, help="kept; a temporary folder by default")
    args = parser.parse_args()

    config = configuration.load(args.preset, data=args.data)
    started = time.monotonic()
    source.prepare(config, os.cpu_count() or 1)
    print(f"voices or unpacking (0 if in the cache): {time.monotonic() - started:.0f} s")
    with tempfile.TemporaryDirectory() as temporary:
        out = args.out or Path(temporary)
        if (out / config.name).exists():
            raise SystemExit(f"{out / config.name} exists: a benchmark starts from nothing")
        command = [str(Path(sys.executable).parent / "kws"), "run", "--preset", args.preset]
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
    from pipeline.results import newest_run

    run = newest_run(paths.metadata)
    trained = run.step("Trainer").folder("model") / "Format-Serving" / "training.json"
    converted = run.step("MicroConverter").folder("model") / "Format-Serving" / "conversion.json"
    print(f"training: {run.step('Trainer').seconds:.0f} s")
    for file in (trained, converted):
        report = json.loads(file.read_text())
        plain = {name: value for name, value in report.items() if isinstance(value, int | float)}
        print(f"{file.name}: {plain}")


if __name__ == "__main__":
    main()
