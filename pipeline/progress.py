"""How long work before the pipeline says how far it is."""

import time
from collections.abc import Callable
from typing import Protocol

_MEGABYTE = 1_000_000


class Progress(Protocol):
    """Called as the work goes on."""

    def __call__(
        self,
        done: int,
        total: int,
        seconds: float,
        what: str = "Voices",
        unit: str = "clips",
        *,
        remaining_s: float | None = None,
    ) -> None:
        """Takes units done and in all (0: unknown), seconds since the start, what is being done,
        and seconds left where the units say nothing about it."""


def of_bytes(progress: Progress | None, what: str) -> Callable[[int, int], None] | None:
    """The same for work that counts bytes and knows no time."""
    if progress is None:
        return None
    start_s = time.monotonic()

    def report(done: int, total: int) -> None:
        seconds = time.monotonic() - start_s
        progress(done // _MEGABYTE, total // _MEGABYTE, seconds, what, "MB")

    return report


def of_units(progress: Progress | None, what: str, unit: str) -> Callable[[int, int], None] | None:
    """The same for work that says what it counts: `bytes`, or things by name."""
    if progress is None or unit == "bytes":
        return of_bytes(progress, what)
    start_s = time.monotonic()

    def report(done: int, total: int) -> None:
        progress(done, total, time.monotonic() - start_s, what, unit)

    return report
