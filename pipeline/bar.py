"""What is loaded, unpacked or synthesized before a run, as it goes, and how long it will take."""

import contextlib
from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from pipeline import source


@contextlib.contextmanager
def source_bar(console: Console) -> Iterator[source.Progress]:
    """Says what there is to do and about how long it takes, then shows how far it is.

    On a terminal this is a bar; in a log, a line for every tenth of the time.
    """
    columns = (
        TextColumn("  {task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}, {task.fields[left]}", markup=False),
    )
    # Where there is no terminal, it would leave an empty line.
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as bar:
        tasks: dict[str, TaskID] = {}
        tenths: dict[str, int] = {}

        def update(
            done: int,
            total: int,
            seconds: float,
            what: str = "Voices",
            unit: str = "clips",
            *,
            remaining_s: float | None = None,
        ) -> None:
            if remaining_s is None and 0 < done < total:
                remaining_s = seconds * (total - done) / done
            timed = remaining_s is not None and done < total
            left = f"{duration(remaining_s or 0)} left" if timed else ""
            if what not in tasks:
                if total and done >= total:
                    return  # all of it is there
                tasks[what] = bar.add_task(what, visible=False, unit=unit, left=left)
                if timed:
                    plan = f"{total - done} {unit} to make, {duration(remaining_s or 0)}"
                    console.print(f"  {what}: {plan}", highlight=False)
            bar.update(
                tasks[what], completed=done, total=total or None, visible=done < total, left=left
            )
            if console.is_terminal or not total:
                return
            # Clips of one engine take a hundred times as long as another's.
            part = done / total if not remaining_s else seconds / (seconds + remaining_s)
            if int(part * 10) > tenths.get(what, 0):
                tenths[what] = int(part * 10)
                progress = f"{done} of {total} {unit}, {seconds:.0f} s"
                console.print(f"  {what}: {progress}{', ' if left else ''}{left}", highlight=False)

        yield update


def duration(seconds: float) -> str:
    """`about 40 s`, `about 3 min`, `about 2.5 h`."""
    if seconds < 90:
        return f"about {max(1, round(seconds))} s"
    if seconds < 90 * 60:
        return f"about {round(seconds / 60)} min"
    return f"about {seconds / 3600:.1f} h"
