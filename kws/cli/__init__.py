"""The `kws` command, one file a verb; nothing heavy is imported before a verb needs it."""

import sys
from collections.abc import Sequence

import typer

from kws.cli.align import align
from kws.cli.augment import app as augment
from kws.cli.bundle import app as bundle
from kws.cli.cascade import cascade
from kws.cli.data import data
from kws.cli.detect import detect
from kws.cli.evaluate import evaluate
from kws.cli.kubeflow import app as kubeflow
from kws.cli.listen import listen
from kws.cli.models import models
from kws.cli.personalize import personalize
from kws.cli.presets import presets
from kws.cli.report import report
from kws.cli.run import run
from kws.cli.say import say
from kws.cli.spectrogram import spectrogram
from kws.cli.stream_test import stream_test
from kws.cli.synth import app as synth
from kws.errors import KwsError

app = typer.Typer(
    name="kws",
    help="Keyword spotters for microcontrollers: from recordings, or none, to a judged bundle.",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.command(rich_help_panel="Make")(run)
app.command(rich_help_panel="Make")(presets)
app.command(rich_help_panel="Make")(models)
app.command(rich_help_panel="Make")(personalize)
app.command(rich_help_panel="Look")(say)
app.add_typer(synth, name="synth", rich_help_panel="Make")
app.command(rich_help_panel="Judge")(evaluate)
app.command(rich_help_panel="Judge")(detect)
app.command(rich_help_panel="Judge")(listen)
app.command("stream-test", rich_help_panel="Judge")(stream_test)
app.command(rich_help_panel="Judge")(cascade)
app.add_typer(bundle, name="bundle", rich_help_panel="Ship")
app.add_typer(kubeflow, name="kubeflow", rich_help_panel="Ship")
app.command(rich_help_panel="Look")(align)
app.add_typer(augment, name="augment", rich_help_panel="Look")
app.command(rich_help_panel="Look")(data)
app.command(rich_help_panel="Look")(report)
app.command(rich_help_panel="Look")(spectrogram)


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: a KwsError ends in one line on standard error and exit status 1."""
    try:
        app(args=None if arguments is None else list(arguments))
    except KwsError as error:
        typer.echo(f"kws: {error.message}", err=True)
        if error.hint:
            typer.echo(f"     {error.hint}", err=True)
        sys.exit(1)
