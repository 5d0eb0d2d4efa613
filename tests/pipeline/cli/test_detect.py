"""`kws detect` as a user has it: clean JSON, a picture, a chime, and files that cannot be read."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from kws.bundle import publishing
from kws.bundle.contents import BundleContents
from kws.errors import KwsError
from pipeline.cli import app
from tests.kws.runtime.conftest import *  # noqa: F403  the fixtures `contents`, `trial`, ...
from tests.kws.runtime.conftest import sensitivities_at
from tests.kws.test_listen import RATE, _audio


@pytest.fixture
def options(contents: BundleContents, tmp_path: Path) -> list[str]:
    publishing.push(contents, tmp_path / "bundles")
    return ["--bundle", str(tmp_path / "bundles"), "--threshold", "0.3"]


def test_a_folder_is_heard_and_what_cannot_be_read_is_named(
    options: list[str], tmp_path: Path
) -> None:
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    soundfile.write(recordings / "a.wav", _audio(4), RATE)
    (recordings / "b.wav").write_bytes(b"RIFF")
    heard = CliRunner().invoke(app, ["detect", str(recordings), "--json", *options])
    good, bad = json.loads(heard.stdout)
    assert good["duration_ms"] == 4000 and good["detections"] and heard.exit_code == 1
    assert bad["file"].endswith("b.wav") and "b.wav" in bad["error"]
    printed = CliRunner().invoke(app, ["detect", str(recordings), *options])
    assert f"{len(good['detections'])} detections in 4.0 s of 1 recordings" in printed.output
    assert "b.wav" in printed.output and printed.exit_code == 1


@pytest.mark.parametrize("verb", ["detect", "listen", "stream-test", "demo"])
def test_every_verb_that_listens_names_the_sensitivities_of_the_bundle(
    contents: BundleContents, tmp_path: Path, verb: str
) -> None:
    named = sensitivities_at(low=0.9, medium=0.7, high=0.4)
    publishing.push(dataclasses.replace(contents, sensitivities=named), tmp_path)
    soundfile.write(tmp_path / "a.wav", _audio(4), RATE)
    (tmp_path / "a.txt").write_text("")
    wav, txt = str(tmp_path / "a.wav"), str(tmp_path / "a.txt")
    of = {"detect": [wav], "listen": ["-"], "stream-test": [wav, txt], "demo": []}[verb]
    options = ["--bundle", str(tmp_path), "--sensitivity", "loud"]
    told = CliRunner().invoke(app, [verb, *of, *options], input=b"")
    assert isinstance(told.exception, KwsError)
    assert "one of low, medium, high" in f"{told.exception} {told.exception.hint}"


NAMES = ["clip [final].wav", "[red]x.wav", "a\x1b[2Jb.wav", "a$b$c.wav", "x\ny.wav"]


def test_names_are_shown_whole_whatever_is_in_them(options: list[str], tmp_path: Path) -> None:
    recordings = tmp_path / "in"
    recordings.mkdir()
    for name in NAMES:
        soundfile.write(recordings / name, _audio(4), RATE)
    printed = CliRunner().invoke(
        app, ["detect", str(recordings), *options], env={"COLUMNS": "300"}, catch_exceptions=False
    )
    assert printed.exit_code == 0
    for shown in ("clip [final].wav", "[red]x.wav", "a\\x1b[2Jb.wav", "a$b$c.wav", "x\\ny.wav"):
        assert f"in/{shown} " in printed.output
    assert "\x1b" not in printed.output
    heard = json.loads(
        CliRunner().invoke(app, ["detect", str(recordings), "--json", *options]).stdout
    )
    assert {Path(one["file"]).name for one in heard} == set(NAMES)
    for name in ("a$b$c.wav", "a$b_{^c$.wav"):
        soundfile.write(tmp_path / name, _audio(4), RATE)
        picture = ["--picture", str(tmp_path / "a.png")]
        drawn = CliRunner().invoke(app, ["detect", str(tmp_path / name), *picture, *options])
        assert drawn.exit_code == 0, drawn.output


def test_a_picture_and_a_chime_are_written_where_they_are_asked_for(
    options: list[str], tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "a.wav", _audio(4), RATE)
    picture, chime = tmp_path / "new" / "a.png", tmp_path / "new" / "chime.wav"
    arguments = ["--picture", str(picture), "--chime", str(chime), *options]
    result = CliRunner().invoke(app, ["detect", str(tmp_path / "a.wav"), *arguments])
    assert result.exit_code == 0, result.output
    assert picture.read_bytes().startswith(b"\x89PNG")
    with_chime, rate = soundfile.read(chime, dtype="int16")
    assert rate == RATE and not np.array_equal(with_chime[: 4 * RATE], _audio(4))


def test_a_cold_start_waits_for_no_heavy_library(options: list[str], tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", _audio(1), RATE)
    code = (
        "import sys; from pipeline.cli import common, app\n"
        "assert common.run(app, sys.argv[1:]) == 0\n"
        "print({'tensorflow', 'tfx', 'apache_beam', 'matplotlib', 'pandas'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", code, "detect", str(tmp_path / "a.wav"), *options]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed.splitlines()[-1] == "set()"


def test_the_folder_is_heard_as_every_command_lists_it_and_the_rest_is_named(
    options: list[str], tmp_path: Path
) -> None:
    recordings = tmp_path / "recordings"
    (recordings / ".Trashes").mkdir(parents=True)
    (tmp_path / "day").mkdir()
    soundfile.write(tmp_path / "day" / "a.wav", _audio(1), RATE)
    soundfile.write(recordings / ".Trashes" / "old.wav", _audio(1), RATE)
    (recordings / "linked").symlink_to(tmp_path / "day")
    (recordings / "._a.wav").write_bytes(b"\0\5\x16\7")
    (recordings / "notes.doc").touch()
    Path(os.fsdecode(os.fsencode(recordings) + b"/caf\xe9.wav")).touch()
    heard = CliRunner().invoke(app, ["detect", str(recordings), "--json", *options])
    rows = {row["file"].removeprefix(f"{recordings}/"): row for row in json.loads(heard.stdout)}
    assert set(rows) == {"linked/a.wav", "notes.doc", "caf\\xe9.wav"}
    assert rows["linked/a.wav"]["duration_ms"] == 1000
    assert rows["notes.doc"]["left_out"] == "not_audio_name: suffix .doc"
    assert rows["caf\\xe9.wav"]["left_out"].startswith("name_not_utf8") and heard.exit_code == 0
    printed = CliRunner().invoke(app, ["detect", str(recordings), *options])
    assert "Left out: 2" in printed.output and "caf\\xe9.wav: name_not_utf8" in printed.output


def test_a_folder_of_which_most_cannot_be_read_ends_with_the_reasons(
    options: list[str], tmp_path: Path
) -> None:
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    soundfile.write(recordings / "a.wav", _audio(1), RATE)
    (recordings / "hours.m4a").write_bytes(b"\0\0\0\x20ftypM4A " + bytes(600_000))
    done = CliRunner().invoke(app, ["detect", str(recordings), "--json", *options])
    assert len(json.loads(done.stdout)) == 2
    assert isinstance(done.exception, KwsError)
    assert "minutes, at most 50% may be lost" in str(done.exception)
    assert "hours.m4a" in str(done.exception) and "ffmpeg" in str(done.exception)
