"""`kws report`: one HTML page about a finished run."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from kws.terminal import echo
from pipeline.cli import complete


def report(
    run: Annotated[
        Path,
        typer.Argument(
            help="Folder of a run (runs/quickstart), or of runs: the newest.",
            autocompletion=complete.runs,
        ),
    ] = Path("runs"),
    out: Annotated[
        Path | None, typer.Option(help="The file to write; default: report.html in the run.")
    ] = None,
) -> None:
    """Write one HTML file about a run: verdict, figures, curves, the worst errors to listen to.

    The file needs nothing else: it opens offline, and no request leaves it. `kws run` writes it at
    its end; this command writes it again, or elsewhere.
    """
    from pipeline.report import REPORT_FILE, write
    from pipeline.runners.terminal_progress import log_file
    from pipeline.runs import corpus_figures

    metadata = corpus_figures.newest_metadata(run)
    file = metadata.parent / REPORT_FILE if out is None else out
    # What TFMA and TensorFlow say as they are read is of no use to the reader of a report.
    with tempfile.TemporaryDirectory() as folder, log_file(Path(folder)):
        written = write(metadata, file)
    echo(f"{file} ({written / 1e6:.1f} MB)")
