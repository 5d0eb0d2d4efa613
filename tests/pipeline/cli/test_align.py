"""`kws align` writes clips, a table and pictures, and says what it skipped."""

import numpy as np
import pytest
import soundfile

from pipeline.cli import main

RATE_HZ = 16000


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "in"
    root.mkdir()
    rng = np.random.default_rng(0)
    for number in range(30):
        audio = 0.001 * rng.standard_normal(2 * RATE_HZ)
        audio[8000 + 500 * number :][:6000] *= 100
        soundfile.write(root / f"{number:02d}.wav", audio[: 8000 if number == 3 else None], RATE_HZ)
    (root / "bad.wav").touch()
    return root


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(["align", *arguments])
    return int(stop.value.code or 0)


def test_it_writes_clips_and_pictures_and_names_what_it_skipped(folder, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(str(folder), "--out", str(out), "--all-plots") == 0
    said = capsys.readouterr().out
    assert "30 clips of 1000 ms" in said and "29 cut, 1 padded" in said
    assert "Skipped 1:" in said and "bad.wav: empty_file" in said
    assert len(list(out.glob("*.wav"))) == 30 and (out / "align.csv").exists()
    for page, lines in (("align-01.png", 6), ("align-02.png", 2)):
        picture = out / page
        assert picture.read_bytes().startswith(b"\x89PNG")
        height = int.from_bytes(picture.read_bytes()[20:24], "big")
        assert height == pytest.approx(125 + 175 * lines, abs=1)


def test_pictures_can_be_left_out_and_folders_are_not_overwritten(folder, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = (str(folder), "--out", str(out), "--no-plot", "--clip-duration-ms", "500")
    assert run(*arguments) == 0
    assert not list(out.glob("*.png"))
    assert soundfile.info(out / "00.wav").frames == 8000
    assert run(*arguments) == 1
    assert "is not empty" in capsys.readouterr().err
    assert run(*arguments, "--force") == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]
