"""How fast AudioExampleGen is, and how little memory it takes for each clip more.

    python -m benchmarks.ingestion FOLDER [--keywords yes no ...]
    python -m benchmarks.ingestion --memory [--clips 1000 10000 100000]

The first ingests a folder in the layout of Speech Commands; every usable clip becomes an example.
Printed are the seconds of the component's `Do` (a Beam pipeline, its start included), by the clock
and by processor time, and their ratio to reading the same files once with `soundfile`, in the same
run and before: the files are in the page cache by then.

The second writes real WAV files, 100 ms of noise each, no two alike, and ingests them in a process
of its own for each count. Printed is by how much the greatest resident memory of that process grew
over what it was after a first ingestion of 1,000 clips, which brings in TensorFlow and Beam.
"""

import contextlib
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import harness
from kws.corpus.params import IngestParams
from kws.splits import SPLITS

TARGET_CLIPS_PER_S = 15_794 / 60
"""On two cores, by the clock."""
TARGET_BYTES_PER_CLIP = 3000
"""Five million clips within 16 GB: what Beam keeps of every file, and what the plan needs. Audio
(32,000 bytes a second) is not kept."""
KEYWORDS = ("down", "go", "left", "no", "right", "stop", "up", "yes")
WARM_UP_CLIPS = 1000
FEW_CLIPS = 10_000
"""The cost of a clip is the difference between the most clips and about so many."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one of the benchmarks; exits with 1 where its target is missed."""
    parser = harness.Parser("ingestion", __doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="in the layout of Speech Commands")
    parser.add_argument("--keywords", nargs="+", default=KEYWORDS, help="of the folder")
    parser.add_argument("--memory", action="store_true", help="measure memory on synthetic clips")
    parser.add_argument(
        "--clips", type=int, nargs="+", default=[1000, FEW_CLIPS, 100_000], help="for --memory"
    )
    parser.add_argument(
        "--warm-up",
        type=int,
        default=WARM_UP_CLIPS,
        help="clips that each process of --memory ingests before it is measured",
    )
    args = parser.parse_args(arguments)
    if args.memory:
        missed = memory(sorted(args.clips), args.warm_up)
    elif args.folder:
        missed = speed(args.folder, tuple(args.keywords))
    else:
        parser.error("a FOLDER or --memory is needed")
    if missed:
        raise SystemExit(f"missed: {missed}")


def speed(folder: Path, keywords: tuple[str, ...]) -> str:
    """Ingests a folder; returns the target that was missed, or nothing."""
    params = IngestParams(keywords=keywords, unknown_percentage=1000, validation_list="test")
    from benchmarks import beam_parts  # noqa: F401  (Loading TensorFlow is not measured.)

    read_once = harness.measure(lambda: _read_all(folder, params))
    with tempfile.TemporaryDirectory() as temporary:
        summary: dict = {}
        ingested = harness.measure(lambda: summary.update(_ingest(folder, params, Path(temporary))))
    files = summary["files"]
    clips = sum(sum(labels.values()) for labels in summary["clips"].values())
    print(f"{files} files, {clips} clips, {summary['quarantine_reasons']} in quarantine")
    for name, took in (("soundfile, every word once", read_once), ("the component", ingested)):
        print(
            f"  {name:<28}{took.by_clock:7.1f} s by the clock,{took.by_processor:7.1f} s processor "
            f"time ({took.by_processor / read_once.by_processor:.1f} times the reading)"
        )
    rate = files / ingested.by_clock
    print(f"  {rate:.0f} files/s; {sum(summary['seconds'].values()) / ingested.by_clock:.0f} s/s")
    return "" if rate >= TARGET_CLIPS_PER_S else f"{TARGET_CLIPS_PER_S:.0f} files/s by the clock"


def memory(counts: list[int], warm_up: int) -> str:
    """Ingests so many synthetic clips; returns the target that was missed, or nothing."""
    grown: dict[int, int] = {}
    print("clips      time   resident before   grown by   a clip")
    with tempfile.TemporaryDirectory() as temporary:
        for count in counts:
            folder = Path(temporary) / str(count)
            write_clips(folder, count)
            # Not forked: a child would begin with this process's memory.
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                before, after, took = pool.apply(_grow, (folder, Path(temporary), count, warm_up))
            grown[count] = after - before
            sizes = f"{before / 2**20:13.0f} MiB {grown[count] / 2**20:6.0f} MiB"
            print(f"{count:6d} {took:7.0f} s {sizes} {grown[count] / count:6.0f} B", flush=True)
    *fewer, most = counts
    if not fewer:
        return ""
    few = min(fewer, key=lambda count: abs(count - FEW_CLIPS))
    each = (grown[most] - grown[few]) / (most - few)
    print(f"{each:.0f} bytes for each clip beyond {few}")
    return "" if each <= TARGET_BYTES_PER_CLIP else f"{TARGET_BYTES_PER_CLIP} bytes a clip"


def write_clips(folder: Path, count: int) -> None:
    """Files of 100 ms of noise, of one speaker in 20 each, in two words."""
    for number in range(count):
        name = f"{('yes', 'no')[number % 2]}/{number // 20:08x}_nohash_{number % 20}.wav"
        harness.write_noise(folder / name, 0.1, seed=number)


def _grow(folder: Path, temporary: Path, count: int, warm_up: int) -> tuple[int, int, float]:
    params = IngestParams(
        keywords=("yes", "no"), clip_duration_ms=100, silence_percentage=0, unknown_percentage=0
    )
    with tempfile.TemporaryDirectory(dir=temporary) as out:
        first = Path(out) / "first"
        write_clips(first, warm_up)
        _ingest(first, params, Path(out) / "warm")
        before = _peak_bytes()
        started = time.perf_counter()
        summary = _ingest(folder, params, Path(out) / "run")
        took = time.perf_counter() - started
    made = sum(sum(summary["clips"][split].values()) for split in SPLITS)
    assert made == count, f"{made} clips of {count}: {summary['quarantine_reasons']}"
    return before, _peak_bytes(), took


def _peak_bytes() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _ingest(folder: Path, params: IngestParams, out: Path) -> dict:
    """Runs the component's executor as the local pipeline does; returns `ingest.json`."""
    from benchmarks.beam_parts import Parts
    from kws.corpus.ingest_summary import INGEST_FILE

    examples = Parts(root=str(out), ingestion=params).ingest(str(folder))
    return json.loads((Path(examples.uri) / INGEST_FILE).read_text())


def _read_all(folder: Path, params: IngestParams) -> None:
    import soundfile

    from kws.corpus.layout import scan

    for word in scan(folder, params).words:
        with contextlib.suppress(soundfile.LibsndfileError):
            soundfile.read(folder / word.name, dtype="int16")


if __name__ == "__main__":
    harness.start(main)
