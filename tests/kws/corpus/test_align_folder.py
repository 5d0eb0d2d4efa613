"""A folder is aligned as a whole or not at all, and what was done can be read."""

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile

from kws.audio.align import Aligned, align
from kws.corpus.align_folder import align_folder
from kws.errors import KwsError

RATE_HZ = 16000


def burst(seconds: float, start_s: float, length_s: float = 0.4) -> np.ndarray:
    """Noise of -20 dBFS in noise of -80 dBFS: float64."""
    rng = np.random.default_rng(0)
    audio = 1e-4 * rng.standard_normal(round(seconds * RATE_HZ))
    first = round(start_s * RATE_HZ)
    audio[first : first + round(length_s * RATE_HZ)] *= 1000
    return audio


@pytest.fixture
def folder(tmp_path) -> Path:
    root = tmp_path / "in"
    for name, audio in {
        "word/a.wav": burst(3, 1.5),
        "word/b.flac": burst(0.6, 0.1),
        "word/b.wav": burst(2, 0.2),
        "two.wav": burst(3, 0.2) + burst(3, 2.4),
        "edge.wav": burst(2, 0.6, 1.2),
        "_background_noise_/rain.wav": burst(4, 0, 4),
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(root / name, audio, RATE_HZ, subtype="PCM_16")
    (root / "bad.wav").write_text("no sound")
    (root / "README.md").write_text("a folder")
    return root


def rows_by_path(rows: list[Aligned]) -> dict[str, Aligned]:
    return {row.path: row for row in rows}


def test_every_recording_becomes_the_clip_that_ingestion_would_cut(folder, tmp_path):
    rows = rows_by_path(align_folder(folder, tmp_path / "out"))
    assert {path: row.clip for path, row in rows.items()} == {
        "bad.wav": "",
        "edge.wav": "edge.wav",
        "two.wav": "two.wav",
        "word/a.wav": "word/a.wav",
        "word/b.flac": "word/b.flac.wav",
        "word/b.wav": "word/b.wav",
    }
    for row in rows.values():
        if not row.reason:
            clip, rate = soundfile.read(tmp_path / "out" / row.clip, dtype="int16")
            original, _ = soundfile.read(folder / row.path, dtype="int16")
            assert rate == RATE_HZ
            np.testing.assert_array_equal(clip, align(original, RATE_HZ, RATE_HZ))
    assert rows["word/a.wav"].start_ms == pytest.approx(1200, abs=10)
    assert rows["word/b.flac"].start_ms == -200
    assert rows["bad.wav"].reason == "not_audio"


def test_figures_show_what_to_listen_to(folder, tmp_path):
    rows = rows_by_path(align_folder(folder, tmp_path / "out"))
    fine = rows["word/a.wav"]
    assert fine.doubts == [] and fine.outside_share < 0.01 and fine.edge_db < -50
    # 0.4 s at -20 dBFS, in 3 s and in 1 s.
    assert fine.level_before_dbfs == pytest.approx(-20 + 10 * np.log10(0.4 / 3), abs=0.2)
    assert fine.level_after_dbfs == pytest.approx(-20 + 10 * np.log10(0.4), abs=0.2)
    assert rows["two.wav"].outside_share == pytest.approx(0.5, abs=0.02)
    assert "% of the energy outside" in rows["two.wav"].doubts[0]
    assert rows["edge.wav"].edge_db > -3 and "loud at the edge" in rows["edge.wav"].doubts[0]
    assert max(rows.values(), key=lambda row: row.doubt).path == "edge.wav"


def test_the_table_has_a_line_a_recording_and_no_figures_of_the_skipped(folder, tmp_path):
    rows = align_folder(folder, tmp_path / "out")
    with (tmp_path / "out" / "align.csv").open() as file:
        table = list(csv.DictReader(file))
    assert [line["path"] for line in table] == [row.path for row in rows]
    assert table[0]["reason"] == "not_audio" and table[0]["original_ms"] == ""
    assert float(table[1]["original_ms"]) == 2000 and table[1]["reason"] == ""


def test_a_folder_that_is_not_free_is_left_alone(folder, tmp_path):
    out = tmp_path / "out"
    align_folder(folder, out)
    with pytest.raises(KwsError, match="is not empty"):
        align_folder(folder, out)
    (out / "edge.wav").unlink()
    align_folder(folder, out, force=True)
    assert (out / "edge.wav").exists()
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").touch()
    with pytest.raises(KwsError, match="`kws align` did not write"):
        align_folder(folder, mine, force=True)
    for place in (folder, folder / "word", tmp_path):
        with pytest.raises(KwsError, match="not apart"):
            align_folder(folder, place, force=True)
    assert (mine / "thesis.txt").exists() and (folder / "two.wav").exists()


def test_a_failure_leaves_what_was_there(folder, tmp_path):
    out = tmp_path / "out"
    align_folder(folder, out)

    def fail(rows, written):
        assert (written / "align.csv").exists()
        raise RuntimeError("no disk")

    with pytest.raises(RuntimeError, match="no disk"):
        align_folder(folder, out, force=True, finish=fail)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]
    assert (out / "edge.wav").exists()


def test_nothing_to_read_and_nothing_usable_are_errors(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(KwsError, match="no recordings"):
        align_folder(tmp_path / "empty", tmp_path / "out")
    (tmp_path / "empty" / "x.wav").touch()
    with pytest.raises(KwsError, match=r"empty has no usable audio: empty_file 1 \(x\.wav: "):
        align_folder(tmp_path / "empty", tmp_path / "out")
    assert not (tmp_path / "out").exists()
