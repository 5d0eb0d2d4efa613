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
from kws.augment.chain import shift_range, shifted
from kws.augment.codec import round_trip
from kws.augment.level import (
    Activity,
    active_speech,
    amplitude,
    clip_peaks,
    rms,
    to_int16,
    with_gain,
)
from kws.augment.params import NoisyCopyParams
from kws.augment.rooms import Room
from kws.augment.surroundings import cut_background, draw_surroundings, make_background, talk_beside
from kws.labels import SILENCE


def noisy_copy(
    clip: Clip,
    background: np.ndarray,
    params: NoisyCopyParams,
    rng: np.random.Generator,
    rooms: Sequence[Room] = (),
    talkers: Sequence[np.ndarray] = (),
    talk_around: bool = False,
) -> Clip:
    """A copy of the clip with background, a random time shift and a random gain.

    The signal-to-noise ratio is the RMS of the word's active frames (`active_speech`) over the RMS
    of the whole piece of background that is heard, lead-in included; the noise in the clip itself
    is not counted. The gain is that of the sum; a sum that would pass full scale is turned down
    as a whole, so nothing is clipped (unless that is asked for) and the ratio holds. It holds in
    the air: the word is as loud in a room as before it, and a microphone's curve comes after.

    Args:
      clip: with no lead-in, or with one of its own that is not longer than the copy's; that is
        heard too, and such a clip is not shifted: the sound before it belongs to it.
      background: int16 `[samples]` at the clip's rate, of any length above 0.
      params: ranges drawn from.
      rng: the copy's own generator.
      rooms: of the clip's split, at its rate; drawn from where `reverb_share` is above 0.
      talkers: int16 recordings of people of the clip's split who never say a keyword, at its rate;
        drawn from where a share of the copies has them around.
      talk_around: somebody else talks before and after the word.

    Returns:
      A clip of exactly `lead_in_ms` of background alone and then the clip's own length, with
      augmentation "noisy" and its `snr_db`. A `_silence_` clip is laid over the background in the
      same way, but carries no `snr_db`: there is no word to measure; nor a voice to change or to
      put into a room. A clip where word or background is digital silence carries none either.

    Raises:
      ValueError: the clip's lead-in is longer than `lead_in_ms`, the background is empty, or a
        room or a talker is wanted and none given.
    """
    if clip.lead_in_ms > params.lead_in_ms:
        raise ValueError(
            f"clip {clip.clip_id} has a lead-in of {clip.lead_in_ms} ms, its copy one of "
            f"lead_in_ms={params.lead_in_ms}"
        )
    own_lead_in = clip.lead_in_samples
    lead_in = clip.sample_rate * params.lead_in_ms // 1000
    snr_db = rng.uniform(*params.snr_db)
    gain_db = rng.uniform(*params.gain_db)
    rate = clip.sample_rate
    treatment = chain.draw(params.augment, rooms, rate, rng)
    # Draws by itself, as each step of the treatment does: what it asks for changes no other.
    own = rng.spawn(1)[0]
    surroundings = draw_surroundings(params, clip.label, own, talk_around)
    if surroundings.snr_db is not None:
        snr_db = surroundings.snr_db
    voice, word = clip.audio, _word(clip.audio, own_lead_in, rate)
    if clip.label != SILENCE:
        voice = chain.change_voice(voice, word, treatment, rate)
        if voice is not clip.audio:
            word = _word(voice, own_lead_in, rate)
    limit = 0 if own_lead_in else int(rate * params.time_shift_ms / 1000)
    earliest, latest = shift_range(word.start, word.stop, len(voice), limit)
    by_samples = int(rng.integers(earliest, latest + 1))
    if params.word_end_ms is not None and not own_lead_in:
        end = int(rng.uniform(*params.word_end_ms) * rate / 1000)
        earliest, latest = shift_range(word.start, word.stop, len(voice), len(voice))
        by_samples = min(max(end - word.stop, earliest), latest)
    foreground = shifted(voice, by_samples, rate)
    noise = cut_background(background, lead_in - own_lead_in + len(clip.audio), rng)
    noise = make_background(surroundings.kind, noise, params, talkers, own)
    if clip.label != SILENCE:
        place = slice(word.start + by_samples, word.stop + by_samples)
        # A lead-in of the clip's own is what was heard before the word.
        if surroundings.talk and not own_lead_in:
            foreground = np.pad(foreground, (lead_in, 0))
            place = slice(place.start + lead_in, place.stop + lead_in)
            talk = talk_beside(surroundings, place, word.rms, len(foreground), talkers, rate, own)
            if talk is not None:
                foreground += talk
        foreground = chain.in_room(foreground, place, treatment.room)

    noise_rms = rms(noise)
    measurable = word.rms > 0 and noise_rms > 0
    noise_gain = word.rms / noise_rms / amplitude(snr_db) if measurable else 1.0
    mixed = noise.astype(np.float32) * np.float32(noise_gain)
    mixed[len(mixed) - len(foreground) :] += foreground
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


def _word(audio: np.ndarray, lead_in: int, sample_rate: int) -> Activity:
    """The active part after the lead-in, in samples from the beginning of all."""
    word = active_speech(audio[lead_in:], sample_rate)
    return dataclasses.replace(word, start=word.start + lead_in, stop=word.stop + lead_in)
