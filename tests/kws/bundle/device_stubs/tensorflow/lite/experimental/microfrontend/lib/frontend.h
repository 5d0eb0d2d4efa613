// Declarations alone, to compile a bundle's code against; the names are the micro frontend's.
#pragma once
#include <cstddef>
#include <cstdint>
struct FrontendState {
  void* parts;
};
struct FrontendOutput {
  const uint16_t* values;
  size_t size;
};
extern "C" FrontendOutput FrontendProcessSamples(FrontendState* state, const int16_t* samples,
                                                 size_t count, size_t* used);
