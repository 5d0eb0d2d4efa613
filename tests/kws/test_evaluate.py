"""A folder of recordings through a model: what counts as what, and what is told of the rest."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
import typer
from typer.testing import CliRunner

from kws import evaluate as evaluate_module
from kws.errors import KwsError
from kws.evaluate import bundle_folder, evaluate_folder
from kws.features.params import FeatureParams
from pipeline.cli.evaluate import evaluate as evaluate_command

LABELS = ["_silence_", "_unknown_", "yes", "no"]
LEVELS = {"_silence_": 0, "_unknown_": 1000, "yes": 2000, "no": 3000}
"""Recordings are constant tones of this level, from which the stand-in model knows their label."""


class LevelFrontend:
    params = FeatureParams()

    def compute_batch(self, audio: np.ndarray) -> np.ndarray:
        assert audio.shape[1:] == (16000,) and audio.dtype == np.int16
        levels = np.abs(audio.astype(np.int32)).max(axis=1).astype(np.uint16)
        return np.broadcast_to(levels[:, None, None], (len(audio), 49, 40))


class LevelModel:
    labels = LABELS
    feature_params = LevelFrontend.params

    def posteriors(self, features: np.ndarray) -> np.ndarray:
        return np.eye(4, dtype=np.float32)[np.rint(features[:, 0, 0] / 1000).astype(int)]


@pytest.fixture(autouse=True)
def _stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        evaluate_module.features, "create", lambda p: LevelFrontend(), raising=False
    )
    monkeypatch.setattr(evaluate_module, "_load_model", lambda folder: LevelModel())
    monkeypatch.setattr(evaluate_module, "BATCH_CLIPS", 3)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "bundles" / "7"
    folder.mkdir(parents=True)
    for name in ("model.tflite", "labels.txt", "frontend.json"):
        (folder / name).write_text("")
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    for name, level, seconds, rate in (
        ("yes/a.wav", "yes", 1.0, 16000),
        ("yes/b.flac", "yes", 1.0, 16000),
        ("yes/long.wav", "yes", 3.0, 16000),
        ("yes/short_8k.wav", "yes", 0.4, 8000),
        ("no/heard_as_yes.wav", "yes", 1.0, 16000),
        ("_silence_/quiet.wav", "_silence_", 1.0, 16000),
        ("_unknown_/some.wav", "_unknown_", 1.0, 16000),
        ("bed/word.wav", "_unknown_", 1.0, 16000),
        ("bed/heard_as_no.wav", "no", 1.0, 16000),
        ("_background_noise_/noise.wav", "no", 5.0, 16000),
    ):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        samples = np.full(int(seconds * rate), LEVELS[level], np.int16)
        soundfile.write(path, samples, rate)
    (root / "yes" / "text.wav").write_text("no recording at all\n")
    (root / "yes" / "empty.wav").write_bytes(b"")
    (root / "yes" / "odd.bin").write_bytes(b"\0\1")
    (root / "LICENSE").write_text("CC BY\n")
    (root / "validation_list.txt").write_text("yes/a.wav\nbed/word.wav\n")
    return root


def test_folders_are_the_truth_and_words_that_are_no_keyword_count_as_unknown(
    bundle: Path, data: Path
) -> None:
    report = evaluate_folder(bundle, data)
    assert report.matrix.counts.tolist() == [
        [1, 0, 0, 0],
        [0, 2, 0, 1],
        [0, 0, 4, 0],
        [0, 0, 1, 0],
    ]
    assert report.words_as_unknown == {"bed": 2}
    assert report.ignored_files == 1 and report.absent_labels == []


def test_what_cannot_be_used_is_listed_with_its_reason(bundle: Path, data: Path) -> None:
    unusable = evaluate_folder(bundle, data).unusable
    assert {name: reason.split(":")[0] for name, reason in unusable.items()} == {
        "yes/text.wav": "not_audio",
        "yes/empty.wav": "empty_file",
        "yes/odd.bin": "not_audio_name",
    }


def test_what_was_used_with_a_note_is_listed(bundle: Path, data: Path) -> None:
    sound = np.full(16000, LEVELS["no"], np.int16)
    soundfile.write(data / "no" / "balanced.wav", np.stack([sound, sound], 1), 16000)
    content = bytearray((data / "no" / "balanced.wav").read_bytes())
    content[40:44] = b"\xff\xff\xff\xff"
    (data / "no" / "balanced.wav").write_bytes(content)
    report = evaluate_folder(bundle, data)
    (note,) = report.to_dict()["notes"]["no/balanced.wav"]
    assert note.startswith("repaired_header: ")
    assert report.matrix.counts[3, 3] == 1
    app = typer.Typer()
    app.command()(evaluate_command)
    shown = CliRunner().invoke(app, [str(data), "--bundle", str(bundle)])
    assert "1 files were read with a note" in shown.stdout
    assert "no/balanced.wav: repaired_header" in shown.stdout


def test_a_list_narrows_the_clips_and_must_be_there(bundle: Path, data: Path) -> None:
    report = evaluate_folder(bundle, data, file_list=data / "validation_list.txt")
    assert report.matrix.total == 2 and report.absent_labels == ["_silence_", "no"]
    (data / "wrong.txt").write_text("yes/gone.wav\n")
    with pytest.raises(KwsError, match=r"'yes/gone\.wav', which is not in"):
        evaluate_folder(bundle, data, file_list=data / "wrong.txt")


def test_a_bundle_is_found_by_its_folder_or_by_latest(bundle: Path) -> None:
    assert bundle_folder(bundle) == bundle
    (bundle.parent / "LATEST").write_text("7\n")
    assert bundle_folder(bundle.parent) == bundle
    with pytest.raises(KwsError, match=r"is no bundle: model\.tflite, labels\.txt, frontend\.json"):
        bundle_folder(bundle.parents[1])


def test_a_folder_without_recordings_is_refused(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(KwsError, match="is no folder"):
        evaluate_folder(bundle, tmp_path / "nowhere")
    (tmp_path / "bare").mkdir()
    with pytest.raises(KwsError, match="holds no recordings of words"):
        evaluate_folder(bundle, tmp_path / "bare")


def test_the_command_prints_tables_or_json(bundle: Path, data: Path) -> None:
    app = typer.Typer()
    app.command()(evaluate_command)
    shown = CliRunner().invoke(app, [str(data), "--bundle", str(bundle)])
    assert shown.exit_code == 0 and "accuracy 77.8%" in shown.output
    assert "3 files could not be used" in shown.output
    plain = CliRunner().invoke(app, [str(data), "--bundle", str(bundle), "--json"])
    stored = json.loads(plain.output)
    assert stored["clips"] == 9 and stored["unusable_count"] == 3
    assert stored["per_class"][2]["precision"] == pytest.approx(4 / 5)
    missing = CliRunner().invoke(app, [str(data)])
    assert isinstance(missing.exception, KwsError) and "--bundle" in str(missing.exception)


def test_a_folder_that_looks_like_a_label_is_refused_and_one_in_another_form_is_the_label(
    bundle: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data / "yes").rename(data / "Yes ")
    with pytest.raises(KwsError, match=r"'Yes ' is not the keyword 'yes'.*did you mean 'yes'"):
        evaluate_folder(bundle, data)
    monkeypatch.setattr(LevelModel, "labels", ["_silence_", "_unknown_", "\u00f6ffnen", "no"])
    (data / "Yes ").rename(data / "o\u0308ffnen")
    (data / "list.txt").write_text("\u00f6ffnen/a.wav\no\u0308ffnen/b.flac\n")
    assert evaluate_folder(bundle, data).matrix.counts[2].tolist() == [0, 0, 4, 0]
    assert evaluate_folder(bundle, data, file_list=data / "list.txt").matrix.total == 2


def test_links_are_followed_litter_is_not_there_and_what_is_left_out_is_in_the_json(
    bundle: Path, data: Path, tmp_path: Path
) -> None:
    (data / "no").rename(tmp_path / "elsewhere")
    (data / "no").symlink_to(tmp_path / "elsewhere")
    (data / "bed" / "round").symlink_to(data)
    (data / "yes" / "._a.wav").write_bytes(b"\0\5\x16\7")
    (data / "Thumbs.db").touch()
    Path(os.fsdecode(os.fsencode(data) + b"/yes/caf\xe9.wav")).touch()
    report = evaluate_folder(bundle, data)
    assert report.matrix.counts[3].tolist() == [0, 0, 1, 0]
    stored = json.loads(json.dumps(report.to_dict(), ensure_ascii=False).encode())
    assert stored["unusable"]["bed/round/"].startswith("link_cycle")
    assert stored["unusable"]["yes/caf\\xe9.wav"].startswith("name_not_utf8")
    assert stored["hidden_files"] == 2


def test_a_label_that_loses_most_of_its_recordings_is_not_judged(bundle: Path, data: Path) -> None:
    for number in range(3):
        (data / "yes" / f"{number}.m4a").write_bytes(b"\0\0\0\x20ftypM4A cut off")
    with pytest.raises(KwsError, match=r"label 'yes' loses 5 of 9 files.*0\.m4a") as error:
        evaluate_folder(bundle, data)
    assert "ffmpeg" in (error.value.hint or "")
