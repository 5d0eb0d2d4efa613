"""`kws data`: what a run learned from, in figures."""

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from kws.terminal import Terminal
from pipeline.cli import complete


def data(
    run: Annotated[
        Path,
        typer.Argument(
            help="Folder of a run (runs/quickstart), or of runs: the newest.",
            autocompletion=complete.runs,
        ),
    ] = Path("runs"),
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Clips, minutes, level, clipping and silence by split, label and source; drift and skew; and
    the files that were used with a note, such as a repaired header.

    The figures are those of TFDV's statistics, which the run has validated.
    """
    from kws.report.tables import corpus_tables
    from pipeline.runs import corpus_figures, results

    newest = results.newest_run(corpus_figures.newest_metadata(run))
    splits = corpus_figures.figures(newest)
    if json:
        tables = {
            split: {
                group: {value: figures.to_dict() for value, figures in values.items()}
                for group, values in table.items()
            }
            for split, table in splits.items()
        }
        shown = {
            "run": newest.run_id,
            "splits": tables,
            "notes": corpus_figures.notes(newest),
            **corpus_figures.shifts(newest),
        }
        typer.echo(json_module.dumps(shown, indent=2))
        return
    console = Terminal()
    console.print(*corpus_tables(splits))
    for sentence in corpus_figures.note_sentences(newest):
        console.print(sentence, style="yellow", highlight=False, markup=False, soft_wrap=True)
    for sentence, above in corpus_figures.sentences(newest):
        style = "yellow" if above else None
        console.print(sentence, style=style, highlight=False, markup=False)
