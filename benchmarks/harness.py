"""What the benchmarks share: their command line, clocks, one processor core, noise and clips.

    def main(arguments: Sequence[str] | None = None) -> None:
        parser = harness.Parser("scenes", __doc__)
        parser.add_argument("--scenes", type=int, default=60, help="of 10 s")
        args = parser.parse_args(arguments)

    if __name__ == "__main__":
        harness.start(main)

A target that is missed ends a benchmark with SystemExit and a sentence: status 1.
"""

import argparse
import contextlib
import os
import sys
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kws.audio.clip import Clip
from kws.errors import KwsError

RATE = 16000
PROGRAM = "python -m benchmarks."


class Parser(argparse.ArgumentParser):
    """The arguments of one benchmark; `--help` also prints the head of its module.

    Every argument must have a `help` text; the default is appended to it.
    """

    def __init__(self, name: str, description: str | None):
        super().__init__(
            prog=f"{PROGRAM}{name}",
            description=description,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    def add_argument(self, *names: str, help: str, **settings: Any) -> argparse.Action:  # type: ignore[override]
        default = settings.get("default")
        if default is not None and default is not argparse.SUPPRESS:
            shown = " ".join(map(str, default)) if isinstance(default, list | tuple) else default
            if shown != "" and "%(default)" not in help:
                help = f"{help} (default: {str(shown).replace('%', '%%')})"
        return super().add_argument(*names, help=help, **settings)


def start(main: Callable[[], None]) -> None:
    """Runs a benchmark as a program: an error that a user can mend is one line, and status 1."""
    try:
        main()
    except KwsError as error:
        sys.exit(f"error: {error}")


class Seconds(NamedTuple):
    """How long a piece of work took."""

    by_clock: float
    by_processor: float

    def speed(self, units: float) -> "Speed":
        """Units of work done in each second: `units` in all."""
        return Speed(units / self.by_clock, units / self.by_processor)


class Speed(NamedTuple):
    """Units of work per second; seconds of audio per second are "times real time"."""

    by_clock: float
    by_processor: float


def measure(
    work: Callable[[], object], processor_s: Callable[[], float] = time.process_time
) -> Seconds:
    """Times a piece of work.

    Args:
      work: called once.
      processor_s: processor time so far. That of this process, which other work on the machine
        hardly changes, unless other processes do the work.
    """
    clock, processor = time.perf_counter(), processor_s()
    work()
    return Seconds(time.perf_counter() - clock, processor_s() - processor)


@contextlib.contextmanager
def one_core() -> Iterator[None]:
    """Keeps this thread, and the threads that it starts, on one core.

    Enter it before TensorFlow starts its threads.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def load_average() -> str:
    """How busy the machine is, to be printed beside figures."""
    one, five, _ = os.getloadavg()
    return f"{os.cpu_count()} cores, load {one:.1f} (1 min), {five:.1f} (5 min)"


def noise(seconds: float, sample_rate: int = RATE, *, seed: int, level: float = 2000) -> np.ndarray:
    """White noise, int16 `[samples]`; `level` is its standard deviation."""
    samples = np.random.default_rng(seed).normal(0, level, round(seconds * sample_rate))
    return samples.clip(-32768, 32767).astype(np.int16)


def write_noise(path: Path, seconds: float, *, seed: int) -> None:
    """Writes white noise as a WAV file at 16 kHz; makes its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(noise(seconds, seed=seed).tobytes())


def clip_of(audio: np.ndarray, number: int, *, sample_rate: int = RATE, label: str = "yes") -> Clip:
    """A clip of a speaker of its own, who says the label."""
    return Clip(
        audio=audio,
        sample_rate=sample_rate,
        label=label,
        word=label,
        speaker=str(number),
        source="noise",
        clip_id=f"{number:016x}",
        novelty="keyword",
    )
