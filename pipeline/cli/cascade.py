"""`kws cascade`: two pushed bundles, one waking the other, on recordings."""

import json as json_module
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from kws.terminal import Terminal, printable


def cascade(
    first: Annotated[str, typer.Argument(help="Bundle that listens always; a tiny model.")],
    second: Annotated[str, typer.Argument(help="Bundle that it wakes.")],
    recordings: Annotated[
        Path, typer.Argument(help="A recording of any length, or a folder of them.")
    ],
    threshold: Annotated[
        float, typer.Option(min=0.01, max=0.999, help="At which the first stage wakes the second.")
    ] = 0.3,
    hold_ms: Annotated[
        int, typer.Option(min=1, help="How long the second stage runs on after that.")
    ] = 1000,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """What a cascade of two bundles costs on recordings, and which detections it loses.

    Both must have been made with one frontend. See docs/cascade.md.
    """
    from kws.cascade import try_cascade
    from kws.corpus.listing import find_recordings
    from kws.report.tables import print_left_out

    listed = find_recordings(recordings)
    trial = try_cascade(first, second, listed.paths, threshold=threshold, hold_ms=hold_ms)
    left_out = {name: str(why) for name, why in listed.left_out.items()}
    if json:
        typer.echo(json_module.dumps({**trial.to_dict(), "left_out": left_out}, indent=2))
        return
    console = Terminal()
    table = Table("file", "awake", "detected", "second stage alone")
    for one in trial.heard:
        counts = str(len(one.detections)), str(len(one.alone))
        table.add_row(printable(one.path), f"{one.awake:.1%}", *counts)
    console.print(table)
    costs = Table("first stage's threshold", "second stage awake", "wakes", "M MACs/s")
    for figures in trial.tried:
        costs.add_row(
            f"{figures.threshold:g}{' *' if figures.threshold == threshold else ''}",
            f"{figures.duty_cycle:.1%}",
            str(figures.wakes),
            f"{figures.macs_per_second / 1e6:.2f}",
        )
    console.print(costs)
    console.print(trial.cost.sentence(), highlight=False)
    print_left_out(console, {**trial.unreadable, **left_out})
