"""A convolution over bands with a kernel and a bias for each part of the spectrum."""

import tensorflow as tf


@tf.keras.utils.register_keras_serializable("kws")
class SubSpectralDepthwise(tf.keras.layers.DepthwiseConv2D):
    """`FrequencyDepthwise` whose filters differ from part to part of the bands it puts out.

    `[batch, frames, bands, filters]` -> `[batch, frames, ceil(bands / stride), filters]`; the
    kernel is `[kernel_bands, 1, parts * filters, 1]`, the bias `[parts * filters]`, part by part.

    Parts become filters: band j of every part's window, with the neighbours that it shares with
    the next part, are taken together, so that one plain depthwise convolution over the windows does
    the work with as many multiplications as before.
    """

    def __init__(self, kernel_bands: int, stride: int, parts: int, **kwargs):
        kwargs.pop("kernel_size", None), kwargs.pop("strides", None)
        super().__init__((kernel_bands, 1), strides=(stride, stride), padding="valid", **kwargs)
        self.parts = parts

    def build(self, input_shape) -> None:
        super().build((None, None, 1, self.parts * input_shape[-1]))
        self.input_spec = None  # Of the windows; `call` is given the whole.

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        _, frames, bands, filters = inputs.shape
        kernel, stride, parts = self.kernel_size[0], self.strides[0], self.parts
        outputs = -(-bands // stride)
        step = outputs // parts * stride
        window = step + kernel - stride
        # As TensorFlow pads "same", and no more bands behind than the last window reaches.
        before = max((outputs - 1) * stride + kernel - bands, 0) // 2
        behind = parts * step + kernel - stride - before - bands
        x = tf.pad(inputs, ((0, 0), (0, 0), (before, behind), (0, 0)))
        last = (parts - 1) * step + 1
        x = tf.concat([x[:, :, band : band + last : step] for band in range(window)], axis=2)
        x = super().call(tf.reshape(x, (-1, window, 1, parts * filters)))
        if outputs > parts:
            x = tf.reshape(x, (-1, outputs // parts, parts, filters))
            x = tf.transpose(x, (0, 2, 1, 3))
        return tf.reshape(x, (-1, frames, outputs, filters))

    def compute_output_shape(self, input_shape):
        batch, frames, bands, filters = tf.TensorShape(input_shape).as_list()
        return tf.TensorShape([batch, frames, -(-bands // self.strides[0]), filters])

    def get_config(self) -> dict:
        config = super().get_config()
        config.pop("padding", None)
        own = {"kernel_bands": self.kernel_size[0], "stride": self.strides[0], "parts": self.parts}
        return {**config, **own}
