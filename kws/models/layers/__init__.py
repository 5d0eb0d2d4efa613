"""Keras layers that Keras has not; the only files of the zoo that import TensorFlow at the top."""
