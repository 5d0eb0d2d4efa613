"""Noisy copies: a clip heard over a background at a known signal-to-noise ratio.

The mix is summed in float and rounded once. pydub lays the long streams (`kws/scenes`); here its
integer gains, which round each part down before they are added, would cost accuracy at the low
levels that a gain of -20 dB reaches, and its objects would cost time.
"""

import dataclasses

import numpy as np

from kws.audio.clip import Clip, clip_id
from kws.augment.activity import active_speech
from kws.augment.background import cut_background
from kws.augment.level import amplitude, rms
from kws.augment.params import NoisyCopyParams
from kws.augment.shift import shift_range, shifted
from kws.labels import SILENCE

PEAK_LIMIT = 32767.0


def noisy_copy(
    clip: Clip, background: np.ndarray, params: NoisyCopyParams, rng: np.random.Generator
) -> Clip:
    """A copy of the clip with background, a random time shift and a random gain.

    The signal-to-noise ratio is the RMS of the word's active frames (`active_speech`) over the RMS
    of the whole piece of background that is heard, lead-in included; the noise in the clip itself
    is not counted. The gain is that of the sum; a sum that would pass full scale is turned down
    as a whole, so nothing is clipped and the ratio holds.

    Args:
      clip: without lead-in.
      background: int16 `[samples]` at the clip's rate, of any length above 0.
      params: ranges drawn from.
      rng: the copy's own generator.

    Returns:
      A clip of exactly `lead_in_ms` of background alone and then the clip's own length, with
      augmentation "noisy" and its `snr_db`. A `_silence_` clip is laid over the background in the
      same way, but carries no `snr_db`: there is no word to measure. Nor does a clip where word or
      background is digital silence.

    Raises:
      ValueError: the clip has a lead-in already, or the background is empty.
    """
    if clip.lead_in_ms:
        raise ValueError(
            f"clip {clip.clip_id} has a lead-in of {clip.lead_in_ms} ms: copy the original"
        )
    lead_in = clip.sample_rate * params.lead_in_ms // 1000
    snr_db = rng.uniform(*params.snr_db)
    gain_db = rng.uniform(*params.gain_db)
    word = active_speech(clip.audio, clip.sample_rate)
    limit = int(clip.sample_rate * params.time_shift_ms / 1000)
    earliest, latest = shift_range(word.start, word.stop, len(clip.audio), limit)
    foreground = shifted(clip.audio, int(rng.integers(earliest, latest + 1)), clip.sample_rate)
    noise = cut_background(background, lead_in + len(clip.audio), rng)

    noise_rms = rms(noise)
    measurable = word.rms > 0 and noise_rms > 0
    noise_gain = word.rms / noise_rms / amplitude(snr_db) if measurable else 1.0
    mixed = noise.astype(np.float32) * np.float32(noise_gain)
    mixed[lead_in:] += foreground
    audio = _to_int16(mixed, amplitude(gain_db))
    return dataclasses.replace(
        clip,
        audio=audio,
        clip_id=clip_id(audio, f"{clip.clip_id}/noisy"),
        augmentation="noisy",
        snr_db=float(snr_db) if measurable and clip.label != SILENCE else None,
        lead_in_ms=params.lead_in_ms,
    )


def _to_int16(mixed: np.ndarray, gain: float) -> np.ndarray:
    """Applies the gain, less of it where the peak would pass full scale, and rounds."""
    peak = float(np.abs(mixed).max(initial=0.0))
    if peak * gain > PEAK_LIMIT:
        gain = PEAK_LIMIT / peak
    return np.rint(mixed * np.float32(gain)).clip(-32768, 32767).astype(np.int16)
