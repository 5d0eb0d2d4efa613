"""What a convolution over time needs of the frames before, in a clip and in a stream."""

import tensorflow as tf


@tf.keras.utils.register_keras_serializable("kws")
class RingBuffer(tf.keras.layers.Layer):
    """Puts `frames` former frames before its input `[batch, steps, width, filters]`.

    A convolution that spans k frames with a stride of s is given k - s of them and is not padded
    itself; it then ends exactly with the last frame. The former frames are
      - `remembers=True`: those of the last call, kept in a variable, zeros at first. Batch 1.
      - else with `zeros=True`: zeros; a clip is heard as if silence of value 0 came before it.
      - else none: the clip's own first frames are what is remembered at the first output, which
        is that of a stream that has run for so long.
    """

    def __init__(self, frames: int, remembers: bool = False, zeros: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.frames, self.remembers, self.zeros = frames, remembers, zeros

    def build(self, input_shape) -> None:
        _, _, width, filters = tf.TensorShape(input_shape).as_list()
        if self.remembers and self.frames:
            shape = (1, self.frames, width, filters)
            self.memory = self.add_weight(
                name="memory", shape=shape, initializer="zeros", trainable=False
            )
        super().build(input_shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        if not self.frames:
            return inputs
        if self.remembers:
            heard = tf.concat([self.memory.read_value(), inputs], axis=1)
            self.memory.assign(heard[:, -self.frames :])
            return heard
        if self.zeros:
            return tf.pad(inputs, ((0, 0), (self.frames, 0), (0, 0), (0, 0)))
        return inputs

    def get_config(self) -> dict:
        own = {"frames": self.frames, "remembers": self.remembers, "zeros": self.zeros}
        return {**super().get_config(), **own}
