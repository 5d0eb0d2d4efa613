"""Benchmarks of whole runs, and those that take up a finished one."""

import json
import re

import pytest
import soundfile
from PIL import Image

from benchmarks import detection_rules, startup
from tests.benchmarks.conftest import benchmark
from tests.e2e.conftest import PRESET


def test_a_pipeline_from_nothing_is_timed_and_its_model_described(finished):
    ran = finished.ran
    assert ran.status == 0, ran.message
    assert re.search(r"^pipeline: \d+ s from start to end, exit status [02]$", ran.text, re.M)
    assert re.search(r"^peak memory: \d+\.\d\d GiB$", ran.text, re.M)
    (trained,) = finished.folder.glob("artifacts/Trainer/model/*/Format-Serving/training.json")
    told = ran.line("training.json: ")
    assert f"'parameters': {json.loads(trained.read_text())['parameters']}" in told
    assert "int8_accuracy" in ran.line("conversion.json: ")


def test_a_pipeline_does_not_start_where_one_has_run(finished):
    ran = benchmark("pipeline", "--preset", PRESET, "--out", finished.folder.parent)
    assert ran.message == f"{finished.folder} exists: a benchmark starts from nothing"


def test_operating_points_are_chosen_drawn_and_confirmed_by_tflm(finished, tmp_path):
    picture = tmp_path / "det.png"
    ran = benchmark(
        "operating_points", finished.folder, "--targets", 60, 6, "--det", picture, "--tflm", 0.5
    )
    assert ran.status == 0, ran.text
    assert re.findall(r"^at most (\d+) /h on eval: ", ran.text, re.M) == ["60", "6"]
    assert Image.open(picture).format == "PNG"
    streams = finished.folder.glob("artifacts/AudioSynthesizer/streams/*/Split-test/*.wav")
    lengths_h = [soundfile.info(path).duration / 3600 for path in streams]
    hours, differ, values = re.search(
        r"Micro: ([\d.]+) h at \d+ x real time, (\d+) of ([\d,]+) posteriors differ", ran.text
    ).groups()
    assert min(lengths_h) - 0.005 <= float(hours) <= sum(lengths_h) + 0.005
    assert differ == "0" and int(values.replace(",", "")) > 0


def test_every_rule_of_detection_has_its_rows(finished):
    ran = benchmark("detection_rules", finished.folder, "--target", 60)
    assert ran.status == 0, ran.message
    _, *rows = ran.text.splitlines()
    # Each with the run's own smoothing and with several to choose from; `steps` smooths nothing.
    expected = [name for name in detection_rules.RULES for _ in range(1 + (name != "steps"))]
    assert [row[:28].strip() for row in rows] == expected
    for row in rows:
        missed, low, high = map(
            float, re.search(r"([\d.]+)% \( *([\d.]+)% to +([\d.]+)%\)", row).groups()
        )
        assert 0 <= low <= missed <= high <= 100


@pytest.mark.parametrize("name", ["operating_points", "detection_rules"])
def test_a_folder_that_is_not_a_run_is_refused_in_one_line(name, tmp_path):
    ran = benchmark(name, tmp_path)
    assert ran.status == 1
    assert ran.message == (
        f"error: {tmp_path}/artifacts/StreamingEvaluator/evaluation holds no output of a run "
        "(give the folder of a finished run)"
    )


def test_start_up_is_a_ratio_to_the_least_that_scoring_needs(finished):
    ran = benchmark("startup", "--bundle", finished.folder / "bundles", "--times", 1)
    table = {line[:32].strip(): line[32:].split() for line in ran.text.splitlines()[1:5]}
    assert list(table) == list(startup.commands("", finished.folder))
    seconds = {name: float(row[1]) for name, row in table.items()}
    assert table["python -c pass"][2] == "1.0"
    assert table["NumPy, soundfile, soxr, TFLite"][3] == "1.0"
    late = seconds["kws --help"] > 0.5 or seconds["kws detect, one second"] > 2
    assert ran.status == int(late)


def test_a_command_that_fails_ends_the_measurement_of_start_up(tmp_path):
    ran = benchmark("startup", "--bundle", tmp_path, "--times", 1)
    assert ran.message.startswith("error: kws detect, one second failed: ")


def test_the_pictures_of_the_documents_are_drawn_into_a_folder(tmp_path):
    ran = benchmark("detection_pictures", "--out", tmp_path / "pictures")
    names = ran.text.split()
    assert names == [str(tmp_path / "pictures" / f"{name}.png") for name in ("matching", "rules")]
    assert all(Image.open(name).width > 500 for name in names)
