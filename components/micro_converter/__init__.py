"""MicroConverter: a float Keras model to the int8 files of the device."""
