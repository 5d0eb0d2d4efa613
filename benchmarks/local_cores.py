"""How much faster the components that run Beam are on all cores of this machine, with real clips.

    python -m benchmarks.local_cores DIR [--clips 2000] [--workers 1 2] [--only NAME ...]

It takes `--clips` recordings of DIR (Speech Commands layout; the backgrounds and lists all), and
runs AudioExampleGen, AudioSynthesizer and SpectrogramTransform of the preset over them: first in
this process, then on worker processes as `components.local_workers` starts them. The seconds by
the clock and of all processors together are printed, with the ratio to the first; the files are
compared byte for byte, and the exit status is 1 where any differs. Beside: the processor seconds
that `components.local_workers` expected, and how many workers it would have chosen.

The clock says something on a machine that does nothing else.
"""

import hashlib
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from benchmarks import harness

COMPONENTS = ("AudioExampleGen", "AudioSynthesizer", "SpectrogramTransform")


class Chosen(NamedTuple):
    """What is run: a preset, and changes of it; which components have worker processes."""

    preset: str = "speech_commands_windowed"
    overrides: tuple[str, ...] = ()
    only: tuple[str, ...] = COMPONENTS


class Took(NamedTuple):
    """Seconds of one component, and what it was expected to take."""

    by_clock: float
    by_processor: float
    expected: float
    workers: int


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures and prints."""
    parser = harness.Parser("local_cores", __doc__)
    parser.add_argument("folder", type=Path, help="in the layout of Speech Commands")
    parser.add_argument("--clips", type=int, default=2000, metavar="N", help="recordings taken")
    parser.add_argument(
        "--workers", type=int, nargs="+", default=(1, 2), metavar="N", help="compared, in turn"
    )
    parser.add_argument(
        "--only", nargs="+", choices=COMPONENTS, default=COMPONENTS, help="have worker processes"
    )
    parser.add_argument("--preset", default=Chosen().preset, help="as of kws run")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="as of kws run")
    args = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="kws-cores-") as place:
        words = Path(place) / "words"
        link_clips(args.folder, words, args.clips)
        chosen = Chosen(args.preset, tuple(args.set), tuple(args.only))
        measure(Path(place), words, args.workers, chosen)


def measure(place: Path, words: Path, workers: Sequence[int], chosen: Chosen) -> None:
    """Runs the components with each number of workers; prints, and compares what they wrote."""
    print(harness.load_average())
    first: dict[str, Took] = {}
    for count in workers:
        root = place / f"root-{count}"
        took = run(root, words, count, chosen)
        print(f"{count} worker(s): seconds by the clock, of processors; ratio to the first")
        for name, found in took.items():
            before = first.get(name, found)
            print(
                f"  {name:22}{found.by_clock:8.1f}{found.by_processor:8.1f}"
                f"{found.by_clock / before.by_clock:8.2f}"
                f"    expected {found.expected:.0f} s of work, would have {found.workers} worker(s)"
            )
        first = first or took
        if count != workers[0]:
            different = differences(place / f"root-{workers[0]}", root)
            if different:
                raise SystemExit(f"{count} workers wrote other files: {', '.join(different[:5])}")
    print("all wrote the same files, byte for byte")


def run(root: Path, words: Path, workers: int, chosen: Chosen) -> dict[str, Took]:
    """The three components, one after another."""
    from benchmarks.beam_parts import Parts
    from pipeline import config as configuration

    config = configuration.load(chosen.preset, chosen.overrides, words)
    parts = Parts(
        root=str(root),
        ingestion=config.ingest,
        copies=config.noisy_copies,
        streams=config.streams,
        scenes=config.scenes,
        features=config.features,
    )
    made: list[Any] = []
    took = {}

    def step(name: str, work: Callable[[], Any]) -> None:
        with choosing(workers if name in chosen.only else 1) as choices:
            clock, processor = time.perf_counter(), _processor_seconds()
            made.append(work())
            seconds = time.perf_counter() - clock, _processor_seconds() - processor
        took[name] = Took(*seconds, *choices[0])

    step(COMPONENTS[0], lambda: parts.ingest(str(words)))
    step(COMPONENTS[1], lambda: parts.synthesize(made[0], str(words)))
    step(COMPONENTS[2], lambda: parts.transform(made[0], made[1][0]))
    return took


@contextmanager
def choosing(workers: int) -> Iterator[list[tuple[float, int]]]:
    """Forces the number of workers; yields (expected seconds, the number it would have chosen)."""
    from components import local_workers

    choose = local_workers.worker_count
    choices = []

    def chosen(work: Any, cores: int, free_bytes: int | None) -> int:
        choices.append((work.seconds, choose(work, cores, free_bytes)))
        return workers

    with mock.patch.object(local_workers, "worker_count", chosen):
        yield choices


def differences(one: Path, other: Path) -> list[str]:
    """Names of files below two folders that are not in both, or not the same."""
    digests = [
        {
            str(path.relative_to(root)): hashlib.sha256(
                # Some files say where they are.
                path.read_bytes().replace(str(root).encode(), b"ROOT")
            ).hexdigest()
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }
        for root in (one, other)
    ]
    names = sorted(digests[0].keys() | digests[1].keys())
    return [name for name in names if digests[0].get(name) != digests[1].get(name)]


def link_clips(source: Path, folder: Path, count: int) -> None:
    """`count` recordings of words, chosen by hash, and all else that a corpus folder has."""
    clips = [
        path
        for word in sorted(source.iterdir())
        if word.is_dir() and not word.name.startswith(("_", "."))
        for path in sorted(word.iterdir())
    ]
    clips.sort(key=lambda path: hashlib.sha256(f"{path.parent.name}/{path.name}".encode()).digest())
    others = [
        path
        for path in source.rglob("*")
        if path.is_file() and (path.parent == source or path.relative_to(source).parts[0][0] == "_")
    ]
    for path in [*clips[:count], *others]:
        target = folder / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(path.resolve())


def _processor_seconds() -> float:
    """Of this process and of those that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    # TensorFlow writes to the terminal, the workers' too.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    harness.start(main)
