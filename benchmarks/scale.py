"""What a clip costs in each Beam component, in this process, on one worker and on two.

    python -m benchmarks.scale [--clips 500 2000] [--workers 0 1 2]

It writes clips of one second (noise; no two alike), and runs ingestion, statistics, noisy
copies and features over them: in this process (`--workers 0`, Beam's DirectRunner in memory), and
on `benchmarks.beam_cluster`, a job server and worker processes over gRPC. Every engine does both
counts, and what is printed is the difference, so that starting workers and loading TensorFlow are
no part of it. Processor time is of all processes together; by the clock the figure is that of this
machine and what else it did. The examples of all engines are compared, byte for byte.
`benchmarks.scale_cost` says what much data would cost.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import harness
from benchmarks.beam_cluster import cluster
from kws.augment.params import NoisyCopyParams
from kws.corpus.params import IngestParams

CLIP_S = 1.0
STEPS = ("ingestion", "statistics", "noisy copies", "features")


class Engine(NamedTuple):
    """Where Beam pipelines run, and the processor time that its processes have taken."""

    flags: tuple[str, ...]
    processor_seconds: Callable[[], float]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures and prints."""
    parser = harness.Parser("scale", __doc__)
    parser.add_argument(
        "--clips", type=int, nargs=2, default=(500, 2000), metavar="N", help="two counts of clips"
    )
    parser.add_argument(
        "--workers",
        type=int,
        nargs="+",
        default=(0, 1, 2),
        metavar="N",
        help="worker processes of each engine; 0: in this process",
    )
    parser.add_argument(
        "--steps", nargs="+", choices=STEPS, default=STEPS, help="ingestion is always measured"
    )
    args = parser.parse_args(arguments)
    measure(tuple(sorted(args.clips)), tuple(args.workers), ["ingestion", *args.steps])


def measure(counts: tuple[int, int], workers: tuple[int, ...], steps: Sequence[str]) -> None:
    """Runs every engine on both counts, prints a table, and compares what they wrote."""
    from benchmarks.beam_parts import records

    with tempfile.TemporaryDirectory(prefix="kws-scale-") as place:
        for count in counts:
            write_clips(Path(place) / f"words-{count}", count)
        print(f"{harness.load_average()}; {counts[0]} and {counts[1]}")
        print("clips of 1 s: ms a clip, processor time / by the clock; x real time by the clock")
        print(f"{'':24}" + "".join(f"{step:>18}" for step in STEPS if step in steps))
        before: dict[str, list[bytes]] = {}
        for turn, number in enumerate(workers, 1):
            name = "in this process" if not number else f"cluster, {number} worker(s)"
            took: dict[int, list[harness.Seconds]] = {}
            with engine(number) as found:
                for count in counts:
                    root = Path(place) / "root"
                    took[count] = run(found, root, Path(place) / f"words-{count}", steps)
                    written = records(str(root))
                    if count == counts[1] and turn == len(workers):
                        sizes(root, count)
                    shutil.rmtree(root)
            _table(name, took, counts)
            written = {n: c for n, c in written.items() if not n.startswith("statistics")}
            if before and written != before:
                raise SystemExit(f"{name}: other examples than the engine before")
            before = written
        print("all engines wrote the same examples")


def run(engine: Engine, root: Path, words: Path, steps: Sequence[str]) -> list[harness.Seconds]:
    """The seconds of each of `steps`, in the order of `STEPS`; ingestion is one of them."""
    from benchmarks.beam_parts import KEYWORDS, Parts

    parts = Parts(
        root=str(root),
        flags=engine.flags,
        ingestion=IngestParams(keywords=KEYWORDS),
        copies=NoisyCopyParams(copies=1, eval_copies=1),
    )
    results: list[Any] = []

    def step(work: Callable[[], Any]) -> harness.Seconds:
        return harness.measure(lambda: results.append(work()), engine.processor_seconds)

    took = [step(lambda: parts.ingest(str(words)))]
    audio = [results[0]]
    if "statistics" in steps:
        took.append(step(lambda: parts.statistics(audio[0])))
    if "noisy copies" in steps:
        took.append(step(lambda: parts.synthesize(audio[0], str(words))))
        audio.append(results[-1][0])
    if "features" in steps:
        took.append(step(lambda: parts.transform(*audio)))
    return took


@contextmanager
def engine(workers: int) -> Iterator[Engine]:
    """This process, or a cluster."""
    if not workers:
        yield Engine(("--direct_num_workers=1",), time.process_time)
        return
    with cluster(workers) as found:
        # A job's workers end with the job, and their time with them: it is kept by the pool.
        yield Engine(found.flags, lambda: time.process_time() + found.processor_seconds())


def _table(name: str, took: dict[int, list[harness.Seconds]], counts: tuple[int, int]) -> None:
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
    """Words of one second of noise, of one speaker in four each, and a minute of background."""
    for number in range(count):
        name = f"{('yes', 'no')[number % 2]}/{number // 4:08x}_nohash_{number % 4}.wav"
        harness.write_noise(folder / name, CLIP_S, seed=number)
    for number in range(3):
        path = folder / f"_background_noise_/{number}.wav"
        harness.write_noise(path, 20, seed=10**9 + number)


if __name__ == "__main__":
    harness.start(main)
