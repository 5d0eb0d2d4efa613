"""Command lines held against the very parsers that would read them, without running anything."""

import argparse
import importlib
import re
import runpy
import sys
from typing import Any
from unittest import mock

import typer

from pipeline.cli import app
from tests.docs.blocks import ROOT, Command

SHOWN_AND_DONE = ("--help", "--version", "--install-completion", "--show-completion")
LOADS_A_PRESET = ("run", "retrain", "synth stream", "synth scenes", "kubeflow compile")


class _Parsed(Exception):
    """The parser is through, and nothing may be run."""


def check(command: Command, *, whole: bool = True) -> None:
    """Raises if the program would not take these arguments.

    Args:
      command: to check.
      whole: all that the program needs is given; else a mention, of which verb and options count.
    """
    program, *arguments = command.words
    if program == "python":
        module, *arguments = arguments[1:]
        if module == "kws":
            check_kws(arguments, whole)
        else:
            check_benchmark(module, arguments, whole)
    elif program == "kws":
        check_kws(arguments, whole)
    elif program == "make":
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert set(arguments) <= set(targets), f"targets are {targets}"
    elif program == "tfx":
        check_tfx(arguments)


def verb_of(arguments: list[str]) -> tuple[str, Any, list[str]]:
    """The verb's words, its parser, and what is left for it."""
    parser: Any = typer.main.get_command(app)
    path: list[str] = []
    while hasattr(parser, "commands") and arguments and arguments[0] in parser.commands:
        parser = parser.commands[arguments[0]]
        path, arguments = [*path, arguments[0]], arguments[1:]
    if hasattr(parser, "commands") and arguments:
        # `kws runs --json` is a verb too; `kws bundel` is none.
        assert arguments[0].startswith("-"), f"no verb: kws {' '.join([*path, arguments[0]])}"
    return " ".join(path), parser, arguments


def check_kws(arguments: list[str], whole: bool = True) -> None:
    if not whole and arguments[:1] == ["VERB"]:
        return
    verb, parser, rest = verb_of(arguments)
    if whole and not set(rest) & set(SHOWN_AND_DONE):
        values = parser.make_context(f"kws {verb}", list(rest)).params
        check_settings(verb, values)
        return
    known = {option for parameter in parser.params for option in parameter.opts}
    known |= {option for parameter in parser.params for option in parameter.secondary_opts}
    asked = {word.partition("=")[0] for word in rest if word.startswith("--")}
    assert asked <= known | set(SHOWN_AND_DONE), f"options of kws {verb}: {sorted(known)}"


def check_settings(verb: str, values: dict[str, Any]) -> None:
    """--preset and --set as the configuration's own loader sees them."""
    settings = list(values.get("set_") or ())
    if verb in LOADS_A_PRESET:
        from pipeline.config import load

        preset = values.get("preset") or ("keyword" if values.get("keyword") else "quickstart")
        if verb == "kubeflow compile":
            settings.append(f"data.path={values['data']}")
        load(preset, settings)
    elif verb == "spectrogram":
        from kws.features.params import FeatureParams

        names = {setting.partition("=")[0] for setting in settings}
        assert names <= set(FeatureParams.model_fields)


def check_benchmark(module: str, arguments: list[str], whole: bool = True) -> None:
    """As `python -m` runs it, up to where its parser has taken the arguments."""
    found = importlib.util.find_spec(module)
    assert found is not None and found.origin is not None, f"there is no {module}"
    with open(found.origin) as source:
        takes_arguments = "parse_args" in source.read()
    if not takes_arguments:
        assert not arguments, f"{module} takes no arguments"
        return
    if not whole:
        return
    real = argparse.ArgumentParser.parse_args

    def parse_only(self: Any, *given: Any, **named: Any) -> None:
        real(self, *given, **named)
        raise _Parsed

    with (
        mock.patch.object(argparse.ArgumentParser, "parse_args", parse_only),
        mock.patch.object(sys, "argv", [module, *arguments]),
    ):
        try:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        except _Parsed:
            return
        except SystemExit as stop:
            raise AssertionError(f"{module} refuses {arguments}") from stop
    raise AssertionError(f"{module} did not parse its arguments")


def check_tfx(arguments: list[str]) -> None:
    from tfx.tools.cli.cli_main import cli_group

    parser: Any = cli_group
    while hasattr(parser, "commands"):
        parser = parser.commands[arguments[0]]
        arguments = arguments[1:]
    parser.make_context("tfx", list(arguments))
