// The main loop of a keyword spotter on TensorFlow Lite Micro, to start from.
//
// All numbers come from the headers beside this file, which belong to one model: copy the folder
// as a whole. Give it two functions: one that waits for microphone samples, one that is told of a
// keyword. Needs tflite-micro with the micro frontend (tensorflow/lite/experimental/microfrontend).

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "arena.h"
#include "detector.h"
#include "frontend_params.h"
#include "model.h"
#include "ops_resolver.h"
#include "tensorflow/lite/experimental/microfrontend/lib/frontend.h"
#include "tensorflow/lite/experimental/microfrontend/lib/frontend_util.h"
#include "tensorflow/lite/micro/micro_allocator.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_resource_variable.h"
#include "tensorflow/lite/schema/schema_generated.h"

// Fills `samples` with the next 16-bit mono samples at KWS_SAMPLE_RATE; blocks until it has.
extern void ReadMicrophone(int16_t* samples, size_t count);
// Called once for each detection; `keyword` is an index into kKwsLabels.
extern void OnKeyword(int keyword, float score);

namespace {

alignas(16) uint8_t arena[KWS_ARENA_BYTES];

// A streaming model hears every frame once, a step of them at a time; a windowed one hears the last
// clip again and again.
constexpr bool kStreaming = KWS_MODEL_VARIABLES > 0;
constexpr int kRunEveryFrames = kStreaming ? KWS_STEP_FRAMES : KWS_RUN_EVERY_FRAMES;
// Of a streaming model's outputs the detector is given one in so many.
constexpr int kRunsPerRow = kStreaming ? KWS_RUN_EVERY_FRAMES / KWS_STEP_FRAMES : 1;

int8_t Quantize(uint16_t feature) {
  const float steps = feature * KWS_FEATURE_SCALE / KWS_INPUT_SCALE;
  const int value = static_cast<int>(std::round(steps)) + KWS_INPUT_ZERO_POINT;
  return static_cast<int8_t>(value < -128 ? -128 : value > 127 ? 127 : value);
}

bool ConfigureFrontend(FrontendState* state) {
  FrontendConfig config;
  FrontendFillConfigWithDefaults(&config);
  config.window.size_ms = KWS_WINDOW_SIZE_MS;
  config.window.step_size_ms = KWS_WINDOW_STRIDE_MS;
  config.filterbank.num_channels = KWS_FEATURE_BIN_COUNT;
  config.filterbank.lower_band_limit = KWS_LOWER_BAND_LIMIT_HZ;
  config.filterbank.upper_band_limit = KWS_UPPER_BAND_LIMIT_HZ;
  config.noise_reduction.smoothing_bits = KWS_SMOOTHING_BITS;
  config.noise_reduction.even_smoothing = KWS_EVEN_SMOOTHING;
  config.noise_reduction.odd_smoothing = KWS_ODD_SMOOTHING;
  config.noise_reduction.min_signal_remaining = KWS_MIN_SIGNAL_REMAINING;
  config.pcan_gain_control.enable_pcan = KWS_ENABLE_PCAN;
  config.pcan_gain_control.strength = KWS_PCAN_STRENGTH;
  config.pcan_gain_control.offset = KWS_PCAN_OFFSET;
  config.pcan_gain_control.gain_bits = KWS_GAIN_BITS;
  config.log_scale.enable_log = KWS_ENABLE_LOG;
  config.log_scale.scale_shift = KWS_SCALE_SHIFT;
  return FrontendPopulateState(&config, state, KWS_SAMPLE_RATE) != 0;
}

}  // namespace

// Returns only if something cannot be set up.
int RunKeywordSpotter() {
  FrontendState frontend;
  if (!ConfigureFrontend(&frontend)) return 1;
  KwsOpResolver resolver;
  if (AddKwsOperators(resolver) != kTfLiteOk) return 2;
  tflite::MicroAllocator* allocator = tflite::MicroAllocator::Create(arena, sizeof(arena));
  tflite::MicroResourceVariables* state =
      kStreaming ? tflite::MicroResourceVariables::Create(allocator, KWS_MODEL_VARIABLES) : nullptr;
  tflite::MicroInterpreter interpreter(tflite::GetModel(g_kws_model), resolver, allocator, state);
  if (interpreter.AllocateTensors() != kTfLiteOk) return 3;
  TfLiteTensor* input = interpreter.input(0);
  KwsDetector detector;
  // The newest frames, oldest first: a clip's worth, or what one step of a streaming model takes.
  static int8_t frames[KWS_STEP_FRAMES][KWS_CLIP_CHANNELS];
  int filled = 0;
  int fresh = 0;  // frames since the model ran last
  int until_row = KWS_WARM_UP_STEPS + 1;  // runs until the detector is given a row
  int16_t samples[KWS_STRIDE_SAMPLES];
  for (;;) {
    ReadMicrophone(samples, KWS_STRIDE_SAMPLES);
    size_t used = 0;
    const FrontendOutput features =
        FrontendProcessSamples(&frontend, samples, KWS_STRIDE_SAMPLES, &used);
    if (features.size != KWS_CLIP_CHANNELS) continue;  // the first window is not full yet
    if (filled == KWS_STEP_FRAMES) {
      std::memmove(frames[0], frames[1], sizeof(frames) - sizeof(frames[0]));
    } else {
      ++filled;
    }
    for (int channel = 0; channel < KWS_CLIP_CHANNELS; ++channel) {
      frames[filled - 1][channel] = Quantize(features.values[channel]);
    }
    if (++fresh < kRunEveryFrames || filled < KWS_STEP_FRAMES) continue;
    fresh = 0;
    std::memcpy(input->data.int8, frames, sizeof(frames));
    if (interpreter.Invoke() != kTfLiteOk) return 4;
    if (--until_row > 0) continue;
    until_row = kRunsPerRow;
    const TfLiteTensor* output = interpreter.output(0);
    float score = 0;
    const int keyword = detector.Step(output->data.int8, output->params.zero_point,
                                      output->params.scale, &score);
    if (keyword >= 0) OnKeyword(keyword, score);
  }
}
