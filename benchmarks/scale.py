"""What a clip costs in each Beam component, on one worker and on two, and what much data would.

    python -m benchmarks.scale [--clips 500 2000] [--workers 0 1 2]
    python -m benchmarks.scale --paper --hours 1000000

The first writes clips of one second (noise; no two alike), and runs ingestion, statistics, noisy
copies and features over them: in this process (`--workers 0`, Beam's DirectRunner in memory), and
on `benchmarks.beam_cluster`, a job server and worker processes over gRPC. Every engine does both
counts, and what is printed is the difference, so that starting workers and loading TensorFlow are
no part of it. Processor time is of all processes together; by the clock the figure is that of this
machine and what else it did. The examples of all engines are compared, byte for byte.

The second is arithmetic on what the first printed and on prices that are parameters:

    clips      = hours x 3600 s / clip length
    vCPU hours = clips x sum of (seconds of processor time a clip) / 3600 / efficiency
    cost       = vCPU hours x (vCPU price + GB a vCPU x GB price)
                 + GB shuffled x shuffle price + GB stored x months x storage price
"""

import argparse
import os
import shutil
import struct
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.beam_cluster import cluster
from kws.audio.params import IngestParams
from kws.augment.params import NoisyCopyParams

RATE = 16000
CLIP_S = 1.0
STEPS = ("ingestion", "statistics", "noisy copies", "features")


class Took(NamedTuple):
    """Seconds of one step."""

    by_clock: float
    by_processor: float


class Engine(NamedTuple):
    """Where Beam pipelines run, and the processor time that its processes have taken."""

    flags: tuple[str, ...]
    processor_seconds: Callable[[], float]


def main() -> None:
    """Measures, or calculates."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, nargs=2, default=(500, 2000), metavar="N")
    parser.add_argument("--workers", type=int, nargs="+", default=(0, 1, 2), metavar="N")
    parser.add_argument("--paper", action="store_true", help="calculate, measure nothing")
    paper = parser.add_argument_group("on paper")
    for name, default, help_text in PAPER:
        paper.add_argument(f"--{name.replace('_', '-')}", type=float, default=default,
                           help=f"{help_text} (%(default)g)")  # fmt: skip
    args = parser.parse_args()
    if args.paper:
        on_paper(**{name: getattr(args, name) for name, _, _ in PAPER})
        return
    measure(tuple(sorted(args.clips)), tuple(args.workers))


def measure(counts: tuple[int, int], workers: tuple[int, ...]) -> None:
    """Runs every engine on both counts, prints a table, and compares what they wrote."""
    from benchmarks.beam_parts import records

    with tempfile.TemporaryDirectory(prefix="kws-scale-") as place:
        for count in counts:
            write_clips(Path(place) / f"words-{count}", count)
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {counts[0]} and {counts[1]}")
        print("clips of 1 s: ms a clip, processor time / by the clock; x real time by the clock")
        print(f"{'':24}" + "".join(f"{step:>18}" for step in STEPS))
        before: dict[str, list[bytes]] = {}
        for number in workers:
            name = "in this process" if not number else f"cluster, {number} worker(s)"
            took: dict[int, list[Took]] = {}
            with engine(number) as found:
                for count in counts:
                    root = Path(place) / "root"
                    took[count] = run(found, root, Path(place) / f"words-{count}")
                    written = records(str(root))
                    if count == counts[1] and number == workers[-1]:
                        sizes(root, count)
                    shutil.rmtree(root)
            _table(name, took, counts)
            written = {n: c for n, c in written.items() if not n.startswith("statistics")}
            if before and written != before:
                raise SystemExit(f"{name}: other examples than the engine before")
            before = written
        print("all engines wrote the same examples")


def run(engine: Engine, root: Path, words: Path) -> list[Took]:
    """The seconds of each of `STEPS`."""
    from benchmarks.beam_parts import KEYWORDS, Parts

    parts = Parts(
        root=str(root),
        flags=engine.flags,
        ingestion=IngestParams(keywords=KEYWORDS),
        copies=NoisyCopyParams(copies=1, eval_copies=1),
    )
    results: list[Any] = []

    def step(work: Callable[[], Any]) -> Took:
        clock, processor = time.perf_counter(), engine.processor_seconds()
        results.append(work())
        return Took(time.perf_counter() - clock, engine.processor_seconds() - processor)

    return [
        step(lambda: parts.ingest(str(words))),
        step(lambda: parts.statistics(results[0])),
        step(lambda: parts.synthesize(results[0], str(words))),
        step(lambda: parts.transform(results[0], results[2][0])),
    ]


@contextmanager
def engine(workers: int) -> Iterator[Engine]:
    """This process, or a cluster."""
    if not workers:
        yield Engine((), time.process_time)
        return
    with cluster(workers) as found:
        # A job's workers end with the job, and their time with them: it is kept by the pool.
        yield Engine(found.flags, lambda: time.process_time() + found.processor_seconds())


def _table(name: str, took: dict[int, list[Took]], counts: tuple[int, int]) -> None:
    few, many = (took[count] for count in counts)
    clips = counts[1] - counts[0]
    row = ""
    for less, more in zip(few, many, strict=True):
        processor = (more.by_processor - less.by_processor) / clips
        clock = (more.by_clock - less.by_clock) / clips
        speed = f"{CLIP_S / clock:.0f} x" if clock > 0 else "-"
        row += f"{1000 * processor:6.2f}/{1000 * clock:5.2f}{speed:>6}"
    print(f"{name:24}{row}", flush=True)


def sizes(root: Path, count: int) -> None:
    """Prints the bytes a clip that were written."""
    for name in ("audio", "noisy", "features"):
        total = sum(path.stat().st_size for path in (root / name).rglob("*.gz"))
        print(f"  {name}: {total / count:.0f} bytes written for each clip ingested")


def write_clips(folder: Path, count: int) -> None:
    """Words of one second of noise, of one speaker in 20 each, and a minute of background."""
    import numpy as np

    def write(path: Path, samples: int, seed: int) -> None:
        noise = np.random.default_rng(seed).integers(-3000, 3000, samples, np.int16)
        head = struct.pack(
            "<4sI4s4sIHHIIHH4sI",
            *(b"RIFF", 36 + 2 * samples, b"WAVE", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16),
            *(b"data", 2 * samples),
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(head + noise.tobytes())

    for number in range(count):
        name = f"{('yes', 'no')[number % 2]}/{number // 20:08x}_nohash_{number % 20}.wav"
        write(folder / name, int(RATE * CLIP_S), number)
    for number in range(3):
        write(folder / f"_background_noise_/{number}.wav", 20 * RATE, 10**9 + number)


PAPER = (
    ("hours", 1e6, "of audio"),
    ("clip_s", CLIP_S, "seconds of a clip"),
    ("ingestion_ms", 0.0, "processor time a clip of ingestion, as measured"),
    ("statistics_ms", 0.0, "of statistics"),
    ("copy_ms", 0.0, "of a noisy copy"),
    ("features_ms", 0.0, "of features, of a clip or a copy"),
    ("copies", 1.0, "noisy copies of a clip"),
    ("efficiency", 0.8, "speed of n workers / (n x speed of one)"),
    ("workers", 1000.0, "of one vCPU each"),
    ("vcpu_hour", 0.056, "$ a vCPU hour"),
    ("gb_vcpu", 4.0, "GB of memory a vCPU"),
    ("gb_hour", 0.003557, "$ a GB hour of memory"),
    ("shuffled_kb", 0.0, "KB shuffled a clip"),
    ("shuffled_gb", 0.011, "$ a GB shuffled"),
    ("stored_kb", 0.0, "KB stored a clip: audio examples, copies, features"),
    ("stored_gb_month", 0.02, "$ a GB month"),
    ("months", 1.0, "that they are kept"),
)


def on_paper(**given: float) -> dict[str, float]:
    """Prints the calculation and gives its figures, in the units of their names."""
    clips = given["hours"] * 3600 / given["clip_s"]
    per_clip_ms = (
        given["ingestion_ms"]
        + given["statistics_ms"]
        + given["copies"] * given["copy_ms"]
        + (1 + given["copies"]) * given["features_ms"]
    )
    vcpu_hours = clips * per_clip_ms / 1000 / 3600 / given["efficiency"]
    compute = vcpu_hours * (given["vcpu_hour"] + given["gb_vcpu"] * given["gb_hour"])
    shuffle = clips * given["shuffled_kb"] / 1e6 * given["shuffled_gb"]
    storage = clips * given["stored_kb"] / 1e6 * given["stored_gb_month"] * given["months"]
    wall_hours = vcpu_hours / given["workers"]
    print(f"clips = {given['hours']:,.0f} h x 3600 / {given['clip_s']:g} s = {clips:,.0f}")
    print(
        f"ms a clip = {given['ingestion_ms']:g} + {given['statistics_ms']:g} + "
        f"{given['copies']:g} x {given['copy_ms']:g} + "
        f"(1 + {given['copies']:g}) x {given['features_ms']:g} = {per_clip_ms:.2f}"
    )
    print(
        f"vCPU hours = {clips:,.0f} x {per_clip_ms:.2f} ms / 3.6e6 / {given['efficiency']:g} = "
        f"{vcpu_hours:,.0f}; on {given['workers']:,.0f} workers {wall_hours:,.1f} h"
    )
    print(
        f"compute = {vcpu_hours:,.0f} x ({given['vcpu_hour']:g} + {given['gb_vcpu']:g} x "
        f"{given['gb_hour']:g}) = ${compute:,.0f}"
    )
    print(f"shuffle = ${shuffle:,.0f}, storage = ${storage:,.0f}")
    print(f"together ${compute + shuffle + storage:,.0f}")
    return {
        "clips": clips,
        "vcpu_hours": vcpu_hours,
        "wall_hours": wall_hours,
        "compute": compute,
        "shuffle": shuffle,
        "storage": storage,
    }


if __name__ == "__main__":
    main()
