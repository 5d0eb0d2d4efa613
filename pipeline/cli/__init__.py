"""The `kws` command, one file a verb; nothing heavy is imported before a verb needs it."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

import kws
from kws.terminal import echo
from pipeline.cli import common
from pipeline.cli.align import align
from pipeline.cli.augment import app as augment
from pipeline.cli.bundle import app as bundle
from pipeline.cli.cascade import cascade
from pipeline.cli.corpus import app as corpus
from pipeline.cli.dashboard import dashboard
from pipeline.cli.data import data
from pipeline.cli.demo import demo
from pipeline.cli.detect import detect
from pipeline.cli.doctor import doctor
from pipeline.cli.evaluate import evaluate
from pipeline.cli.kubeflow import app as kubeflow
from pipeline.cli.lineage import lineage
from pipeline.cli.listen import listen
from pipeline.cli.models import models
from pipeline.cli.personalize import personalize
from pipeline.cli.presets import presets
from pipeline.cli.report import report
from pipeline.cli.retrain import EPILOG, retrain
from pipeline.cli.run import run
from pipeline.cli.runs import app as runs
from pipeline.cli.say import say
from pipeline.cli.spectrogram import spectrogram
from pipeline.cli.stream_test import stream_test
from pipeline.cli.synth import app as synth
from pipeline.cli.tensorboard import tensorboard

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
common.teach(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: an error ends in one line on standard error and exit status 1."""
    sys.exit(common.run(app, arguments))
