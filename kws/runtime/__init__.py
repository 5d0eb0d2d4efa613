"""The int8 file at work: TFLite's and TFLM's interpreters, parity, footprint, cost on devices."""
