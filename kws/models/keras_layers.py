"""Keras layers that Keras lacks.

This is the only file of the model zoo that imports TensorFlow at the top, so import it inside the
functions that build a model.
"""

import tensorflow as tf

from kws.labels import RESERVED


@tf.keras.utils.register_keras_serializable("kws")
class AveragedHeads(tf.keras.layers.Layer):
    """`[batch, steps, 1, heads * units]` -> `[batch, steps, 1, outputs]`: the mean of the heads'
    logits.

    Called with `each=True`, the logits of the heads themselves, `[batch, steps, heads, outputs]`:
    by these they are trained, apart from each other. The mean is one convolution, so that several
    heads cost a device no rounding more than one does.
    """

    def __init__(self, heads: int, outputs: int = 1, **kwargs):
        super().__init__(**kwargs)
        self.heads, self.outputs_of_each = heads, outputs

    def build(self, input_shape) -> None:
        units = tf.TensorShape(input_shape).as_list()[-1] // self.heads
        shape = (self.heads, units, self.outputs_of_each)
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer="glorot_uniform")
        self.bias = self.add_weight(name="bias", shape=(shape[0], shape[2]), initializer="zeros")
        super().build(input_shape)

    def call(self, inputs: tf.Tensor, each: bool = False) -> tf.Tensor:
        if each:
            _, steps, _, values = inputs.shape
            x = tf.reshape(inputs, (-1, steps, self.heads, values // self.heads))
            return tf.einsum("bshu,huo->bsho", x, self.kernel) + self.bias
        kernel = tf.reshape(self.kernel, (1, 1, -1, self.outputs_of_each)) / self.heads
        return tf.nn.conv2d(inputs, kernel, 1, "VALID") + tf.reduce_mean(self.bias, axis=0)

    def get_config(self) -> dict:
        return {**super().get_config(), "heads": self.heads, "outputs": self.outputs_of_each}


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


@tf.keras.utils.register_keras_serializable("kws")
class KeywordsAndSilence(tf.keras.layers.Layer):
    """`[..., 2 + keywords]` posteriors of silence, anything else and the keywords; they sum to 1.

    Its inputs are the probability `[..., 1]` of a single keyword, or those of anything else and of
    each of several keywords, `[..., 1 + keywords]`; and the probability `[..., 1]` of silence where
    no keyword is said. The keyword posteriors stay unchanged.
    """

    def call(self, inputs: list[tf.Tensor]) -> tf.Tensor:
        said, silence = inputs
        if said.shape[-1] == 1:
            other, keywords = 1.0 - said, said
        else:
            other, keywords = said[..., :1], said[..., 1:]
        return tf.concat([other * silence, other * (1.0 - silence), keywords], axis=-1)


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


@tf.keras.utils.register_keras_serializable("kws")
class StrongestStep(tf.keras.layers.Layer):
    """`[batch, labels]` of `[batch, steps, labels]`: the step at which a keyword is most probable.

    A detector fires at that step or not at all, so a clip is scored as a stream is.
    """

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        keyword = tf.reduce_max(inputs[:, :, len(RESERVED) :], axis=2)
        return tf.gather(inputs, tf.argmax(keyword, axis=1), axis=1, batch_dims=1)


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


@tf.keras.utils.register_keras_serializable("kws")
class SubSpectralNormalization(tf.keras.layers.BatchNormalization):
    """Normalizes `[batch, frames, bands, filters]` with figures for every part and filter.

    The bands are cut into `parts` of equal size. The converter cannot fold it into the convolution
    before, which has one kernel for all bands; `kws.export.rewrites` does.
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
