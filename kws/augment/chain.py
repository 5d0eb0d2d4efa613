"""What happens to a word on its way into a device, in the order that physics has.

    the voice    speed, pitch, tempo, style change_voice
    the room     reverberation              in_room
                 + background at an SNR     (`mix.noisy_copy`)
    the device   microphone's curve         through_microphone
                 gain                       (`mix.noisy_copy`)
                 clipping                   clipping.clip_peaks
    the line     codec                      codec.round_trip

`draw` decides, once a copy, what of it happens (a `Treatment`); the steps then do it.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from kws.augment.activity import Activity
from kws.augment.codec import Codec
from kws.augment.equalizer import equalize
from kws.augment.fit import fitted, fitted_from, slowest_pace
from kws.augment.level import rms
from kws.augment.microphones import Microphone, draw_microphone
from kws.augment.params import AugmentParams
from kws.augment.pitch import pitch_factor
from kws.augment.reverb import reverberate
from kws.augment.rooms import Room
from kws.augment.speaking_styles import AS_IT_WAS, STYLES, SpeakingStyle, draw_style, speak
from kws.augment.speed import change_speed
from kws.augment.tempo import change_tempo

STEPS = ("speed", "tempo", "pitch", "reverb", "equalizer", "clipping", "codec")
"""Each has a share of its own; of the styles (`speaking_styles.STYLES`), a copy has one."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Treatment:
    """What is done to one copy; the defaults do nothing.

    Attributes:
      speed: factor on pace and pitch together.
      tempo: factor on the pace alone.
      pitch_semitones: change of the pitch alone.
      style: of speaking; its tempo and pitch come on top.
      room: said in it.
      microphone: heard through it.
      overdrive_db: how far its peak passes the clipping limit.
      codec, opus_kbps: what it is coded with.
    """

    speed: float = 1.0
    tempo: float = 1.0
    pitch_semitones: float = 0.0
    style: SpeakingStyle = AS_IT_WAS
    room: Room | None = None
    microphone: Microphone | None = None
    overdrive_db: float = 0.0
    codec: Codec | None = None
    opus_kbps: float = 0.0


def draw(
    params: AugmentParams, rooms: Sequence[Room], sample_rate: int, rng: np.random.Generator
) -> Treatment:
    """A treatment; each step draws from a child generator, and nothing from `rng` itself.

    Raises:
      ValueError: there is reverberation to be had but no room.
    """
    if params.reverb_share and not rooms:
        raise ValueError(f"reverb_share={params.reverb_share:g}, but no room is given")
    values: dict = {}
    *of_steps, of_style = rng.spawn(len(STEPS) + 1)
    style_at = of_style.uniform()
    for name in STYLES:
        style_at -= getattr(params, f"{name}_share")
        if style_at < 0:
            values["style"] = draw_style(name, of_style)
            break
    for step, own in zip(STEPS, of_steps, strict=True):
        if own.uniform() >= getattr(params, f"{step}_share"):
            continue
        if step == "speed":
            values["speed"] = float(own.uniform(*params.speed))
        elif step == "tempo":
            values["tempo"] = float(own.uniform(*params.tempo))
        elif step == "pitch":
            values["pitch_semitones"] = float(own.uniform(*params.pitch_semitones))
        elif step == "reverb":
            values["room"] = rooms[int(own.integers(len(rooms)))]
        elif step == "equalizer":
            values["microphone"] = draw_microphone(own, sample_rate)
        elif step == "clipping":
            values["overdrive_db"] = float(own.uniform(*params.clipping_db))
        else:
            values["codec"] = params.codecs[int(own.integers(len(params.codecs)))]
            values["opus_kbps"] = float(own.uniform(*params.opus_kbps))
    return Treatment(**values)


def change_voice(
    audio: np.ndarray, word: Activity, treatment: Treatment, sample_rate: int
) -> np.ndarray:
    """The clip at another speed, tempo and pitch and in another style, its word about where it was.

    A word is never said so slowly that it would leave the clip: its tempo is raised as needed.

    Args:
      audio: int16 `[samples]`.
      word: in the audio.
      treatment: its first four values are used.
      sample_rate: Hz.

    Returns:
      The audio itself where nothing is asked, else float32 `[samples]` in int16 units.
    """
    style = treatment.style
    raised = treatment.speed * pitch_factor(treatment.pitch_semitones + style.pitch_semitones)
    pace = treatment.speed * treatment.tempo * style.tempo
    pace = max(pace, min(slowest_pace(word.start, word.stop, len(audio)), 1.0))
    changed, place = audio, slice(word.start, word.stop)
    if raised != 1.0 or pace != 1.0:
        # One stretch and one resampling, however many of the three are asked for.
        stretched = audio.astype(np.float32)
        if not np.isclose(pace, raised, rtol=1e-6):
            stretched = change_tempo(stretched, pace / raised, sample_rate)
        changed = change_speed(stretched, raised)
        start, stop = round(word.start / pace), round(word.stop / pace)
        begin = fitted_from(len(audio), start, stop, (word.start + word.stop) // 2)
        changed = fitted(changed, len(audio), begin, sample_rate)
        place = slice(start - begin, min(stop - begin, len(audio)))
    return changed if style.name is None else speak(changed, place, style, sample_rate)


def in_room(audio: np.ndarray, word: slice, room: Room | None) -> np.ndarray:
    """The clip in a room, the word (samples in `audio`) as loud as before."""
    if room is None:
        return audio
    wet = reverberate(audio, room)
    level = rms(wet[word])
    return wet * np.float32(rms(audio[word]) / level) if level > 0 else wet


def through_microphone(audio: np.ndarray, microphone: Microphone | None) -> np.ndarray:
    """What the microphone gives; float32 `[samples]`."""
    return audio if microphone is None else equalize(audio, microphone.sections)
