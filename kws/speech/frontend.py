"""The speech embedding as a frontend: 96 numbers every 80 ms, computed in Beam like any other.

What learns from it trains in seconds; a device does not run it by itself (see
`kws.models.speech_embedding` for the embedding and a head in one file).
"""

import numpy as np

from kws.errors import KwsError
from kws.features.frontend import Frontend
from kws.features.params import FeatureParams
from kws.speech.embedding import embed, embed_clips
from kws.speech.network import EMBEDDING_SIZE

PARAMS = FeatureParams(
    frontend="speech_embedding",
    clip_duration_ms=2000,
    window_size_ms=782,
    window_stride_ms=80,
    feature_bin_count=EMBEDDING_SIZE,
    lower_band_limit_hz=60,
    upper_band_limit_hz=3800,
)
"""The only ones that there are; `clip_duration_ms` is free."""


def speech_embedding_params(clip_duration_ms: int) -> FeatureParams:
    """`PARAMS` for clips of that length."""
    return PARAMS.model_copy(update={"clip_duration_ms": clip_duration_ms})


class SpeechEmbeddingFrontend(Frontend):
    """float16 features: half the file, and a thousandth of a typical value is lost."""

    dtype = np.dtype(np.float16)
    model_input_scale = 1.0

    def __init__(self, params: FeatureParams):
        """Raises KwsError for other parameters than `PARAMS`."""
        super().__init__(params)
        expected = speech_embedding_params(params.clip_duration_ms)
        if params != expected:
            raise KwsError(
                f"features: the speech embedding has {EMBEDDING_SIZE} channels of a window of "
                f"{PARAMS.window_size_ms} ms every {PARAMS.window_stride_ms} ms at 16 kHz",
                hint="take kws.speech.frontend.PARAMS with another clip_duration_ms",
            )

    def compute(self, audio: np.ndarray) -> np.ndarray:
        """See `Frontend.compute`."""
        return embed(audio).astype(self.dtype)

    def compute_batch(self, audio: np.ndarray) -> np.ndarray:
        """See `Frontend.compute_batch`."""
        return embed_clips(audio).astype(self.dtype)
