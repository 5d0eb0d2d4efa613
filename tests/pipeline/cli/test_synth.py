"""`kws synth` on a small folder of tones: files that others can read."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from kws.scenes.ground_truth import GroundTruth
from pipeline.cli import main

RATE = 16000


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    """Two words by thirty speakers, noise, and a long recording without keywords."""
    folder = tmp_path_factory.mktemp("corpus")
    rng = np.random.default_rng(0)
    for hz, name in ((900, "on"), (1700, "tree")):
        for speaker in range(30):
            audio = rng.normal(0, 0.001, RATE)
            t = np.arange(6000) / RATE
            audio[4000:10000] += 0.3 * np.sin(2 * np.pi * (hz + speaker) * t)
            write(folder / name / f"s{speaker}_nohash_0.wav", audio)
    for name in ("a", "b", "c"):
        write(folder / "_background_noise_" / f"{name}.wav", rng.normal(0, 0.02, 5 * RATE))
    write(folder / "_negatives_" / "eval" / "talk.wav", rng.normal(0, 0.1, 12 * RATE))
    (folder / "on" / "broken_nohash_0.wav").write_bytes(b"RIFF")
    lists = [f"{word}/s{i}_nohash_0.wav" for word in ("on", "tree") for i in range(5)]
    (folder / "validation_list.txt").write_text("\n".join(lists))
    return folder


def write(path: Path, audio: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, audio, RATE, "PCM_16")


def synth(*arguments: str | Path) -> None:
    with pytest.raises(SystemExit) as status:
        main(["synth", *map(str, arguments), "--set", "keywords=[on]"])
    assert status.value.code == 0


def test_streams_have_their_labels_beside_them(corpus, tmp_path, capsys):
    arguments = ("stream", "--data", corpus, "--minutes", "1", "--count", "2")
    arguments += ("--negatives-every", "20", "--negatives-length", "5")
    synth(*arguments, "--out", tmp_path / "one")
    shown = capsys.readouterr().out
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == [
        f"stream-eval-0{i}{end}"
        for i in range(2)
        for end in (".json", ".wav", "_audacity.txt", "_labels.txt")
    ]
    truths = []
    for i in range(2):
        stem = tmp_path / "one" / f"stream-eval-0{i}"
        truth = GroundTruth.from_json(stem.with_suffix(".json").read_text())
        audio, rate = soundfile.read(stem.with_suffix(".wav"))
        assert rate == RATE and len(audio) // 16 == truth.duration_ms >= 60_000
        labels = Path(f"{stem}_labels.txt").read_text().splitlines()
        assert [re.fullmatch(r"(\w+), \d+\.\d{6}", line)[1] for line in labels] == [
            word.label for word in truth.words
        ]
        assert {word.word for word in truth.words} <= {"on", "tree"}
        truths.append(truth)
    # Speakers of eval alone; no clip in both streams, no negatives twice.
    said = [{word.clip_id for word in truth.words} for truth in truths]
    assert not said[0] & said[1]
    assert {word.speaker for truth in truths for word in truth.words} <= {f"s{i}" for i in range(5)}
    assert 1 <= sum(len(truth.negatives) for truth in truths) <= 3
    assert "sections without keywords" in shown

    synth(*arguments, "--out", tmp_path / "two")
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_scenes_have_their_label_vectors_and_one_picture(corpus, tmp_path, capsys):
    synth("scenes", "--preset", "quickstart", "--data", corpus, "--out", tmp_path, "--count", "4",
          "--set", "scenes={duration_ms: 4000, steps: 200, label_steps: 20}",
          "--set", "model=null", "--set", "features.frontend=log_mel")  # fmt: skip
    assert "4 scenes of 4 s at 16,000 Hz" in capsys.readouterr().out
    for i in range(4):
        stem = tmp_path / f"scene-train-0000{i}"
        audio, rate = soundfile.read(stem.with_suffix(".wav"))
        steps = np.load(stem.with_suffix(".npy"))
        truth = json.loads(stem.with_suffix(".json").read_text())
        assert (len(audio), rate, steps.shape) == (4 * RATE, RATE, (200,))
        ends = [word["end_ms"] for word in truth["words"] if word["label"] == "on"]
        assert steps.any() == any(end < 3900 for end in ends)
    (picture,) = tmp_path.glob("*.png")
    assert picture.read_bytes().startswith(b"\x89PNG") and picture.stat().st_size > 20_000


def test_an_unknown_split_is_refused(corpus, tmp_path, capsys):
    with pytest.raises(SystemExit) as status:
        main(["synth", "stream", "--data", str(corpus), "--out", str(tmp_path), "--split", "dev",
              "--set", "keywords=[on]"])  # fmt: skip
    assert status.value.code == 1
    assert "no split 'dev'" in capsys.readouterr().err
