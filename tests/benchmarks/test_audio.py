"""Benchmarks of what is done with audio: ingestion, noisy copies, scenes, features, by Beam too."""

import contextlib
import re

import numpy as np
import pytest
import soundfile

from benchmarks import harness, ingestion, scale
from tests.benchmarks import stand_in
from tests.benchmarks.conftest import benchmark


def numbers(line: str) -> list[float]:
    """Those of a line, which come after its name."""
    return [float(n.replace(",", "")) for n in re.findall(r"(?<![\w.])\d[\d,]*\.?\d*", line)]


def test_features_are_measured_beside_the_frontend_and_pymicro_features():
    ran = benchmark("spectrogram_transform", "--clips", 8)
    component, alone = (ran.line(name) for name in ("component, files", "frontend alone"))
    assert ran.text.startswith("8 clips of 1 s, frontend micro")
    assert "(1.00 of the frontend alone)" in alone
    by_clock, by_processor, ratio = numbers(component)
    assert by_processor / numbers(alone)[1] == pytest.approx(ratio, abs=0.02)
    assert "pymicro-features (hop 10 ms), alone" in ran.text
    assert ran.status == int(by_clock < 150)


def test_every_augmentation_of_noisy_copies_has_a_row():
    ran = benchmark("noisy_copies", "--clips", 2, "--rooms", 1)
    rows = [line.strip() for line in ran.text.splitlines() if "by processor" in line]
    assert [row.split("  ")[0].partition(",")[0] for row in rows] == [
        "plain (the default)", "with tf.Example in and out", "pydub does the same",
        "augmented as in training", "speed", "tempo", "pitch", "reverb", "equalizer", "clipping",
        "mu_law", "opus", "everything", "everything",
    ]  # fmt: skip
    assert "1 rooms, once a process" in ran.text
    assert ran.status in (0, 1) and ran.message.startswith("missed: ") == bool(ran.status)


def test_scenes_and_streams_are_laid_and_so_are_those_of_the_component():
    ran = benchmark("scenes", "--scenes", 2, "--minutes", 0.2)
    assert re.search(r"^2 scenes of 10 s at 44.1 kHz, \d+ words", ran.text)
    assert re.search(r"^a stream of 0.2 min at 16 kHz, [1-9]\d* words", ran.text, re.MULTILINE)
    assert "4 scenes by AudioSynthesizer, files included" in ran.text
    assert len(re.findall(r"plain pydub +\d+ by the clock", ran.text)) == 2


def test_ingestion_counts_the_clips_of_a_folder(recordings):
    folder = recordings / "speech_commands"
    ran = benchmark("ingestion", folder, "--keywords", "yes", "no")
    words = [path for path in folder.glob("[!_]*/*.wav")]
    found, clips = re.match(r"(\d+) files, (\d+) clips, \{\} in quarantine", ran.text).groups()
    backgrounds = list((folder / "_background_noise_").glob("*.wav"))
    assert int(found) == len(words) + len(backgrounds)
    # Every word, and a tenth of the keywords' clips as silence, in each split rounded.
    assert len(words) < int(clips) <= len(words) + 6
    assert ran.status in (0, 1)


@pytest.mark.nightly
def test_memory_of_ingestion_is_measured_in_a_process_of_its_own():
    ran = benchmark("ingestion", "--memory", "--clips", 400, "--warm-up", 400)
    assert ran.status == 0, ran.message
    head, row = ran.text.splitlines()
    assert head == "clips      time   resident before   grown by   a clip"
    clips, _, before_mib, _, _ = numbers(row)
    assert clips == 400 and before_mib > 100  # TensorFlow is in it


@pytest.mark.parametrize(("each", "status"), [(2900, 0), (4000, 1)])
def test_memory_for_each_clip_more_is_held_against_its_target(monkeypatch, each, status):
    class InThisProcess(contextlib.nullcontext):
        def __enter__(self):
            return self

        def Pool(self, _):
            return self

        def apply(self, work, arguments):
            folder, _, count, _ = arguments
            assert len(list(folder.glob("*/*.wav"))) == count
            return 10**8, 10**8 + 10**6 + each * count, 1.0

    monkeypatch.setattr(ingestion.multiprocessing, "get_context", lambda _: InThisProcess())
    ran = benchmark("ingestion", "--memory", "--clips", 40, 10, 20)
    assert ran.text.splitlines()[-1] == f"{each} bytes for each clip beyond 20"
    assert ran.status == status and ran.message == ("missed: 3000 bytes a clip" if status else "")


def test_ingestion_without_a_folder_says_what_is_missing(capsys):
    assert benchmark("ingestion").status == 2
    assert "a FOLDER or --memory is needed" in capsys.readouterr().err


@pytest.mark.parametrize(
    "workers",
    # What the cluster writes in every step is compared in tests/components/test_distributed.py.
    [(0,), pytest.param((0, 1, 2), marks=pytest.mark.nightly)],
)
def test_every_engine_writes_the_same_examples(workers):
    steps = ("ingestion",) if 2 not in workers else scale.STEPS
    ran = benchmark("scale", "--clips", 96, 120, "--workers", *workers, "--steps", *steps)
    assert ran.status == 0, ran.message
    assert ran.text.splitlines()[-1] == "all engines wrote the same examples"
    assert ran.text.count("in this process") + ran.text.count("cluster, ") == len(workers)
    assert ran.line("audio:").endswith("bytes written for each clip ingested")


@pytest.mark.parametrize(("second", "message"), [(b"a", ""), (b"b", "other examples")])
def test_an_engine_that_writes_other_examples_is_found(monkeypatch, second, message):
    contents = iter((b"a", b"a", second, second))

    def run(engine, root, words, steps):
        (root / "audio").mkdir(parents=True)
        (root / "audio" / "examples").write_bytes(next(contents))
        return [harness.Seconds(len(list(words.glob("*/*.wav"))), 1.0)]

    monkeypatch.setattr(scale, "run", run)
    ran = benchmark("scale", "--clips", 2, 4, "--workers", 0, 0, "--steps", "ingestion")
    assert message in ran.message and bool(ran.status) == bool(message)
    # By the clock a second for each clip, so that speed is that of real time; see `run`.
    assert ran.text.count("0.00/1000.00   1 x") == 2


def test_noise_is_as_loud_as_it_is_asked_to_be_and_as_it_is_read(tmp_path):
    harness.write_noise(tmp_path / "a" / "noise.wav", 2.5, seed=1)
    audio, rate = soundfile.read(tmp_path / "a" / "noise.wav", dtype="int16")
    assert rate == stand_in.RATE and len(audio) == 2.5 * rate
    assert np.std(audio) == pytest.approx(2000, rel=0.02)
