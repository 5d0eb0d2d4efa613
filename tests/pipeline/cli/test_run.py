"""`kws run`: which preset is run, and what is left of a killed training."""

import pytest

from pipeline.cli import main
from pipeline.runners import console


@pytest.mark.parametrize(
    ("options", "left"), [([], True), (["--resume"], True), (["--fresh"], False)]
)
def test_only_fresh_deletes_the_checkpoints(options, left, tmp_path, monkeypatch):
    monkeypatch.setattr(console, "_run", lambda *arguments: console.Outcome(accepted=True))
    checkpoint = tmp_path / "quickstart" / "checkpoints" / "0123456789abcdef" / "checkpoint"
    artifact = tmp_path / "quickstart" / "artifacts" / "kept"
    for file in (checkpoint, artifact):
        file.parent.mkdir(parents=True)
        file.touch()
    with pytest.raises(SystemExit) as stop:
        main(["run", "--out", str(tmp_path), *options])
    assert not stop.value.code
    assert checkpoint.exists() == left and artifact.exists()


@pytest.mark.parametrize(
    ("options", "preset"),
    [
        ([], "quickstart"),
        (["--keyword", "ok toaster"], "keyword"),
        (["--keyword", "ok toaster", "--tier", "small"], "keyword"),
        (["--keyword", "ok toaster", "--tier", "large"], "keyword_large"),
    ],
)
def test_the_tier_of_a_keyword_chooses_the_preset(options, preset, tmp_path, monkeypatch):
    ran = []

    def run(chosen, *rest):
        ran.append(chosen)
        return True

    monkeypatch.setattr(console, "run_with_summary", run)
    with pytest.raises(SystemExit) as stop:
        main(["run", "--out", str(tmp_path), *options])
    assert not stop.value.code and ran == [preset]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--tier", "large"], "--tier large is for a keyword of your own"),
        (["--keyword", "ok toaster", "--tier", "big"], "one of small (preset keyword), windowed"),
        (["--preset", "keyword", "--tier", "large"], "both choose a preset"),
    ],
)
def test_a_tier_that_chooses_nothing_is_refused_in_a_line(options, said, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["run", *options])
    assert stop.value.code == 1 and said in capsys.readouterr().err
