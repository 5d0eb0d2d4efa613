"""The network of the speech embedding: its weights, and its layers in Keras.

Twenty convolutions alternate between mel channels (padded) and time (not padded); five poolings
reduce the 32 channels to one and time to an eighth. As nothing is padded in time, the network is
the same over one window of 76 frames and over a stream of hours, where it gives an embedding
every 8 frames with a tenth of the work. 330,000 weights; 42 million multiply-adds for a window
alone, 5.6 million for each new 80 ms of a stream.
"""

import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kws._environment import require_keras_2
from kws.models.causal import Past

if TYPE_CHECKING:
    import tensorflow as tf

EMBEDDING_SIZE = 96
EMBEDDING_FRAMES = 76
"""Mel frames that one embedding is of."""
EMBEDDING_HOP_FRAMES = 8
EMBEDDING_HOP_MS = 80
MEL_CHANNELS = 32

_DATA = Path(__file__).parent / "data"
_WEIGHTS_FILE = "speech_embedding.npz"
_LAYERS_FILE = "layers.json"


@functools.cache
def embedding_weights() -> dict[str, np.ndarray]:
    """`convNN_kernel` `[frames, channels, in, out]` and `convNN_bias`."""
    with np.load(_DATA / _WEIGHTS_FILE) as arrays:
        return {name: arrays[name] for name in arrays.files}


@functools.cache
def layer_list() -> tuple[dict[str, Any], ...]:
    """The layers in order: `conv` (a name in `embedding_weights`, with `pad_channels`: whether a
    channel of zeros goes on either side), `leaky_relu` (slope), `maximum` (with that number),
    `max_pool` (frames, channels)."""
    return tuple(json.loads((_DATA / _LAYERS_FILE).read_text()))


def window_count(mel_frames: int) -> int:
    """Embeddings of so many mel frames."""
    return max(0, 1 + (mel_frames - EMBEDDING_FRAMES) // EMBEDDING_HOP_FRAMES)


def embedding_model(frames: int | None = None) -> "tf.keras.Model":
    """The network as a Keras 2 model with the pretrained weights.

    Args:
      frames: of the input; None: any number from 76 on.

    Returns:
      A model from mel frames `[batch, frames, 32, 1]` to embeddings `[batch, n, 96]`, n being
      `1 + (frames - 76) // 8`.
    """
    import tensorflow as tf

    require_keras_2()
    inputs = tf.keras.layers.Input((frames, MEL_CHANNELS, 1), name="mel_frames")
    x = embedding_layers(inputs, Past(remembers=False, zeros=False))
    outputs = tf.keras.layers.Reshape((-1, EMBEDDING_SIZE), name="embeddings")(x)
    model = tf.keras.Model(inputs, outputs, name="speech_embedding")
    load_embedding_weights(model)
    return model


def embedding_layers(x: "tf.Tensor", past: Past) -> "tf.Tensor":
    """The network's layers, frozen and without the pretrained weights.

    Args:
      x: mel frames `[batch, frames, 32, 1]`; the next 8 where `past` remembers.
      past: that of a stream, or none of a clip: zeros before it are not what the network knows.

    Returns:
      `[batch, n, 1, 96]`.
    """
    import tensorflow as tf

    layers = tf.keras.layers
    for number, layer in enumerate(layer_list()):
        if "conv" in layer:
            x = _convolution(x, layer["conv"], bool(layer["pad_channels"]), past)
        elif "leaky_relu" in layer:
            slope, least = layer["leaky_relu"], layer_list()[number + 1]["maximum"]
            if past.remembers:
                x = _at_least(x, least / slope)
            x = layers.LeakyReLU(slope, name=f"leaky_relu_{number}")(x)
            if not past.remembers:
                x = tf.maximum(x, least, name=f"maximum_{number}")
        elif "max_pool" in layer:
            x = layers.MaxPooling2D(layer["max_pool"], layer["strides"], name=f"pool_{number}")(x)
    return x


def load_embedding_weights(model: "tf.keras.Model", *, int8: bool = False) -> None:
    """Sets the pretrained weights of all layers that are named as in `layer_list`.

    Args:
      model: has them.
      int8: round the kernels to what int8 can hold, with a scale for each filter. A head that is
        trained on such an embedding has seen the larger part of what conversion changes, for the
        converter finds these very numbers again.
    """
    weights = embedding_weights()
    for layer in model.layers:
        kernel = weights.get(f"{layer.name}_kernel")
        if kernel is not None:
            rounded = _rounded_to_int8(kernel) if int8 else kernel
            layer.set_weights([rounded, weights[f"{layer.name}_bias"]])


def _rounded_to_int8(kernel: np.ndarray) -> np.ndarray:
    scale = np.abs(kernel).max(axis=(0, 1, 2)) / 127
    return (np.round(kernel / scale) * scale).astype(np.float32)


def _at_least(x: "tf.Tensor", least: float) -> "tf.Tensor":
    """The larger of x and a negative number, by a ReLU that the converter fuses with a convolution.

    What goes below it is of no use to the layers after: so an int8 tensor spends no steps on it,
    nor on what a leaky ReLU makes of it.
    """
    import tensorflow as tf

    return tf.nn.relu(x - least) + least


def _convolution(x: "tf.Tensor", name: str, pad_channels: bool, past: Past) -> "tf.Tensor":
    import tensorflow as tf

    frames, channels, _, filters = embedding_weights()[f"{name}_kernel"].shape
    padding = "valid"
    if pad_channels and frames == 1:
        padding = "same"  # one channel on either side, and nothing in time
    elif pad_channels:
        x = tf.keras.layers.ZeroPadding2D((0, 1), name=f"{name}_pad")(x)
    x = past.before(x, frames - 1, name)
    kernel = (frames, channels)
    return tf.keras.layers.Conv2D(filters, kernel, padding=padding, name=name, trainable=False)(x)
