"""The last layer of several heads that stand side by side: the mean of what each would give."""

import tensorflow as tf


@tf.keras.utils.register_keras_serializable("kws")
class AveragedHeads(tf.keras.layers.Layer):
    """`[batch, steps, 1, heads * units]` -> `[batch, steps, 1, 1]`: the mean of the heads' logits.

    Called with `each=True`, the logits of the heads themselves, `[batch, steps, heads]`: by these
    they are trained, apart from each other. The mean is one convolution, so that several heads cost
    a device no rounding more than one does.
    """

    def __init__(self, heads: int, **kwargs):
        super().__init__(**kwargs)
        self.heads = heads

    def build(self, input_shape) -> None:
        units = tf.TensorShape(input_shape).as_list()[-1] // self.heads
        self.kernel = self.add_weight(
            name="kernel", shape=(self.heads, units, 1), initializer="glorot_uniform"
        )
        self.bias = self.add_weight(name="bias", shape=(self.heads,), initializer="zeros")
        super().build(input_shape)

    def call(self, inputs: tf.Tensor, each: bool = False) -> tf.Tensor:
        if each:
            _, steps, _, values = inputs.shape
            x = tf.reshape(inputs, (-1, steps, self.heads, values // self.heads))
            return tf.einsum("bshu,huo->bsh", x, self.kernel) + self.bias
        kernel = tf.reshape(self.kernel, (1, 1, -1, 1)) / self.heads
        return tf.nn.conv2d(inputs, kernel, 1, "VALID") + tf.reduce_mean(self.bias)

    def get_config(self) -> dict:
        return {**super().get_config(), "heads": self.heads}
