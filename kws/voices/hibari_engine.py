"""hibari: a small, fast voice, bent into many by warping what its network predicts.

The network gives a spectrum a frame (harmonic magnitude and phase, noise, free-phase branch) and
the fundamental frequency; hibari's own `dsp.synth` turns them into audio. Scaling F0 changes the
pitch, stretching the frequency axis of the spectra moves the formants, as a longer or shorter
vocal tract would.
"""

import numpy as np

from kws.errors import KwsError
from kws.voices.engine import Request

VOICE = "heart"
"""The one voice inside the package; the others would be downloaded."""


class HibariEngine:
    """Says about 100 words a second on one core."""

    name = "hibari"

    def __init__(self) -> None:
        from hibari import Hibari

        self._tts = Hibari(voice=VOICE, threads=1)
        self.sample_rate: int = self._tts.sample_rate

    def say(self, request: Request) -> np.ndarray:
        """See `Engine.say`. Raises KwsError for another voice than "heart"."""
        from hibari import dsp

        if request.voice != VOICE:
            raise KwsError(
                f"hibari voice {request.voice!r} is not on this machine", hint=f"use {VOICE!r}"
            )
        inputs = {
            "ids": np.asarray([self._tts.ids(request.phonemes)], np.int64),
            "speed": np.asarray([request.speed], np.float32),
        }
        outputs = (head[0] for head in self._tts.sess.run(None, inputs))
        harmonic, theta, noise, free, phase, f0 = outputs
        if request.formant_scale != 1.0:
            harmonic, theta, noise, free = (
                stretch(head, request.formant_scale) for head in (harmonic, theta, noise, free)
            )
            phase = stretch(phase, request.formant_scale, nearest=True)
        rng = np.random.default_rng(request.seed)
        audio = dsp.synth(
            harmonic, theta, noise, free, phase, f0 * np.float32(request.f0_scale), rng
        )
        return np.asarray(audio, np.float32)


def stretch(head: np.ndarray, scale: float, nearest: bool = False) -> np.ndarray:
    """Moves what is at frequency f to `scale` * f: float32 `[bins, frames]` in and out.

    Above the last bin the last one is repeated. `nearest` is for phases, which have no mean.
    """
    last = head.shape[0] - 1
    position = np.minimum(np.arange(head.shape[0]) / scale, last)
    if nearest:
        return np.ascontiguousarray(head[np.round(position).astype(int)])
    below = np.minimum(position.astype(int), last - 1)
    share = (position - below).astype(np.float32)[:, None]
    return head[below] * (1 - share) + head[below + 1] * share
