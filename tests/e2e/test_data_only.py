"""A preset without a model ends with data and features: the trigger-word assignment's scenes."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile
import tensorflow as tf

from kws.features import files
from kws.scenes import example

RATE = 16000


def recordings(folder: Path) -> Path:
    """Tones for two words by thirty speakers, noise; at 16 kHz, as many recordings are."""
    rng = np.random.default_rng(0)
    for hz, name in ((900, "activate"), (1700, "tree")):
        (folder / name).mkdir(parents=True)
        for speaker in range(30):
            audio = rng.normal(0, 0.001, RATE)
            t = np.arange(6000) / RATE
            audio[4000:10000] += 0.3 * np.sin(2 * np.pi * (hz + 3 * speaker) * t)
            soundfile.write(folder / name / f"s{speaker}_nohash_0.wav", audio, RATE, "PCM_16")
    (folder / "_background_noise_").mkdir()
    for name in ("a", "b", "c"):
        noise = rng.normal(0, 0.02, 12 * RATE)
        soundfile.write(folder / "_background_noise_" / f"{name}.wav", noise, RATE, "PCM_16")
    for split, speakers in (("validation", range(5)), ("testing", range(5, 10))):
        names = [f"{word}/s{i}_nohash_0.wav" for word in ("activate", "tree") for i in speakers]
        (folder / f"{split}_list.txt").write_text("\n".join(names))
    return folder


def test_without_a_model_the_trigger_word_preset_makes_the_assignments_data_set(tmp_path):
    command = [
        str(Path(sys.executable).parent / "kws"), "run", "--preset", "trigger_word",
        "--data", str(recordings(tmp_path / "data")), "--out", str(tmp_path / "runs"),
        "--set", "scenes.scenes=[5, 2, 2]", "--set", "features.decibel_floor=null",
        "--set", "model=null",
    ]  # fmt: skip
    environment = {**os.environ, "KWS_CACHE": str(tmp_path / "cache"), "COLUMNS": "200"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Data and features only" in result.stdout and "PUSHED" not in result.stdout
    assert "Features: spectrogram, 5,511 frames of 101 from 10 s at 44,100 Hz" in result.stdout
    assert re.search(r"scenes\s+│\s+5\s+│\s+2\s+│\s+2", result.stdout)
    assert "Trainer" not in result.stdout

    place = re.search(r"transformed_examples\s+(\S+)", result.stdout)[1]
    params = files.read(place)
    assert params.feature_shape == (5511, 101)
    shards = [str(path) for path in Path(place).glob("Split-train/*.gz")]
    found = [
        example.decode_features(record.numpy(), params.feature_shape, np.dtype(np.float32))
        for record in tf.data.TFRecordDataset(shards, "GZIP")
    ]
    assert len(found) == 5
    for item in found:
        assert item.features.min() >= 0 and item.features.any()
        assert item.steps.shape == (1375,)
        keywords = [word for word in item.truth.words if word.label == "activate"]
        assert bool(item.steps.any()) == any(word.end_ms < 9990 for word in keywords)
    assert any(item.steps.any() for item in found)
