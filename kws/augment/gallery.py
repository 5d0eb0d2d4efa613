"""A gallery: every augmentation done once to the same recording, with its parameters in words."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from kws.audio import noise
from kws.audio.clip import Clip
from kws.augment.chain import STEPS, Treatment, change_voice, shift_range, shifted
from kws.augment.codec import mu_law, opus, telephone
from kws.augment.equalizer import draw_microphone, equalize
from kws.augment.level import active_speech, amplitude, clip_peaks, to_int16, with_gain
from kws.augment.mix import noisy_copy
from kws.augment.params import AugmentParams, NoisyCopyParams
from kws.augment.rooms import Room, reverberate, simulate
from kws.augment.speaking_styles import StyleName, draw_style
from kws.augment.time_scale import change_pitch, change_speed, change_tempo
from kws.errors import KwsError
from kws.labels import UNKNOWN

SNR_DB, SHIFT_MS, GAIN_DB = 5.0, 100.0, -12.0
SPEED, TEMPO, SEMITONES = 1.15, 0.8, 4.0
OVERDRIVE_DB, KBPS = 12.0, 8.0
ROOM_M, RT60_S = (6.0, 4.5, 2.7), 0.6
MOUTH_M, MICROPHONE_M = (1.2, 1.0, 1.6), (3.2, 2.3, 0.8)
BACKGROUND_RMS = 1000.0


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Example:
    """One augmentation, done.

    Attributes:
      name: `reverb`.
      title: `Room`.
      words: what was done, with its parameters.
      audio: int16 `[samples]`, after it.
    """

    name: str
    title: str
    words: str
    audio: np.ndarray


def examples(
    audio: np.ndarray, sample_rate: int, only: Sequence[str] = (), seed: int = 0
) -> list[Example]:
    """The augmentations in the order in which they happen.

    Args:
      audio: int16 `[samples]`, a word or a few.
      sample_rate: Hz.
      only: names to do; empty: all.
      seed: of the noise and the microphone.

    Raises:
      KwsError: a name is unknown.
    """
    unknown = sorted(set(only) - set(_EXAMPLES))
    if unknown:
        raise KwsError(
            f"no augmentation is called {unknown[0]!r}", hint=f"one of {', '.join(_EXAMPLES)}"
        )
    made = []
    for name, (title, make) in _EXAMPLES.items():
        if not only or name in only:
            after, words = make(audio, sample_rate, np.random.default_rng(seed))
            made.append(Example(name=name, title=title, words=words, audio=to_int16(after)))
    return made


Make = Callable[[np.ndarray, int, np.random.Generator], tuple[np.ndarray, str]]


def _speed(audio: np.ndarray, rate: int, rng: np.random.Generator) -> tuple[np.ndarray, str]:
    changed = change_speed(audio.astype(np.float32), SPEED)
    return changed, f"{SPEED:g} times as fast, and as high"


def _tempo(audio: np.ndarray, rate: int, rng: np.random.Generator) -> tuple[np.ndarray, str]:
    return change_tempo(audio, TEMPO, rate), f"{TEMPO:g} times as fast, at the same pitch"


def _pitch(audio: np.ndarray, rate: int, rng: np.random.Generator) -> tuple[np.ndarray, str]:
    return change_pitch(audio, SEMITONES, rate), f"{SEMITONES:g} semitones up, at the same pace"


def _style(name: StyleName) -> Make:
    def make(audio: np.ndarray, rate: int, rng: np.random.Generator) -> tuple[np.ndarray, str]:
        style = draw_style(name, rng)
        said = change_voice(audio, active_speech(audio, rate), Treatment(style=style), rate)
        return with_gain(said.astype(np.float32), 1.0), style.describe()

    return make


def _shift(audio: np.ndarray, rate: int, rng: np.random.Generator) -> tuple[np.ndarray, str]:
    word = active_speech(audio, rate)
    _, latest = shift_range(word.start, word.stop, len(audio), int(rate * SHIFT_MS / 1000))
    words = f"{latest * 1000 / rate:.0f} ms later; a word never leaves its clip"
    return shifted(audio, latest, rate), words


def _reverb(audio: np.ndarray, rate: int, rng: np.random.Generator) -> tuple[np.ndarray, str]:
    room = _room(rate)
    return with_gain(reverberate(audio, room), 1.0), room.describe()


def _background(audio: np.ndarray, rate: int, rng: np.random.Generator) -> tuple[np.ndarray, str]:
    level = active_speech(audio, rate).rms / amplitude(SNR_DB)
    mixed = audio + noise.pink(len(audio), rng) * np.float32(level)
    return with_gain(mixed, 1.0), f"pink noise, {SNR_DB:g} dB below the word"


def _equalizer(audio: np.ndarray, rate: int, rng: np.random.Generator) -> tuple[np.ndarray, str]:
    microphone = draw_microphone(rng, rate, "small_speaker")
    return with_gain(equalize(audio, microphone.sections), 1.0), microphone.words


def _gain(audio: np.ndarray, rate: int, rng: np.random.Generator) -> tuple[np.ndarray, str]:
    quieter = with_gain(audio.astype(np.float32), amplitude(GAIN_DB))
    return quieter, f"{GAIN_DB:+g} dB; never so much that it clips"


def _clipping(audio: np.ndarray, rate: int, rng: np.random.Generator) -> tuple[np.ndarray, str]:
    return clip_peaks(audio, OVERDRIVE_DB), f"cut {OVERDRIVE_DB:g} dB below its peak"


def _mu_law(audio: np.ndarray, rate: int, rng: np.random.Generator) -> tuple[np.ndarray, str]:
    return mu_law(audio), "µ-law (G.711), 8 bits a sample"


def _telephone(audio: np.ndarray, rate: int, rng: np.random.Generator) -> tuple[np.ndarray, str]:
    return telephone(audio, rate), "µ-law at 8 kHz: nothing above 4 kHz"


def _opus(audio: np.ndarray, rate: int, rng: np.random.Generator) -> tuple[np.ndarray, str]:
    return opus(audio, rate, KBPS), f"Opus at {KBPS:g} kbit/s"


def _everything(audio: np.ndarray, rate: int, rng: np.random.Generator) -> tuple[np.ndarray, str]:
    clip = Clip(
        audio=audio,
        sample_rate=rate,
        label=UNKNOWN,
        word="",
        speaker="",
        source="",
        clip_id="",
        novelty="new_word",
    )
    every = AugmentParams.model_validate({f"{step}_share": 1.0 for step in STEPS})
    params = NoisyCopyParams(snr_db=(15, 15), gain_db=(0, 0), lead_in_ms=0, augment=every)
    background = to_int16(noise.pink(len(audio), rng) * np.float32(BACKGROUND_RMS))
    return noisy_copy(clip, background, params, rng, [_room(rate)]).audio, "all of them, at random"


def _room(rate: int) -> Room:
    places = np.array(MOUTH_M), np.array(MICROPHONE_M)
    return simulate(np.array(ROOM_M), RT60_S, *places, rate)


_EXAMPLES: dict[str, tuple[str, Make]] = {
    "speed": ("Speed", _speed),
    "tempo": ("Tempo", _tempo),
    "pitch": ("Pitch", _pitch),
    "whisper": ("Whisper", _style("whisper")),
    "shouted": ("Shouted", _style("shouted")),
    "sleepy": ("Sleepy", _style("sleepy")),
    "questioning": ("Questioning", _style("questioning")),
    "time_shift": ("Time shift", _shift),
    "reverb": ("Room", _reverb),
    "background": ("Background", _background),
    "equalizer": ("Microphone", _equalizer),
    "gain": ("Gain", _gain),
    "clipping": ("Clipping", _clipping),
    "mu_law": ("µ-law", _mu_law),
    "telephone": ("Telephone", _telephone),
    "opus": ("Opus", _opus),
    "everything": ("Everything", _everything),
}
NAMES = tuple(_EXAMPLES)
