"""`kws evaluate`: a pushed bundle on any folder of recordings."""

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from kws.errors import KwsError
from kws.terminal import Terminal, printable

SHOWN_UNUSABLE = 10


def evaluate(
    data: Annotated[Path, typer.Argument(help="Folder of folders: <word>/<recording>.wav.")],
    bundle: Annotated[
        str | None,
        typer.Option(help="Bundle, or a folder of versions (or gs://…, s3://…): the one served."),
    ] = None,
    only: Annotated[
        Path | None,
        typer.Option(help="List of <word>/<file> lines, e.g. testing_list.txt: only these."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Per-class table and confusion matrix of a bundle's int8 model on your recordings.

    The model hears what a device would: the bundle's own frontend and the int8 network. Words that
    are no keyword of the bundle count as `_unknown_`.
    """
    from kws.evaluate import evaluate_folder
    from kws.report.tables import confusion_table, per_class_table

    if bundle is None:
        raise KwsError(
            "no bundle is given", hint="name one: kws evaluate DIR --bundle FOLDER/OF/A/BUNDLE"
        )
    report = evaluate_folder(bundle, data, file_list=only)
    if json:
        typer.echo(json_module.dumps(report.to_dict(), indent=2))
        return
    console = Terminal()
    console.print(per_class_table(report.matrix), confusion_table(report.matrix))
    counted = sum(report.words_as_unknown.values())
    if counted:
        words = ", ".join(report.words_as_unknown)
        console.print(f"{counted} clips of words that are no keyword: {words}", highlight=False)
    if report.absent_labels:
        console.print(f"No clip of: {', '.join(report.absent_labels)}", highlight=False)
    if report.notes:
        console.print(f"[yellow]{len(report.notes)} files were read with a note:[/yellow]")
        for name, notes in list(report.notes.items())[:SHOWN_UNUSABLE]:
            console.print(f"  {name}: {'; '.join(notes)}", highlight=False, markup=False)
        if len(report.notes) > SHOWN_UNUSABLE:
            console.print(f"  and {len(report.notes) - SHOWN_UNUSABLE} more (--json lists all)")
    if report.unusable:
        console.print(f"{len(report.unusable)} files could not be used:", style="yellow")
        for name, reason in list(report.unusable.items())[:SHOWN_UNUSABLE]:
            console.print(f"  {printable(name)}: {reason}", highlight=False)
        if len(report.unusable) > SHOWN_UNUSABLE:
            console.print(f"  and {len(report.unusable) - SHOWN_UNUSABLE} more (--json lists all)")
