"""`kws run`: the whole pipeline on this machine, with a live summary and one screen at the end."""

from pathlib import Path
from typing import Annotated

import typer

from kws.cli import complete
from kws.errors import KwsError
from kws.terminal import echo

REFUSED = 2
"""Exit status of a run whose model did not pass its gates."""


def run(
    preset: Annotated[
        str | None,
        typer.Option(
            help="Preset by name (`kws presets`), or a YAML file. Default: quickstart, and keyword "
            "where --keyword is given.",
            show_default=False,
            autocompletion=complete.presets,
        ),
    ] = None,
    keyword: Annotated[
        list[str] | None,
        typer.Option(
            help='Word or phrase to listen for, e.g. "ok toaster"; may be repeated. Nothing else '
            "is needed to try it: voices say it. For use, add recordings without it: docs/data.md.",
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Recordings: Speech Commands folder, .tar.gz or .zip. None: synthesize."),
    ] = None,
    with_: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            help="Public corpora by name, fetched if they are not there, e.g. "
            "librispeech-dev-clean,musan (kws corpus list); may be repeated.",
            autocompletion=complete.corpora,
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Metadata, artifacts, logs and bundles.")] = Path(
        "runs"
    ),
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override, e.g. training.epochs=5; may be repeated."),
    ] = None,
    fresh: Annotated[
        bool,
        typer.Option(
            "--fresh/--resume",
            help="--resume: a killed training (or search) goes on from its last checkpoint, to the "
            "same result. --fresh: it begins anew; steps that were finished are reused either way.",
        ),
    ] = False,
) -> None:
    """Run the pipeline: ingest, synthesize, train, convert, judge, and push if all gates pass.

    Exit status: 0 pushed (or nothing new to do), 2 judged and refused, 1 an error.

    A killed run is simply started again: finished steps are reused, training resumes from its last
    checkpoint (one every training.checkpoint_every_steps). With changed data or training settings
    it starts anew by itself; --fresh makes it so in any case.
    """
    from kws.cli import phrases
    from kws.cli.corpus import corpora_overrides
    from kws.cli.verbosity import is_verbose
    from pipeline.config import load

    chosen = preset or ("keyword" if keyword else "quickstart")
    # A --set of the user has the last word.
    overrides = [
        *(phrases.overrides(keyword) if keyword else ()),
        *corpora_overrides(with_),
        *(set_ or ()),
    ]
    # What is wrong is refused before anything slow is imported.
    if data is not None and not data.exists():
        raise KwsError(f"{data} does not exist", hint="--data: a folder, .tar.gz or .zip")
    config = load(chosen, overrides, data)
    if keyword and config.data.has_voices:
        phrases.check_length(config.keywords, config.voices.max_word_ms)

    if config.data.has_voices:
        note = phrases.spelling_note(config.keywords)
        if note:
            echo(f"kws: {note}", err=True)

    from pipeline.console import run_with_summary

    pushed = run_with_summary(chosen, overrides, data, out, is_verbose(), fresh)
    raise typer.Exit(0 if pushed else REFUSED)
