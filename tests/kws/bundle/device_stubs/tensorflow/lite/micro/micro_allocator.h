// Declarations alone, to compile a bundle's code against; the names are TensorFlow Lite Micro's.
#pragma once
#include <cstddef>
#include <cstdint>
namespace tflite {
class MicroAllocator {
 public:
  static MicroAllocator* Create(uint8_t* arena, size_t arena_bytes);
};
}  // namespace tflite
