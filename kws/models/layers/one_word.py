"""Posteriors of a model of one word from two yes-or-no questions, so that each is a sigmoid."""

import tensorflow as tf


@tf.keras.utils.register_keras_serializable("kws")
class OneWord(tf.keras.layers.Layer):
    """`[..., 3]` posteriors of silence, anything else and the word, which sum to 1.

    Its inputs, each `[..., 1]`, are the probability of the word, and that of silence where the
    word is not said. The word's posterior is the first as it is.
    """

    def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
        word, silence = inputs
        other = 1.0 - word
        return tf.concat([other * silence, other * (1.0 - silence), word], axis=-1)
