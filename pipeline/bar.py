"""What is loaded, unpacked or synthesized before a run, as it goes."""

import contextlib
from collections.abc import Iterator

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from pipeline import source


@contextlib.contextmanager
def source_bar(console: Console) -> Iterator[source.Progress]:
    """A progress bar that appears once there is something to load, unpack or synthesize; in a log,
    a line for every tenth."""
    columns = (
        TextColumn("  {task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}, about", markup=False),
        TimeRemainingColumn(),
    )
    # Where there is no terminal, it would leave an empty line.
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as bar:
        tasks: dict[str, TaskID] = {}
        tenths: dict[str, int] = {}

        def update(
            done: int, total: int, seconds: float, what: str = "Voices", unit: str = "clips"
        ) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, visible=False, unit=unit)
            bar.update(tasks[what], completed=done, total=total or None, visible=done < total)
            if not console.is_terminal and total and done * 10 // total > tenths.get(what, 0):
                tenths[what] = done * 10 // total
                console.print(f"  {what}: {done} of {total} {unit}, {seconds:.0f} s")

        yield update
