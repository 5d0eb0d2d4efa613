"""Noisy copies: a clip heard over a background at a known signal-to-noise ratio.

The mix is summed in float and rounded once. pydub lays the long streams (`kws/scenes`); here its
integer gains, which round each part down before they are added, would cost accuracy at the low
levels that a gain of -20 dB reaches, and its objects would cost time.

Where `params.augment` asks for it, the word is changed and put into a room before, and the sum
goes through a microphone and a codec after: `kws/augment/chain.py` has the order.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from kws.audio.clip import Clip, clip_id
from kws.augment import chain
from kws.augment.activity import active_speech
from kws.augment.background import cut_background
from kws.augment.clipping import clip_peaks
from kws.augment.codec import round_trip
from kws.augment.gain import to_int16, with_gain
from kws.augment.level import amplitude, rms
from kws.augment.params import NoisyCopyParams
from kws.augment.rooms import Room
from kws.augment.shift import shift_range, shifted
from kws.labels import SILENCE


def noisy_copy(
    clip: Clip,
    background: np.ndarray,
    params: NoisyCopyParams,
    rng: np.random.Generator,
    rooms: Sequence[Room] = (),
) -> Clip:
    """A copy of the clip with background, a random time shift and a random gain.

    The signal-to-noise ratio is the RMS of the word's active frames (`active_speech`) over the RMS
    of the whole piece of background that is heard, lead-in included; the noise in the clip itself
    is not counted. The gain is that of the sum; a sum that would pass full scale is turned down
    as a whole, so nothing is clipped (unless that is asked for) and the ratio holds. It holds in
    the air: the word is as loud in a room as before it, and a microphone's curve comes after.

    Args:
      clip: without lead-in.
      background: int16 `[samples]` at the clip's rate, of any length above 0.
      params: ranges drawn from.
      rng: the copy's own generator.
      rooms: of the clip's split, at its rate; drawn from where `reverb_share` is above 0.

    Returns:
      A clip of exactly `lead_in_ms` of background alone and then the clip's own length, with
      augmentation "noisy" and its `snr_db`. A `_silence_` clip is laid over the background in the
      same way, but carries no `snr_db`: there is no word to measure; nor a voice to change or to
      put into a room. A clip where word or background is digital silence carries none either.

    Raises:
      ValueError: the clip has a lead-in already, the background is empty, or a room is wanted and
        none given.
    """
    if clip.lead_in_ms:
        raise ValueError(
            f"clip {clip.clip_id} has a lead-in of {clip.lead_in_ms} ms: copy the original"
        )
    lead_in = clip.sample_rate * params.lead_in_ms // 1000
    snr_db = rng.uniform(*params.snr_db)
    gain_db = rng.uniform(*params.gain_db)
    rate = clip.sample_rate
    treatment = chain.draw(params.augment, rooms, rate, rng)
    voice, word = clip.audio, active_speech(clip.audio, rate)
    if clip.label != SILENCE:
        voice = chain.change_voice(voice, word, treatment, rate)
        if voice is not clip.audio:
            word = active_speech(voice, rate)
    limit = int(rate * params.time_shift_ms / 1000)
    earliest, latest = shift_range(word.start, word.stop, len(voice), limit)
    by_samples = int(rng.integers(earliest, latest + 1))
    foreground = shifted(voice, by_samples, rate)
    if clip.label != SILENCE:
        place = slice(word.start + by_samples, word.stop + by_samples)
        foreground = chain.in_room(foreground, place, treatment.room)
    noise = cut_background(background, lead_in + len(clip.audio), rng)

    noise_rms = rms(noise)
    measurable = word.rms > 0 and noise_rms > 0
    noise_gain = word.rms / noise_rms / amplitude(snr_db) if measurable else 1.0
    mixed = noise.astype(np.float32) * np.float32(noise_gain)
    mixed[lead_in:] += foreground
    heard = with_gain(chain.through_microphone(mixed, treatment.microphone), amplitude(gain_db))
    if treatment.overdrive_db:
        heard = clip_peaks(heard, treatment.overdrive_db)
    audio = to_int16(heard)
    if treatment.codec:
        audio = round_trip(audio, treatment.codec, rate, treatment.opus_kbps)
    return dataclasses.replace(
        clip,
        audio=audio,
        clip_id=clip_id(audio, f"{clip.clip_id}/noisy"),
        augmentation="noisy",
        snr_db=float(snr_db) if measurable and clip.label != SILENCE else None,
        lead_in_ms=params.lead_in_ms,
    )
