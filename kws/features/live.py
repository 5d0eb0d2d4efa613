"""Features of a stream while it comes in: the numbers that `Frontend.compute` gives of all of it.

A frontend's `compute` begins anew with each call; a device does not. Here the samples of a window
that is not full yet, and the micro frontend's noise estimate, are kept from one call to the next,
so that it does not matter in what pieces the audio comes.
"""

from typing import Protocol

import numpy as np

from kws import features
from kws.features.frontend import Frontend, check_audio
from kws.features.micro_live import MicroLive
from kws.features.params import FeatureParams


class _Feeds(Protocol):
    def feed(self, audio: np.ndarray) -> np.ndarray: ...


class LiveFrontend:
    """One stream through a frontend.

    Attributes:
      params: of the frontend.
      dtype: of the features.
    """

    def __init__(self, params: FeatureParams):
        """Begins a stream.

        Raises:
          KwsError: the frontend cannot work with these parameters.
        """
        self.params = params
        self.dtype = features.frontend_class(params.frontend).dtype
        self._inner: _Feeds
        if params.frontend == "micro":
            self._inner = MicroLive(params)
        else:
            self._inner = _Windows(features.create(params))

    def feed(self, audio: np.ndarray) -> np.ndarray:
        """Takes the next samples, any number of them.

        Args:
          audio: int16 `[samples]` at `params.sample_rate`.

        Returns:
          `[frames, channels]` of `dtype`: the windows that these samples complete, often none.

        Raises:
          ValueError: audio is not int16 of one dimension.
        """
        check_audio(audio, ndim=1)
        return self._inner.feed(audio)


class LiveAsBatch:
    """A frontend for whole recordings that goes the live way, and so needs no TensorFlow."""

    def __init__(self, params: FeatureParams):
        self.params = params

    def compute(self, audio: np.ndarray) -> np.ndarray:
        """What `Frontend.compute` gives."""
        return LiveFrontend(self.params).feed(audio)


class _Windows:
    """For frontends whose every frame is a function of its own window alone."""

    def __init__(self, frontend: Frontend):
        self._frontend = frontend
        self._kept = np.zeros(0, np.int16)

    def feed(self, audio: np.ndarray) -> np.ndarray:
        heard = np.concatenate([self._kept, audio])
        params = self._frontend.params
        frames = params.frame_count(len(heard))
        self._kept = heard[frames * params.stride_samples :].copy()
        return self._frontend.compute(heard)
