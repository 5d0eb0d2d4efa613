"""Gated recurrent units written out step by step, in operators that TensorFlow Lite Micro has.

Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine
Translation", EMNLP 2014 (arXiv:1406.1078), section 2.3; with `reset_after` as in cuDNN.
"""

import tensorflow as tf


@tf.keras.utils.register_keras_serializable("kws")
class UnrolledGru(tf.keras.layers.GRU):
    """A Keras GRU, weights and results alike, without its loop.

    Keras' own unrolling leaves UNPACK, SPLIT_V and changes of quantization in the int8 model. Here
    the inputs' part of all steps is one fully connected layer, and a step takes its row of it. A
    graph of so many steps suits some dozens of them.

    With `remembers=True` the layer takes one step a call, of batch 1, and keeps its state in a
    variable: the one-step form of a GRU of the same weights.
    """

    def __init__(self, units: int, remembers: bool = False, **kwargs):
        super().__init__(units, **kwargs)
        self.remembers = remembers

    def build(self, input_shape) -> None:
        super().build(input_shape)
        if self.remembers:
            self.memory = self.add_weight(
                name="memory", shape=(1, self.units), initializer="zeros", trainable=False
            )

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        _, steps, size = inputs.shape
        units, cell = self.units, self.cell
        # reset_after has a second row of biases, added to the state's part.
        bias = cell.bias if cell.reset_after else tf.stack([cell.bias, tf.zeros_like(cell.bias)])
        rows = tf.reshape(inputs, (-1, size)) @ cell.kernel + bias[0]
        rows = tf.reshape(rows, (-1, steps, 3 * units))
        state = self.memory.read_value() if self.remembers else None
        outputs = []
        for step in range(steps):
            state = self._step(rows[:, step], state, bias[1])
            outputs.append(state)
        if self.remembers:
            self.memory.assign(state)
        return tf.stack(outputs, axis=1) if self.return_sequences else state

    def _step(self, row: tf.Tensor, state: tf.Tensor | None, bias: tf.Tensor) -> tf.Tensor:
        """The next state `[batch, units]`; None stands for a state of zeros."""
        units, cell = self.units, self.cell
        for_gates, for_candidate = row[:, : 2 * units], row[:, 2 * units :]
        if state is None:
            update, reset = tf.split(tf.sigmoid(for_gates + bias[: 2 * units]), 2, axis=1)
            offset = reset * bias[2 * units :] if cell.reset_after else 0
            candidate = tf.tanh(for_candidate + offset)
            return candidate - update * candidate  # 1 - update would stay in floats in int8.
        kernel = cell.recurrent_kernel
        gates = for_gates + (state @ kernel[:, : 2 * units] + bias[: 2 * units])
        update, reset = tf.split(tf.sigmoid(gates), 2, axis=1)
        if cell.reset_after:
            recalled = reset * (state @ kernel[:, 2 * units :] + bias[2 * units :])
        else:
            recalled = (reset * state) @ kernel[:, 2 * units :]
        candidate = tf.tanh(for_candidate + recalled)
        return candidate + update * (state - candidate)

    def get_config(self) -> dict:
        return {**super().get_config(), "remembers": self.remembers}
