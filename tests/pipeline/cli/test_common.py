"""What all verbs share: help by task, --verbose, one line an error, no colours in pipes."""

import json
import os
import re
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

import kws
from kws.errors import KwsError
from pipeline.cli import app, common, main


def verbs(of: typer.Typer = app, prefix: str = ""):
    """Every verb's path and registration."""
    for verb in of.registered_commands:
        yield f"{prefix}{verb.name}", verb
    for group in of.registered_groups:
        yield from verbs(group.typer_instance, f"{prefix}{group.name} ")


def kws_process(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kws", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **environment}
    )


def status_of(app: typer.Typer, *arguments: str) -> int:
    return common.run(app, arguments)


@pytest.fixture
def small() -> typer.Typer:
    """An application of one verb, which fails as it is told."""
    small = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=False)

    @small.callback()
    def root() -> None:
        pass

    @small.command()
    def fail(how: str = "not", often: int = 1) -> None:
        errors = {"known": KwsError("a.wav is empty", hint="record it again"), "not": None}
        errors["unknown"] = ZeroDivisionError("division\nby zero")  # type: ignore[assignment]
        errors["refused"] = typer.Exit(2)  # type: ignore[assignment]
        if (error := errors[how]) is not None:
            raise error

    common.teach(small)
    return small


def test_help_is_grouped_by_task():
    text = CliRunner().invoke(app, ["--help"]).output
    panels = re.split(r"╭─ (?=\w)", text)[1:]
    shown = {panel.split()[0]: re.findall(r"(?m)^│ ([a-z][a-z-]*) ", panel) for panel in panels}
    assert {"Make", "Data", "Listen", "Look", "Ship", "Kubeflow"} <= set(shown)
    assert "run" in shown["Make"] and "synth" in shown["Data"] and "detect" in shown["Listen"]
    assert "report" in shown["Look"] and "bundle" in shown["Ship"]
    known = typer.main.get_command(app).commands
    assert sorted(verb for some in shown.values() for verb in some) == sorted(known)


@pytest.mark.parametrize(("path", "verb"), verbs(), ids=[path for path, _ in verbs()])
def test_every_verb_has_an_example_and_verbose(path, verb):
    assert isinstance(verb.epilog, str) and f"kws {path}" in verb.epilog
    text = CliRunner().invoke(app, [*path.split(), "--help"], env={"COLUMNS": "200"}).output
    assert "--verbose" in text


def test_an_error_of_ours_is_a_line_and_a_hint(small, capsys):
    assert status_of(small, "fail", "--how", "known") == 1
    assert capsys.readouterr().err == "kws: a.wav is empty\n     record it again\n"


def test_an_unforeseen_error_is_a_line_too_and_verbose_shows_where(small, capsys):
    assert status_of(small, "fail", "--how", "unknown") == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "kws: ZeroDivisionError: division by zero"
    assert len(lines) == 2 and "--verbose" in lines[1]
    assert status_of(small, "fail", "--how", "unknown", "--verbose") == 1
    assert "Traceback" in capsys.readouterr().err
    assert not common.is_verbose()  # not for the next one


def test_a_wrong_option_is_a_line_and_not_the_status_of_a_refused_model(small, capsys):
    assert status_of(small, "fail", "--ofen", "2") == 1
    lines = capsys.readouterr().err.splitlines()
    assert "--ofen" in lines[0] and "--often" in lines[0]
    assert lines[1].strip() == "kws fail --help"
    assert status_of(small, "fail", "--often", "twice") == 1
    assert len(capsys.readouterr().err.splitlines()) == 2
    assert status_of(small, "fail", "--how", "refused") == 2
    assert status_of(small, "fail") == 0


def test_the_version(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"kws {kws.__version__}\n"


def test_a_pipe_gets_no_colours_and_tables_no_logs():
    for arguments in (["--help"], ["doctor"], ["presets"], ["run", "--preset", "nope"]):
        done = kws_process(*arguments)
        assert "\x1b[" not in done.stdout + done.stderr, arguments
        assert "Traceback" not in done.stderr


def test_libraries_are_quiet_unless_verbose():
    code = (
        "import logging, warnings, typer\n"
        "from pipeline.cli import common\n"
        "app = typer.Typer()\n"
        "@app.command()\n"
        "def go():\n"
        "    logging.getLogger('tfx').error('tfx speaks')\n"
        "    warnings.warn('old')\n"
        "    from absl import logging as log\n"
        "    log.warning('tensorflow speaks')\n"
        "common.teach(app)\n"
        "import sys; sys.exit(common.run(app, sys.argv[1:]))\n"
    )

    def said(*options: str) -> str:
        command = [sys.executable, "-c", code, *options]
        return subprocess.run(command, capture_output=True, text=True, check=True).stderr

    assert said() == ""
    loud = said("--verbose")
    assert "tfx speaks" in loud and "tensorflow speaks" in loud and "old" in loud


def test_presets_are_offered_to_the_shell():
    done = kws_process(
        _KWS_COMPLETE="complete_bash", COMP_WORDS="kws run --preset q", COMP_CWORD="3"
    )
    assert done.stdout.split() == ["quickstart"]


def test_json_where_a_script_wants_it(capsys):
    with pytest.raises(SystemExit):
        main(["presets", "--json"])
    assert json.loads(capsys.readouterr().out)["quickstart"]
