"""The two forms of a streaming model, written once.

A streaming model is the same layers in both: its *training form* takes a clip `[batch, frames,
channels]`; its *one-step form* takes the next few frames `[1, frames_per_step, channels]` and keeps
what it must remember of the former ones in variables. `Past` puts in what differs. Rybakov et al.,
"Streaming keyword spotting on mobile devices", 2020 (arXiv:2005.06720), section 2, is the idea.
"""

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tensorflow as tf

MEMORY = "memory"
"""Name of the variables that a one-step form has beside the weights."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Past:
    """What lies before a layer's input.

    Attributes:
      remembers: the model is the one-step form.
      zeros: a clip is padded by zeros before its start, in every layer, as a stream begins; else
        the first outputs of a clip come only when the layers are full.
    """

    remembers: bool
    zeros: bool

    def inputs(self, feature_shape: tuple[int, int], frames_per_step: int) -> "tf.Tensor":
        """The Keras input of the form."""
        import tensorflow as tf

        if self.remembers:
            shape = (1, frames_per_step, feature_shape[1])
            return tf.keras.layers.Input(batch_shape=shape, name="features")
        return tf.keras.layers.Input(feature_shape, name="features")

    def before(self, x: "tf.Tensor", frames: int, name: str) -> "tf.Tensor":
        """`x` with so many former frames before it; see `layers.ring_buffer.RingBuffer`."""
        from kws.models.keras_layers import RingBuffer

        if not frames:
            return x
        return RingBuffer(frames, self.remembers, self.zeros, name=f"{name}_past")(x)

    def whole(self, x: "tf.Tensor", steps: int, name: str) -> "tf.Tensor":
        """The last `steps` steps: a clip has just as many, a stream remembers the former ones."""
        from kws.models.keras_layers import RingBuffer

        if not self.remembers or steps == 1:
            return x
        return RingBuffer(steps - 1, remembers=True, name=f"{name}_past")(x)

    def drop(self, x: "tf.Tensor", frames: int, name: str) -> "tf.Tensor":
        """`x` without its oldest frames, as many as a layer beside it uses up of a clip."""
        if self.remembers or self.zeros:
            return x
        return oldest_dropped(x, frames, name)

    def whole_strides(self, x: "tf.Tensor", kernel: int, stride: int, name: str) -> "tf.Tensor":
        """`x` without the oldest frames that would shift the strides off its last frame."""
        if self.remembers:
            return x
        frames = x.shape[1]
        surplus = frames % stride if self.zeros else (frames - kernel) % stride
        return oldest_dropped(x, surplus, name)


def oldest_dropped(x: "tf.Tensor", frames: int, name: str) -> "tf.Tensor":
    """`[batch, steps, width, filters]` without the first `frames` steps."""
    import tensorflow as tf

    if not frames:
        return x
    return tf.keras.layers.Cropping2D(((frames, 0), (0, 0)), name=f"{name}_newest")(x)


def memories(step_form: "tf.keras.Model") -> "list[tf.Variable]":
    """The variables that are a stream's state."""
    return [variable for variable in step_form.weights if is_memory(variable)]


def forget(step_form: "tf.keras.Model") -> None:
    """Puts a one-step form at the start of a stream."""
    for variable in memories(step_form):
        variable.assign(variable * 0)


def copy_weights(training_form: "tf.keras.Model", step_form: "tf.keras.Model") -> None:
    """Gives a one-step form the weights of the training form, layer by layer of the same name."""
    for layer in step_form.layers:
        targets = [variable for variable in layer.weights if not is_memory(variable)]
        if not targets:
            continue
        sources = training_form.get_layer(layer.name).weights
        for source, target in zip(sources, targets, strict=True):
            target.assign(source)


def is_memory(variable: "tf.Variable") -> bool:
    return variable.name.split("/")[-1].split(":")[0] == MEMORY
