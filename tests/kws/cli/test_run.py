"""`kws run`: what is left of a killed training is kept, unless one asks to begin anew."""

import pytest

from kws.cli import main
from pipeline import console


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
