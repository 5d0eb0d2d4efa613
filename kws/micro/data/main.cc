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
#include "frontend.h"
#include "model.h"
#include "ops_resolver.h"
#include "tensorflow/lite/experimental/microfrontend/lib/frontend.h"
#include "tensorflow/lite/experimental/microfrontend/lib/frontend_util.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/schema/schema_generated.h"

// Fills `samples` with the next 16-bit mono samples at KWS_SAMPLE_RATE; blocks until it has.
extern void ReadMicrophone(int16_t* samples, size_t count);
// Called once for each detection; `keyword` is an index into kKwsLabels.
extern void OnKeyword(int keyword, float score);

namespace {

alignas(16) uint8_t arena[KWS_ARENA_BYTES];

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

// The last KWS_AVERAGE_ROWS posteriors and the rule of detector.h.
class Detector {
 public:
  // Takes one row; returns the keyword that fires now, or -1.
  int Step(const TfLiteTensor& output, float* score) {
    for (int label = 0; label < KWS_LABEL_COUNT; ++label) {
      rows_[next_][label] =
          (output.data.int8[label] - output.params.zero_point) * output.params.scale;
    }
    next_ = (next_ + 1) % KWS_AVERAGE_ROWS;
    if (count_ < KWS_AVERAGE_ROWS) ++count_;
    if (since_ms_ < KWS_SUPPRESSION_MS) since_ms_ += KWS_CLIP_STRIDE_MS;
    if (count_ < KWS_MINIMUM_COUNT) return -1;
    int best = -1;
    for (int label = KWS_FIRST_KEYWORD; label < KWS_LABEL_COUNT; ++label) {
      float sum = 0;
      for (int row = 0; row < count_; ++row) sum += rows_[row][label];
      if (best < 0 || sum / count_ > *score) {
        best = label;
        *score = sum / count_;
      }
    }
    if (*score < KWS_DETECTION_THRESHOLD || since_ms_ < KWS_SUPPRESSION_MS) return -1;
    since_ms_ = 0;
    return best;
  }

 private:
  float rows_[KWS_AVERAGE_ROWS][KWS_LABEL_COUNT] = {};
  int next_ = 0;
  int count_ = 0;
  int since_ms_ = KWS_SUPPRESSION_MS;
};

}  // namespace

// Returns only if something cannot be set up.
int RunKeywordSpotter() {
  FrontendState frontend;
  if (!ConfigureFrontend(&frontend)) return 1;
  KwsOpResolver resolver;
  if (AddKwsOperators(resolver) != kTfLiteOk) return 2;
  tflite::MicroInterpreter interpreter(tflite::GetModel(g_kws_model), resolver, arena,
                                       sizeof(arena));
  if (interpreter.AllocateTensors() != kTfLiteOk) return 3;
  TfLiteTensor* input = interpreter.input(0);
  Detector detector;
  // The newest frames, oldest first: a clip's worth, or what one step of a streaming model takes.
  static int8_t frames[KWS_STEP_FRAMES][KWS_CLIP_CHANNELS];
  int filled = 0;
  int fresh = 0;  // frames since the model ran last
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
    if (++fresh < KWS_RUN_EVERY_FRAMES || filled < KWS_STEP_FRAMES) continue;
    fresh = 0;
    std::memcpy(input->data.int8, frames, sizeof(frames));
    if (interpreter.Invoke() != kTfLiteOk) return 4;
    float score = 0;
    const int keyword = detector.Step(*interpreter.output(0), &score);
    if (keyword >= 0) OnKeyword(keyword, score);
  }
}
