"""Benchmarks of models with the weights that they begin with, and of training."""

import importlib.resources
import pickle
import re

import numpy as np
import pymicro_wakeword
import pytest
import soundfile

from benchmarks import parity, training_throughput
from kws.features.params import FeatureParams
from tests.benchmarks import stand_in
from tests.benchmarks.conftest import benchmark


def cells(line: str) -> list[str]:
    """Of a row of a Markdown table."""
    return [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]


def rows(text: str) -> list[list[str]]:
    """The rows of the only table, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [cells(line) for line in lines[2:]]


@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("micro, hop 20 ms", 5),
        ("ds_tc_resnet", 5),
    ],
)
def test_parity_has_a_row_for_each_place_and_all_are_exact_but_floats(name, places):
    ran = benchmark("parity", "--only", name)
    assert ran.status == 0, ran.message
    found = rows(ran.text)
    assert len(found) == places and all(row[0] == name for row in found)
    for _, place, compared, differ, most, said in found:
        assert int(compared.replace(",", "")) > 0 or "detections" in place
        assert (said, differ, float(most)) == ("exact", "0", 0) or place == "Keras, floats"
    if name.startswith("micro"):
        clip = FeatureParams().feature_shape
        assert found[0][2] == f"{8 * clip[0] * clip[1]:,}"  # eight clips


def test_parity_that_is_broken_is_named_and_fails(monkeypatch):
    through_files = parity.through_files

    def off_by_one(audio, params):
        beam, training = through_files(audio, params)
        training[0, 0, 0] += 1
        return beam, training

    monkeypatch.setattr(parity, "through_files", off_by_one)
    ran = benchmark("parity", "--only", "log_mel, hop 10 ms")
    assert ran.message == "said to be exact, and are not: log_mel, hop 10 ms: training"
    (broken,) = [row for row in rows(ran.text) if row[-1] == "NOT EXACT"]
    assert broken[1] == "training" and broken[3] == "1"


def test_a_stream_through_a_model_has_a_ratio_for_every_runtime():
    options = ("--only", "tiny_conv", "--seconds", 2, "--enough", 0.01)
    ran = benchmark("streaming_throughput", *options)
    ((name, stride, _, whole, *networks),) = rows(ran.text)
    assert (name, stride) == ("tiny_conv", "40 ms") and len(networks) == 5
    speed = float(re.match(r"\*\*([\d,]+) x\*\* of 300", whole)[1].replace(",", ""))
    assert ran.status == int(speed < 300)


def test_memory_of_longer_streams_is_what_the_system_says():
    ran = benchmark("streaming_throughput", "--memory", "--minutes", 0.1, 0.2)
    first, second = ran.text.splitlines()
    assert first.startswith("0.1 min: ") and first.endswith(" MiB at most, +0")
    assert second.startswith("0.2 min: ")


def test_a_model_of_ours_stands_beside_those_of_pymicro_wakeword():
    options = ("--only", "ds_tc_resnet", "--seconds", 1, "--enough", 0.01)
    theirs, ours = rows(benchmark("pymicro_wakeword", *options).text)
    shipped = importlib.resources.files(pymicro_wakeword) / "models" / "hey_jarvis.tflite"
    assert theirs[0] == "hey_jarvis" and ours[0] == "ds_tc_resnet"
    assert theirs[2] == f"{len(shipped.read_bytes()):,}"
    macs, per_second = (float(row.replace(",", "").split()[0]) for row in (ours[4], ours[5]))
    assert per_second == pytest.approx(macs / 1e6 / 0.04, abs=0.01)  # it runs every 40 ms
    assert theirs[5].endswith("(1.00)")


ROWS_OF_TRAINING = {
    "clips": "plain fit, MFCCs a clip at a time",
    "batches": "plain fit, MFCCs a batch at a time",
    "ours": "ours, features once",
}


def trained(*rows: str) -> None:
    """Runs the benchmark and checks what it prints."""
    ran = benchmark(
        "training_throughput", "--model", "tiny_conv", "--steps", 2, "--warm-up", 2,
        "--batch", 64, "--only", *rows,
    )  # fmt: skip
    assert ran.text.startswith("tiny_conv, inputs 49 x 10, 12 labels, batch 64")
    found = re.findall(r"^  (.+?) +[\d,]+ examples/s \(([\d.]+) x\)", ran.text, re.MULTILINE)
    assert [name for name, _ in found] == [ROWS_OF_TRAINING[row] for row in rows]
    assert float(found[0][1]) == 1
    assert ran.message.startswith("missed: ") == (float(found[-1][1]) < 1.5)


def test_training_is_measured_beside_a_plain_fit(monkeypatch):
    def in_this_process(row, task):
        measure, same = pickle.loads(pickle.dumps((training_throughput._measure, task)))
        return measure(row, same)

    # Processes of their own would each import TensorFlow.
    monkeypatch.setattr(training_throughput, "_in_own_process", in_this_process)
    trained("clips", "ours")


@pytest.mark.nightly
def test_training_is_measured_in_processes_of_their_own():
    trained(*ROWS_OF_TRAINING)


def test_the_speech_embedding_is_held_against_its_golden_vectors_and_judges_clips(tmp_path):
    clips = [stand_in.say("computer", speaker) for speaker in range(9)]
    rng = np.random.default_rng(0)
    for number, clip in enumerate(clips):
        soundfile.write(tmp_path / f"{number}.wav", clip, stand_in.RATE)
    speech = rng.normal(0, 2000, 33 * stand_in.RATE).astype(np.int16)
    (tmp_path / "stream").mkdir()
    soundfile.write(tmp_path / "stream" / "noise.wav", speech, stand_in.RATE)
    ran = benchmark(
        *("speech_embedding", "--seconds", 20, "--judge", tmp_path),
        *("--recordings", tmp_path / "stream", "--int8", tmp_path / "stream" / "noise.wav"),
    )
    assert ran.status == 0, ran.message
    assert float(re.search(r"largest difference (\S+)", ran.text)[1]) < 1e-4
    assert len(re.findall(r"x real time", ran.text)) == 2
    before, after = re.findall(r"int8, weights .*: (-?[\d.]+) dB, ([\d,]+) bytes", ran.text)
    assert float(after[0]) > float(before[0]) and before[1] == after[1]
    assert re.search(r"^as they are: \d of 9 dropped", ran.text, re.MULTILINE)
    assert "noise: 1 of 1 dropped" in ran.text and "silence: 1 of 1 dropped" in ran.text
