"""Folds sub-spectral normalization into the convolution before it, which the converter cannot.

The converter folds a batch normalization into the kernel. A sub-spectral one differs from part to
part of the spectrum and would stay as a multiplication and an addition, which int8 stands badly:
what the convolution puts out has one scale although its filters and parts differ tenfold, the
constants have one scale too, and every value is rounded three times. With a kernel for each part
(int8 kernels have a scale for each filter) it is rounded once, when it is normalized already.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf


def folded(model: "tf.keras.Model") -> "tf.keras.Model":
    """A copy that gives the same outputs without training, or the model if nothing can be folded.

    Args:
      model: built; each `SubSpectralNormalization` right behind a `FrequencyDepthwise` that
        nothing else reads is folded.
    """
    import tensorflow as tf

    from kws.models.layers.sub_spectral_depthwise import SubSpectralDepthwise

    pairs = dict(_pairs(model))
    if not pairs:
        return model
    gone = {normalization.name for normalization in pairs.values()}

    def copied(layer: "tf.keras.layers.Layer") -> "tf.keras.layers.Layer":
        if layer.name in pairs:
            kernel_bands, stride = layer.kernel_size[0], layer.strides[0]
            parts = pairs[layer.name].parts
            return SubSpectralDepthwise(kernel_bands, stride, parts, name=layer.name)
        if layer.name in gone:
            return tf.keras.layers.Activation("linear", name=layer.name)
        return type(layer).from_config(layer.get_config())

    copy = tf.keras.models.clone_model(model, clone_function=copied)
    for layer in model.layers:
        if layer.name in pairs:
            copy.get_layer(layer.name).set_weights(_weights(layer, pairs[layer.name]))
        elif layer.name not in gone:
            copy.get_layer(layer.name).set_weights(layer.get_weights())
    return copy


def _pairs(
    model: "tf.keras.Model",
) -> "Iterator[tuple[str, tf.keras.layers.Layer]]":
    """Names of convolutions, and the normalizations that are folded into them."""
    from kws.models.layers.frequency_depthwise import FrequencyDepthwise
    from kws.models.layers.sub_spectral_normalization import SubSpectralNormalization

    for layer in model.layers:
        if not isinstance(layer, FrequencyDepthwise) or layer.use_bias:
            continue
        after = [node.outbound_layer for node in layer.outbound_nodes]
        if len(after) == 1 and isinstance(after[0], SubSpectralNormalization):
            yield layer.name, after[0]


def _weights(
    convolution: "tf.keras.layers.Layer", normalization: "tf.keras.layers.Layer"
) -> list[np.ndarray]:
    """Kernel and bias of both layers together, see `SubSpectralDepthwise`."""
    filters = convolution.depthwise_kernel.shape[2]

    def by_part(weight: "tf.Variable | None", default: float) -> np.ndarray:
        return np.full(1, default) if weight is None else weight.numpy().reshape(-1, filters)

    deviation = np.sqrt(by_part(normalization.moving_variance, 1) + normalization.epsilon)
    factor = by_part(normalization.gamma, 1) / deviation
    bias = by_part(normalization.beta, 0) - by_part(normalization.moving_mean, 0) * factor
    kernel = convolution.depthwise_kernel.numpy()[:, :, None, :, 0] * factor
    return [kernel.reshape(*kernel.shape[:2], -1, 1), bias.ravel()]
