"""The command line: quick to start, errors in one sentence."""

import subprocess
import sys

import pytest

from pipeline.cli import main


def test_help_imports_neither_tensorflow_nor_tfx():
    heavy = "{'tensorflow', 'tfx', 'apache_beam', 'numpy', 'pydantic'}"
    code = f"import sys, pipeline.cli; print(sorted({heavy} & set(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "--preset", "nope"], "kws: no preset 'nope'"),
        (["run", "--set", "training.epochs=0"], "training.epochs"),
        (["run", "--data", "nowhere/at/all"], "nowhere/at/all"),
        (["evaluate", "."], "kws: no bundle is given"),
    ],
)
def test_an_error_is_one_sentence_and_status_1(arguments, sentence, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 1
    error = capsys.readouterr().err
    assert sentence in error and "Traceback" not in error


def test_presets_print_every_key(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["presets", "quickstart"])
    assert not stop.value.code
    assert "detection_threshold" in capsys.readouterr().out
