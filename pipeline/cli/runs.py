"""`kws runs`: what has been run, how it was judged, and what differs between two of them."""

import json as json_module
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kws.terminal import Terminal

if TYPE_CHECKING:
    from pipeline.runs.listing import Record

app = typer.Typer(
    help="List the runs with their gates, figures and bundles; compare two of them.",
    invoke_without_command=True,
    epilog="Example: kws runs diff quickstart#2 quickstart#30",
)
Folder = Annotated[Path, typer.Option(help="A folder of runs, or of one pipeline.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@app.callback()
def runs(
    context: typer.Context,
    out: Folder = Path("runs"),
    json: Json = False,
    gates: Annotated[bool, typer.Option(help="With every gate of each run.")] = False,
) -> None:
    """List the runs of all pipelines, the newest first."""
    if context.invoked_subcommand is not None:
        return
    found = _records(out)
    if json:
        typer.echo(json_module.dumps([record.to_dict() for record in found], indent=2))
        return

    from kws.report.run_tables import runs_table
    from kws.report.tables import gates_table

    console = Terminal()
    console.print(runs_table([record.to_dict() for record in found]))
    for record in found if gates else ():
        table = gates_table(record.gates, details=False)
        table.title = f"Gates of {record.name}"
        console.print(table)


@app.command()
def diff(
    one: Annotated[str, typer.Argument(help="A run: quickstart#12, a bundle, a pipeline.")],
    other: Annotated[str, typer.Argument(help="Another; of a pipeline, its newest.")],
    out: Folder = Path("runs"),
    json: Json = False,
) -> None:
    """Compare two runs: settings that differ, figures side by side, gates of either."""
    from pipeline.runs import results
    from pipeline.runs.listing import choose

    found = _records(out)
    pair = [choose(found, name) for name in (one, other)]
    changed = results.differences(pair[0].run, pair[1].run)
    steps = [[step.name for step in record.run.steps] for record in pair]
    shown = [record.to_dict() for record in pair]
    if json:
        typer.echo(
            json_module.dumps({"runs": shown, "steps": steps, "settings": changed}, indent=2)
        )
        return

    from kws.report.run_tables import diff_tables

    console = Terminal()
    console.print(*diff_tables(shown, changed))
    for record, own, others in zip(pair, steps, reversed(steps), strict=True):
        if alone := [name for name in own if name not in others]:
            console.print(f"Only {record.name} has {', '.join(alone)}.", highlight=False)


def _records(out: Path) -> "list[Record]":
    from pipeline.runners.terminal_progress import log_file
    from pipeline.runs.listing import below

    # What TFMA and TensorFlow say as they are read is of no use here.
    with tempfile.TemporaryDirectory() as folder, log_file(Path(folder)):
        return below(out)
