"""Posteriors of a clip from those of its steps."""

import tensorflow as tf

from kws.labels import RESERVED


@tf.keras.utils.register_keras_serializable("kws")
class StrongestStep(tf.keras.layers.Layer):
    """`[batch, labels]` of `[batch, steps, labels]`: the step at which a keyword is most probable.

    A detector fires at that step or not at all, so a clip is scored as a stream is.
    """

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        keyword = tf.reduce_max(inputs[:, :, len(RESERVED) :], axis=2)
        return tf.gather(inputs, tf.argmax(keyword, axis=1), axis=1, batch_dims=1)
