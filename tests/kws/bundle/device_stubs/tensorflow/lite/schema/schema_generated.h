// Declarations alone, to compile a bundle's code against; the names are TensorFlow Lite's.
#pragma once
namespace tflite {
struct Model;
const Model* GetModel(const void* buffer);
}  // namespace tflite
