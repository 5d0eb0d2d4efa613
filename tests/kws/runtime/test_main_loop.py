"""The main loop of a bundle, run: the model gets the frames, and the detector the outputs, that
`kws.detection.posteriors` gives them. Frontend and interpreter are replaced by such that say what
they were given: a frame of the frontend holds its own number."""

import subprocess
from pathlib import Path

import pytest

from kws.bundle import device_code
from kws.detection.params import DetectorParams
from kws.features.params import FeatureParams
from tests.kws.bundle.test_device_code import LABELS, SKETCH, STUBS

FRAMES = 120

HARNESS = """
#include <cstdio>
#include <cstdlib>
#include "frontend_params.h"
#include "model.h"
#include "tensorflow/lite/experimental/microfrontend/lib/frontend_util.h"
#include "tensorflow/lite/micro/micro_interpreter.h"

extern int RunKeywordSpotter();
const unsigned char g_kws_model[] = {0};

static int calls = 0;
void ReadMicrophone(int16_t*, size_t) {
  if (calls == FRAMES + 1) std::exit(0);
}
void OnKeyword(int, float) {}
void FrontendFillConfigWithDefaults(FrontendConfig*) {}
int FrontendPopulateState(const FrontendConfig*, FrontendState*, int) { return 1; }
FrontendOutput FrontendProcessSamples(FrontendState*, const int16_t*, size_t, size_t*) {
  static uint16_t values[KWS_CLIP_CHANNELS];
  for (uint16_t& value : values) value = static_cast<uint16_t>(calls - 1);
  return {values, calls++ == 0 ? 0u : KWS_CLIP_CHANNELS};  // at first the window is not full
}

static int8_t inputs[KWS_STEP_FRAMES * KWS_CLIP_CHANNELS];
static int8_t outputs[8];
static TfLiteTensor source, sink;
namespace tflite {
const Model* GetModel(const void*) { return nullptr; }
MicroAllocator* MicroAllocator::Create(uint8_t*, size_t) { return nullptr; }
MicroResourceVariables* MicroResourceVariables::Create(MicroAllocator*, int count) {
  std::printf("variables %d\\n", count);
  return nullptr;
}
template <>
TfLiteStatus MicroMutableOpResolver<1>::AddSoftmax() { return kTfLiteOk; }
MicroInterpreter::MicroInterpreter(const Model*, const MicroOpResolver&, MicroAllocator*,
                                   MicroResourceVariables*) {}
TfLiteStatus MicroInterpreter::AllocateTensors() { return kTfLiteOk; }
TfLiteStatus MicroInterpreter::Invoke() {
  std::printf("run");
  for (int frame = 0; frame < KWS_STEP_FRAMES; ++frame) {
    std::printf(" %d", inputs[frame * KWS_CLIP_CHANNELS] + 128);
  }
  std::printf("\\n");
  return kTfLiteOk;
}
TfLiteTensor* MicroInterpreter::input(size_t) { source.data.int8 = inputs; return &source; }
TfLiteTensor* MicroInterpreter::output(size_t) {
  std::printf("row\\n");
  sink.data.int8 = outputs;
  return &sink;
}
}  // namespace tflite
int main() { return RunKeywordSpotter(); }
"""


def said(folder: Path, step_frames: int, variables: int, warm_up: int, stride_ms: int) -> list[str]:
    """What the loop does with so many frames, a line each."""
    features, detector = FeatureParams(), DetectorParams(clip_stride_ms=stride_ms, minimum_count=1)
    scale = 10 / 256  # a frame's number n is the int8 n - 128
    for name, text in (
        ("model.h", device_code.model_header(b"TFL3", "a model")),
        ("ops_resolver.h", device_code.ops_resolver_header(["SOFTMAX"], "a model")),
        (
            "frontend_params.h",
            device_code.frontend_header(
                features, "a model", scale, -128, step_frames, variables, warm_up
            ),
        ),
        ("detector.h", device_code.detector_header(detector, LABELS, features, "a model")),
        ("arena.h", device_code.arena_header("a model", 16, 16, 48, 0.1)),
        ("main.cc", SKETCH.read_text()),
        ("harness.cc", HARNESS),
    ):
        (folder / name).write_text(text)
    subprocess.run(
        ["g++", "-std=c++11", f"-DFRAMES={FRAMES}", f"-I{folder}", f"-I{STUBS}",
         str(folder / "main.cc"), str(folder / "harness.cc"), "-o", str(folder / "spotter")],
        check=True,
    )  # fmt: skip
    done = subprocess.run([str(folder / "spotter")], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("stride_ms", [20, 60])
def test_a_windowed_model_hears_a_clip_at_every_stride(tmp_path: Path, stride_ms: int) -> None:
    lines = said(tmp_path, step_frames=49, variables=0, warm_up=0, stride_ms=stride_ms)
    starts = range(0, FRAMES - 49 + 1, stride_ms // 20)
    expected = [
        line
        for start in starts
        for line in ("run " + " ".join(map(str, range(start, start + 49))), "row")
    ]
    assert lines == expected


@pytest.mark.parametrize(("stride_ms", "warm_up"), [(60, 0), (60, 15), (180, 15)])
def test_a_streaming_model_hears_every_frame_once_and_rows_begin_when_it_is_warm(
    tmp_path: Path, stride_ms: int, warm_up: int
) -> None:
    lines = said(tmp_path, step_frames=3, variables=6, warm_up=warm_up, stride_ms=stride_ms)
    assert lines[0] == "variables 6"
    heeded = range(warm_up, FRAMES // 3, stride_ms // 60)
    expected = []
    for step in range(FRAMES // 3):
        expected.append(f"run {3 * step} {3 * step + 1} {3 * step + 2}")
        expected += ["row"] * (step in heeded)
    assert lines[1:] == expected
