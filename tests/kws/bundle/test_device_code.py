"""The C and C++ files of a bundle: they compile, and say the numbers that the model was given."""

import re
import subprocess
from pathlib import Path

import pytest

import kws.bundle
from kws.bundle import device_code, publishing
from kws.detection.params import DetectorParams
from kws.errors import KwsError
from kws.export.params import TFLM_OPERATORS
from kws.features.params import FeatureParams

STUBS = Path(__file__).parent / "device_stubs"
SKETCH = Path(kws.bundle.__file__).parent / "data" / "main.cc"
LABELS = ["_silence_", "_unknown_", "ok", 'say "oui" ça?']


def compile_only(source: Path, *options: str) -> None:
    done = subprocess.run(
        ["g++", "-fsyntax-only", "-std=c++11", "-Wall", "-Wextra", "-Werror", *options,
         f"-I{source.parent}", f"-I{STUBS}", str(source)],
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def write_headers(folder: Path, step_frames: int) -> None:
    features = FeatureParams()
    for name, text in (
        ("model.h", device_code.model_header(b"TFL3", "a model")),
        ("ops_resolver.h", device_code.ops_resolver_header(TFLM_OPERATORS, "a model")),
        (
            "frontend_params.h",
            device_code.frontend_header(features, "a model", 0.1, -128, step_frames),
        ),
        ("detector.h", device_code.detector_header(DetectorParams(), LABELS, features, "a model")),
        ("arena.h", device_code.arena_header("a model", 30_000, 9_000, 42_900, 0.1)),
        ("main.cc", SKETCH.read_text()),
    ):
        (folder / name).write_text(text)


@pytest.mark.parametrize("step_frames", [49, 3], ids=["windowed", "streaming"])
def test_the_main_loop_compiles_with_the_headers_of_a_bundle(tmp_path, step_frames):
    write_headers(tmp_path, step_frames)
    compile_only(tmp_path / "main.cc")


def test_a_pushed_bundle_compiles_as_it_lies(contents, tmp_path):
    folder = publishing.push(contents, tmp_path)
    compile_only(folder / "main.cc")
    compile_only(folder / "model.cc")
    assert (
        f"kKwsOperatorCount = {len(contents.micro.operators)};"
        in (folder / "ops_resolver.h").read_text()
    )


def test_the_headers_hold_the_numbers_that_were_measured_with(tmp_path):
    write_headers(tmp_path, 49)
    (tmp_path / "check.cc").write_text(
        """
#include "arena.h"
#include "detector.h"
#include "frontend_params.h"
static_assert(KWS_SAMPLE_RATE == 16000 && KWS_STRIDE_SAMPLES == 320, "");
static_assert(KWS_WINDOW_SAMPLES == 480 && KWS_CLIP_FRAMES == 49, "");
static_assert(KWS_MIN_SIGNAL_REMAINING == 0.05f && KWS_PCAN_OFFSET == 80.0f, "");
static_assert(KWS_FEATURE_SCALE == 10.0f / 256 && KWS_INPUT_ZERO_POINT == -128, "");
static_assert(KWS_RUN_EVERY_FRAMES == 2 && KWS_AVERAGE_ROWS == 8, "");
static_assert(KWS_DETECTION_THRESHOLD == 0.7 && KWS_ARENA_BYTES == 42900, "");
static_assert(KWS_LABEL_COUNT == 4 && KWS_FIRST_KEYWORD == 2, "");
const char* first() { return kKwsLabels[0]; }
"""
    )
    compile_only(tmp_path / "check.cc")
    assert r"say \042oui\042 \303\247a\077" in (tmp_path / "detector.h").read_text()


def test_the_resolver_registers_just_the_operators_of_the_model():
    text = device_code.ops_resolver_header(["SOFTMAX", "CONV_2D"], "a model")
    assert "MicroMutableOpResolver<kKwsOperatorCount>" in text
    assert "kKwsOperatorCount = 2;" in text
    assert re.findall(r"resolver\.(Add\w+)\(\)", text) == ["AddConv2D", "AddSoftmax"]


def test_an_operator_that_is_not_builtin_is_refused():
    with pytest.raises(KwsError, match="CUSTOM:Magic"):
        device_code.ops_resolver_header(["CUSTOM:Magic"], "a model")
