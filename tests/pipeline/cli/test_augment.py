"""`kws augment show` draws and plays what it names, and refuses what it does not know."""

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from kws.augment.gallery import NAMES
from pipeline.cli import main

RATE_HZ = 16000


@pytest.fixture
def recording(tmp_path) -> Path:
    audio = np.zeros(RATE_HZ)
    audio[4000:12000] = np.random.default_rng(0).normal(0, 0.1, 8000)
    soundfile.write(tmp_path / "word.wav", audio, RATE_HZ)
    return tmp_path / "word.wav"


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(["augment", "show", *arguments])
    return int(stop.value.code or 0)


def test_one_augmentation_is_a_picture_and_a_sound(recording, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(str(recording), "--out", str(out), "--only", "clipping") == 0
    assert sorted(path.name for path in out.iterdir()) == [
        "clipping.png", "clipping.wav", "original.wav",
    ]  # fmt: skip
    assert (out / "clipping.png").read_bytes().startswith(b"\x89PNG")
    heard, before = (soundfile.read(out / f"{name}.wav")[0] for name in ("clipping", "original"))
    assert np.abs(heard).max() == pytest.approx(np.abs(before).max() / 10 ** (12 / 20), rel=0.01)
    assert "cut 12 dB below its peak" in capsys.readouterr().out


def test_an_unknown_name_is_answered_with_the_known_ones(recording, tmp_path, capsys):
    assert run(str(recording), "--out", str(tmp_path / "out"), "--only", "echo") == 1
    said = capsys.readouterr().err
    assert "no augmentation is called 'echo'" in said and "reverb" in said


def test_what_is_no_recording_is_refused(tmp_path, capsys):
    (tmp_path / "bad.wav").write_text("no audio at all, not by far")
    assert run(str(tmp_path / "bad.wav"), "--out", str(tmp_path / "out")) == 1
    assert "bad.wav cannot be read" in capsys.readouterr().err


def test_the_documentation_shows_every_augmentation_and_lacks_no_picture():
    page = Path(__file__).parents[3] / "docs" / "augmentation.md"
    shown = re.findall(r"\]\(pictures/augment/(\w+)\.png\)", page.read_text())
    assert set(NAMES) <= set(shown)
    for name in shown:
        assert (page.parent / "pictures" / "augment" / f"{name}.png").exists()
