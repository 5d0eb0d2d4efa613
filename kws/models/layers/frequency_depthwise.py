"""A depthwise convolution over channels of the features, one frame at a time, with a stride."""

import tensorflow as tf


@tf.keras.utils.register_keras_serializable("kws")
class FrequencyDepthwise(tf.keras.layers.DepthwiseConv2D):
    """`[batch, frames, bands, filters]` -> `[batch, frames, ceil(bands / stride), filters]`.

    TensorFlow's depthwise kernel wants one stride for both axes. Frames are therefore taken as so
    many pictures of one column, on which the other stride has no effect; the change of shape moves
    no data.
    """

    def __init__(self, kernel_bands: int, stride: int = 1, **kwargs):
        kwargs.pop("kernel_size", None), kwargs.pop("strides", None)
        super().__init__((kernel_bands, 1), strides=(stride, stride), padding="same", **kwargs)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        _, frames, bands, filters = inputs.shape
        x = super().call(tf.reshape(inputs, (-1, bands, 1, filters)))
        return tf.reshape(x, (-1, frames, x.shape[1], filters))

    def compute_output_shape(self, input_shape):
        batch, frames, bands, filters = tf.TensorShape(input_shape).as_list()
        return tf.TensorShape([batch, frames, -(-bands // self.strides[0]), filters])

    def get_config(self) -> dict:
        config = super().get_config()
        config.pop("padding", None)
        return {**config, "kernel_bands": self.kernel_size[0], "stride": self.strides[0]}
