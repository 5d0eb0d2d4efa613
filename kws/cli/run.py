"""`kws run`: the whole pipeline on this machine, with a live summary and one screen at the end."""

from pathlib import Path
from typing import Annotated

import typer

REFUSED = 2
"""Exit status of a run whose model did not pass its gates."""


def run(
    preset: Annotated[
        str, typer.Option(help="Preset by name (`kws presets`), or a YAML file.")
    ] = "quickstart",
    data: Annotated[
        Path | None,
        typer.Option(help="Recordings: Speech Commands folder, .tar.gz or .zip. None: synthesize."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Metadata, artifacts, logs and bundles.")] = Path(
        "runs"
    ),
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override, e.g. training.epochs=5; may be repeated."),
    ] = None,
    verbose: Annotated[bool, typer.Option(help="Show TFX's own log on the console.")] = False,
) -> None:
    """Run the pipeline: ingest, synthesize, train, convert, judge, and push if all gates pass.

    Exit status: 0 pushed (or nothing new to do), 2 judged and refused, 1 an error.

    A killed run is simply started again: finished steps are reused, training resumes.
    """
    from pipeline.config import load

    load(preset, set_ or (), data)  # a wrong setting is refused before anything slow is imported

    from pipeline.console import run_with_summary

    pushed = run_with_summary(preset, set_ or (), data, out, verbose)
    raise typer.Exit(0 if pushed else REFUSED)
