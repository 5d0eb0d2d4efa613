"""`kws retrain`: what is wrong is refused before the first pass."""

import pytest

from kws.errors import KwsError
from pipeline.cli import main
from pipeline.cli.retrain import seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("6h", 21600), ("1.5d", 129600)]
)
def test_a_time_has_a_unit(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["10", "0s", "m", "1w", "-5m"])
def test_anything_else_is_no_time(text):
    with pytest.raises(KwsError, match="90s, 10m, 6h or 1d"):
        seconds_of(text)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nothing"], "no preset 'nothing'"),
        (["--watch", "gone", "--every", "1s", "--set", "training.epoch=3"], "unknown key"),
        (["--watch", "here", "--data", "there"], "give one"),
        (["--watch", "here", "--force"], "would train for ever"),
        (["--data", "gone"], "gone does not exist"),
        (["--set", "model=null"], "nothing to retrain"),
        (["--spans", "week"], "is no pattern of spans|needs a folder"),
    ],
)
def test_what_is_wrong_is_one_line_on_standard_error(arguments, sentence, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["retrain", "--out", str(tmp_path / "runs"), *arguments])
    assert stop.value.code == 1
    error = capsys.readouterr().err
    assert error.startswith("kws: ")
    import re

    assert re.search(sentence, error)
