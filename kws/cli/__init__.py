"""The `kws` command, one file a verb; nothing heavy is imported before a verb needs it."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

import kws
from kws.cli import manners
from kws.cli.align import align
from kws.cli.augment import app as augment
from kws.cli.bundle import app as bundle
from kws.cli.cascade import cascade
from kws.cli.corpus import app as corpus
from kws.cli.dashboard import dashboard
from kws.cli.data import data
from kws.cli.demo import demo
from kws.cli.detect import detect
from kws.cli.doctor import doctor
from kws.cli.evaluate import evaluate
from kws.cli.kubeflow import app as kubeflow
from kws.cli.lineage import lineage
from kws.cli.listen import listen
from kws.cli.models import models
from kws.cli.personalize import personalize
from kws.cli.presets import presets
from kws.cli.report import report
from kws.cli.retrain import EPILOG, retrain
from kws.cli.run import run
from kws.cli.runs import app as runs
from kws.cli.say import say
from kws.cli.spectrogram import spectrogram
from kws.cli.stream_test import stream_test
from kws.cli.synth import app as synth
from kws.cli.tensorboard import tensorboard
from kws.terminal import echo

app = typer.Typer(
    name="kws",
    help="Keyword spotters for microcontrollers: from recordings, or none, to a judged bundle.",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        echo(f"kws {kws.__version__}")
        raise typer.Exit


@app.callback(epilog="How to begin: docs/quickstart.md. What a verb does: kws VERB --help.")
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", is_eager=True, callback=_version),
    ] = False,
) -> None:
    """Keyword spotters for microcontrollers: from recordings, or none, to a judged bundle."""


app.command(rich_help_panel="Make")(run)
app.command(rich_help_panel="Make", epilog=EPILOG)(retrain)
app.command(rich_help_panel="Make")(presets)
app.command(rich_help_panel="Make")(models)
app.command(rich_help_panel="Make")(personalize)
app.command(rich_help_panel="Data")(say)
app.add_typer(synth, name="synth", rich_help_panel="Data")
app.add_typer(corpus, name="corpus", rich_help_panel="Data")
app.command(rich_help_panel="Listen")(evaluate)
app.command(rich_help_panel="Listen")(detect)
app.command(rich_help_panel="Listen")(listen)
app.command(rich_help_panel="Listen")(demo)
app.command("stream-test", rich_help_panel="Listen")(stream_test)
app.command(rich_help_panel="Listen")(cascade)
app.add_typer(bundle, name="bundle", rich_help_panel="Ship")
app.add_typer(kubeflow, name="kubeflow", rich_help_panel="Kubeflow")
app.command(rich_help_panel="Data")(align)
app.add_typer(augment, name="augment", rich_help_panel="Data")
app.command(rich_help_panel="Data")(data)
app.command(rich_help_panel="Look")(report)
app.command(rich_help_panel="Look")(dashboard)
app.add_typer(runs, name="runs", rich_help_panel="Look")
app.command(rich_help_panel="Look")(tensorboard)
app.command(rich_help_panel="Look")(lineage)
app.command(rich_help_panel="Data")(spectrogram)
app.command(rich_help_panel="This machine")(doctor)
manners.teach(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: an error ends in one line on standard error and exit status 1."""
    sys.exit(manners.run(app, arguments))
