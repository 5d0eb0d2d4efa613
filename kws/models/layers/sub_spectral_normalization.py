"""Sub-spectral normalization: batch normalization of each part of the spectrum by itself.

Chang, Park, Cho, Park, Yun, Hwang, "SubSpectral Normalization for Neural Audio Data Processing",
ICASSP 2021 (arXiv:2103.13620), section 2.
"""

import tensorflow as tf


@tf.keras.utils.register_keras_serializable("kws")
class SubSpectralNormalization(tf.keras.layers.BatchNormalization):
    """Normalizes `[batch, frames, bands, filters]` with figures for every part and filter.

    The bands are cut into `parts` of equal size. The converter cannot fold it into the convolution
    before, which has one kernel for all bands; `kws.micro.fold` does.
    """

    def __init__(self, parts: int, **kwargs):
        kwargs.pop("axis", None)
        super().__init__(axis=[1, 3], **kwargs)
        self.parts = parts

    def build(self, input_shape) -> None:
        _, _, bands, filters = tf.TensorShape(input_shape).as_list()
        if bands % self.parts:
            raise ValueError(f"{bands} bands cannot be cut into {self.parts} equal parts")
        super().build((None, self.parts, bands // self.parts, filters))
        self.input_spec = None  # Of the cut-up shape; `call` is given the whole.

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        _, frames, bands, filters = inputs.shape
        parts = tf.reshape(inputs, (-1, self.parts, bands // self.parts, filters))
        x = super().call(parts, training=training)
        return tf.reshape(x, (-1, frames, bands, filters))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self) -> dict:
        config = super().get_config()
        config.pop("axis", None)
        return {**config, "parts": self.parts}
