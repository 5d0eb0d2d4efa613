"""The C++ detector of a bundle, compiled and run: it fires where the evaluation's detector does."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from kws.bundle.device_code import detector_header
from kws.detection.detector import Detector, detect
from kws.detection.params import DetectorParams
from kws.features.params import FeatureParams
from tests.kws.runtime.conftest import sensitivities_at

LABELS = ["_silence_", "_unknown_", "yes", "no", "tree"]
STRIDE_MS = 40
SCALE, ZERO_POINT = 1 / 256, -128
PROGRAM = """
#include <cstdio>
#include "detector.h"
// Reads rows of outputs from stdin; prints the row, the label and the score of each detection.
int main() {
  KwsDetector detector;
  int8_t outputs[KWS_LABEL_COUNT];
  for (int row = 0; fread(outputs, 1, KWS_LABEL_COUNT, stdin) == KWS_LABEL_COUNT; ++row) {
    float score = 0;
    const int keyword = detector.Step(outputs, ZERO_POINT, 1.0f / 256, &score);
    if (keyword >= 0) printf("%d %s %.9g\\n", row, kKwsLabels[keyword], score);
  }
  return 0;
}
"""
SETTINGS = [
    DetectorParams(),
    DetectorParams(rearm=True, suppression_ms=0, detection_threshold=0.3),
    DetectorParams(suppression_ms=100, detection_threshold=0.25, minimum_count=1),
    DetectorParams(average_window_ms=290, suppression_ms=410, detection_threshold=0.5),
    DetectorParams(rule="sliding_mean", detection_threshold=0.4),
    DetectorParams(rule="sliding_mean", suppression_ms=0, detection_threshold=0.25),
    DetectorParams(rule="consecutive", detection_threshold=0.5),
    DetectorParams(rule="consecutive", minimum_count=1, suppression_ms=0, detection_threshold=0.25),
    DetectorParams(rule="consecutive", minimum_count=5, suppression_ms=90, detection_threshold=0.3),
    DetectorParams(rule="steps", detection_threshold=0.5),
    DetectorParams(rule="steps", steps_between=3, detection_threshold=0.25),
]


def outputs(rng: np.random.Generator, rows: int) -> np.ndarray:
    """int8 `[rows, labels]` as of a softmax: words that hold for a while, and equal ones."""
    loud = np.repeat(rng.choice([0.0, 2.0, 4.0, 8.0], (rows, len(LABELS))), 7, axis=0)[:rows]
    powers = np.exp(loud + rng.normal(0, 0.3, loud.shape) * (loud > 0))
    share = powers / powers.sum(axis=1, keepdims=True)
    return np.clip(np.rint(share / SCALE) + ZERO_POINT, -128, 127).astype(np.int8)


def build(folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """Compiles the program against `detector.h` of the folder."""
    (folder / "run.cc").write_text(PROGRAM)
    command = ["g++", "-std=c++11", "-O1", "-Wall", "-Wextra", "-Werror"]
    command += [f"-DZERO_POINT={ZERO_POINT}", *flags, "run.cc", "-o", "run"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


needs_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not installed")


@needs_compiler
@pytest.mark.parametrize("params", SETTINGS, ids=lambda p: f"{p.rule}-{p.detection_threshold:g}")
def test_a_compiled_detector_fires_where_both_of_pythons_forms_do(tmp_path, params):
    (tmp_path / "detector.h").write_text(
        detector_header(params, LABELS, FeatureParams(), "a model")
    )
    assert build(tmp_path).returncode == 0
    rows = outputs(np.random.default_rng(5), 20_000)
    run = subprocess.run([tmp_path / "run"], input=rows.tobytes(), capture_output=True, check=True)
    compiled = [line.split() for line in run.stdout.decode().splitlines()]

    posteriors = (rows.astype(np.float32) - ZERO_POINT) * np.float32(SCALE)
    times = STRIDE_MS * np.arange(len(rows))
    whole = detect(times, posteriors, params, LABELS)
    by_row = Detector(params, LABELS)
    assert [one for t, p in zip(times, posteriors, strict=True) if (one := by_row.step(t, p))] == (
        whole
    )
    assert len(whole) > 100
    assert [(int(row), label) for row, label, _ in compiled] == [
        (one.end_ms // STRIDE_MS, one.label) for one in whole
    ]
    heard = [np.float32(score) for *_, score in compiled]
    assert heard == [np.float32(one.score) for one in whole]


@needs_compiler
def test_a_macro_chooses_the_sensitivity_and_without_it_the_default_holds(tmp_path):
    thresholds = {"low": 0.75, "medium": 0.5, "high": 0.25}
    named = sensitivities_at(**thresholds)
    params = DetectorParams(rule="consecutive", minimum_count=2, detection_threshold=0.5)
    text = detector_header(params, LABELS, FeatureParams(), "a model", named)
    (tmp_path / "detector.h").write_text(text)
    rows = outputs(np.random.default_rng(6), 4_000)
    posteriors = (rows.astype(np.float32) - ZERO_POINT) * np.float32(SCALE)
    counts = set()
    for name, chosen in [("medium", None), *((name, name) for name in thresholds)]:
        flags = [] if chosen is None else [f"-DKWS_SENSITIVITY=KWS_SENSITIVITY_{chosen.upper()}"]
        assert build(tmp_path, *flags).returncode == 0
        run = subprocess.run([tmp_path / "run"], input=rows.tobytes(), capture_output=True)
        at = params.model_copy(update={"detection_threshold": thresholds[name]})
        times = STRIDE_MS * np.arange(len(rows))
        expected = [one.end_ms // STRIDE_MS for one in detect(times, posteriors, at, LABELS)]
        assert [int(line.split()[0]) for line in run.stdout.decode().splitlines()] == expected
        counts.add(len(expected))
    assert len(counts) == 3
    wrong = build(tmp_path, "-DKWS_SENSITIVITY=KWS_SENSITIVITY_LOUD")
    assert wrong.returncode
    assert re.search("KWS_SENSITIVITY is one of KWS_SENSITIVITY_LOW, KWS_SENS", wrong.stderr)
