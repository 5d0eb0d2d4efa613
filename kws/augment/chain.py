"""The augmentation chain: what happens to a word on its way into a device, in physical order.

    the voice    speed, pitch, tempo, style change_voice
    the room     reverberation              in_room
                 + background at an SNR     (`mix.noisy_copy`)
    the device   microphone's curve         through_microphone
                 gain                       (`mix.noisy_copy`)
                 clipping                   level.clip_peaks
    the line     codec                      codec.round_trip

`draw` decides once for each copy what happens to it (a `Treatment`); the steps then apply it.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from kws.augment.codec import Codec
from kws.augment.equalizer import Microphone, draw_microphone, equalize
from kws.augment.level import Activity, rms
from kws.augment.params import AugmentParams
from kws.augment.rooms import Room, reverberate
from kws.augment.speaking_styles import AS_IT_WAS, STYLES, SpeakingStyle, draw_style, speak
from kws.augment.time_scale import change_speed, change_tempo, pitch_factor

EDGE_FADE_MS = 5


def shift_range(start: int, stop: int, num_samples: int, limit_samples: int) -> tuple[int, int]:
    """How far a word from `start` to `stop` may move, earlier (<= 0) and later (>= 0).

    At most `limit_samples`, and never so far that a part of it leaves the clip: half a keyword is
    no keyword, and would be labelled as one.
    """
    return -min(limit_samples, start), min(limit_samples, num_samples - stop)


def shifted(audio: np.ndarray, by_samples: int, sample_rate: int) -> np.ndarray:
    """The clip moved later by `by_samples` (earlier if negative), as float32 `[samples]`.

    What enters is zeros. The clip's own edges are faded over 5 ms: a recording's noise floor that
    begins at once is a click, which a model would learn as the mark of a word.
    """
    moved = fade_edges(audio, sample_rate)
    if by_samples > 0:
        return np.concatenate([np.zeros(by_samples, np.float32), moved[:-by_samples]])
    if by_samples < 0:
        return np.concatenate([moved[-by_samples:], np.zeros(-by_samples, np.float32)])
    return moved


def fade_edges(audio: np.ndarray, sample_rate: int) -> np.ndarray:
    """float32 `[samples]` whose first and last 5 ms rise from and fall to nothing."""
    faded = audio.astype(np.float32)
    fade = min(sample_rate * EDGE_FADE_MS // 1000, len(audio) // 2)
    ramp = np.linspace(0.0, 1.0, fade, endpoint=False, dtype=np.float32)
    faded[:fade] *= ramp
    faded[len(audio) - fade :] *= ramp[::-1]
    return faded


def slowest_pace(start: int, stop: int, num_samples: int) -> float:
    """How slow a word from `start` to `stop` may be said and still fit the clip: 0.5 is half."""
    return (stop - start) / num_samples if num_samples else 1.0


def fitted_from(num_samples: int, start: int, stop: int, centre: int) -> int:
    """Which sample of the changed audio a clip begins with, so that it holds all of the word.

    Args:
      num_samples: of the clip.
      start: first sample of the word in the audio.
      stop: the one after its last; of a word that is longer than the clip, the end is lost.
      centre: where the middle of the word was, in samples of the clip.
    """
    begin = (start + stop) // 2 - centre
    return min(max(begin, stop - num_samples), start)


def fitted(audio: np.ndarray, num_samples: int, begin: int, sample_rate: int) -> np.ndarray:
    """`num_samples` of the audio, float32, from `begin` on.

    Zeros where the audio does not reach; its edges are faded over 5 ms.
    """
    faded = fade_edges(audio, sample_rate)
    out = np.zeros(num_samples, np.float32)
    first, last = max(begin, 0), min(begin + num_samples, len(faded))
    out[first - begin : last - begin] = faded[first:last]
    return out


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
      codec: what it is coded with.
      opus_kbps: bit rate, where that is Opus.
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
