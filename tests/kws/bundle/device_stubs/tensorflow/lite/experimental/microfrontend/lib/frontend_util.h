// Declarations alone, to compile a bundle's code against; the names are the micro frontend's.
#pragma once
#include "tensorflow/lite/experimental/microfrontend/lib/frontend.h"
struct FrontendConfig {
  struct { size_t size_ms, step_size_ms; } window;
  struct { int num_channels; float upper_band_limit, lower_band_limit; } filterbank;
  struct { int smoothing_bits; float even_smoothing, odd_smoothing, min_signal_remaining; }
      noise_reduction;
  struct { int enable_pcan; float strength, offset; int gain_bits; } pcan_gain_control;
  struct { int enable_log, scale_shift; } log_scale;
};
extern "C" void FrontendFillConfigWithDefaults(FrontendConfig* config);
extern "C" int FrontendPopulateState(const FrontendConfig* config, FrontendState* state,
                                     int sample_rate);
