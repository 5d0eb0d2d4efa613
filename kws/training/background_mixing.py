"""Background mixing in the features: silence of the training set is laid under its clips.

Where a feature is a power (spectrogram) or the logarithm of one (log_mel), two sounds add in the
power domain, but for the phase between them. The micro frontend reduces noise and controls its
gain, with a memory, and a cepstrum has no power to add to: there the AudioSynthesizer's noisy
copies are the way, which mix audio.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pydantic

from kws.errors import KwsError
from kws.labels import SILENCE
from kws.params import Params
from kws.training.dataset import Dataset

if TYPE_CHECKING:
    import tensorflow as tf

FRONTENDS = ("log_mel", "spectrogram")
"""Whose features add."""

_BANK_BYTES = 64_000_000


class BackgroundMixingParams(Params):
    """How often and how loud."""

    share: float = pydantic.Field(0.5, gt=0, le=1, description="of the clips of a batch")
    snr_db: tuple[float, float] = pydantic.Field(
        (0.0, 20.0), description="clip over background, drawn evenly in dB"
    )

    @pydantic.model_validator(mode="after")
    def _rising(self) -> "BackgroundMixingParams":
        if self.snr_db[0] > self.snr_db[1]:
            raise ValueError(f"snr_db={list(self.snr_db)}: the first is above the second")
        return self


class BackgroundMixing:
    """Lays clips of label `_silence_` under others; in graph, a function of the seed alone."""

    def __init__(self, train: Dataset, params: BackgroundMixingParams):
        """Takes at most 64 MB of silence out of the training set, evenly spread over it.

        Raises:
          KwsError: features that do not add, or no silence in the training set.
        """
        import tensorflow as tf

        self._params = params
        self._to_power, self._from_power = _power_domain(train.frontend)
        examples = train.of_label(train.labels.index(SILENCE), _BANK_BYTES)
        if not len(examples):
            raise KwsError(
                f"training.background_mixing: the training set has no example of {SILENCE}",
                hint="ingest.silence_percentage makes them of background noise",
            )
        self._bank = tf.constant(self._to_power(examples.astype(np.float32) * train.scale))

    def __call__(self, inputs: "tf.Tensor", seed: "tf.Tensor") -> "tf.Tensor":
        """Mixes a batch of model inputs, float32 `[batch, frames, channels]`.

        The powers whose ratio the SNR is are means over the clip's frames and channels.
        """
        import tensorflow as tf

        clips = tf.shape(inputs)[0]
        uniform = tf.random.stateless_uniform([3, clips], seed)
        size = tf.shape(self._bank)[0]
        chosen = tf.minimum(tf.cast(uniform[0] * tf.cast(size, tf.float32), tf.int32), size - 1)
        noise, signal = tf.gather(self._bank, chosen), self._to_power(inputs)
        lowest, highest = self._params.snr_db
        snr_db = lowest + uniform[1] * (highest - lowest)
        gain = _mean(signal) / tf.maximum(_mean(noise), 1e-30)
        gain *= tf.pow(10.0, -snr_db / 10)[:, None, None]
        mixed = self._from_power(signal + gain * noise)
        return tf.where((uniform[2] < self._params.share)[:, None, None], mixed, inputs)


def _mean(power: "tf.Tensor") -> "tf.Tensor":
    import tensorflow as tf

    return tf.reduce_mean(power, axis=(1, 2), keepdims=True)


def _power_domain(frontend: str | None) -> tuple[Callable, Callable]:
    """From model inputs to powers and back."""
    import tensorflow as tf

    from kws.features import log_mel

    if frontend == "spectrogram":
        return tf.identity, tf.identity
    if frontend == "log_mel":
        return (
            lambda y: tf.maximum(
                tf.pow(10.0, log_mel.WIDTH * y - log_mel.CENTRE) - log_mel.FLOOR, 0.0
            ),
            lambda power: (
                (tf.math.log(power + log_mel.FLOOR) / np.log(10.0) + log_mel.CENTRE) / log_mel.WIDTH
            ),
        )
    raise KwsError(refusal(frontend), hint=HINT)


HINT = "noisy_copies mixes background into the audio, before any frontend"


def refusal(frontend: str | None) -> str:
    """Why features of this frontend cannot be mixed."""
    return (
        f"training.background_mixing: features of frontend {frontend} do not add; only "
        f"{' and '.join(FRONTENDS)} are powers or their logarithm"
    )
