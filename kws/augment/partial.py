"""Parts of a keyword as negatives: its beginning, its end, itself backwards, some of its words.

A model that has only ever met whole keywords takes half of one for it. A part must not be taken for
the whole by people either, so that it always lacks a syllable. Syllables are found in the sound, as
nuclei: N. H. de Jong and T. Wempe, "Praat script to detect syllable nuclei and measure speech rate
automatically", Behavior Research Methods 41 (2009), in the band of vowels' first formants in place
of their test of voicing.

- A beginning or an end has 35 to 68 % of the active speech, and ends before the last nucleus or
  begins after the first: 68 % of "go" is still "go", but what stops before its vowel's peak is not.
- A phrase of several words is also cut in its longest pause, if it has one of 30 ms or more in the
  middle 70 % of it.
- A word that reads the same backwards ("wow") is not reversed.
- A part shorter than 80 ms is dropped.
"""

import dataclasses
from collections.abc import Sequence
from typing import Literal

import numpy as np

from kws.audio.clip import Clip, clip_id
from kws.augment.level import Activity, active_speech
from kws.augment.mix import noisy_copy
from kws.augment.params import NoisyCopyParams
from kws.augment.rooms import Room
from kws.labels import RESERVED, UNKNOWN

AUGMENTATION = "partial"
Kind = Literal["beginning", "end", "reversed", "first_words", "last_words"]
KEPT = (0.35, 0.68)
"""Of the active speech, in a beginning or an end."""
SHORTEST_MS = 80
FADE_MS = 12
SPEECH_AROUND_SHARE = 0.5
FRAME_MS = 10
SMOOTHING = np.hanning(7)[1:-1]
"""Over frames."""
VOWELS_HZ, SPEECH_HZ = (300.0, 2500.0), (100.0, 7500.0)
NUCLEUS_BELOW_PEAK_DB = 25.0
NUCLEUS_DIP_DB = 2.0
"""Between two nuclei, as in de Jong and Wempe."""
PAUSE_MS = 30
PAUSE_BELOW_PEAK_DB = 25.0
PAUSE_WITHIN = (0.15, 0.85)


def partial_copy(
    clip: Clip,
    background: np.ndarray,
    params: NoisyCopyParams,
    rng: np.random.Generator,
    rooms: Sequence[Room] = (),
    talkers: Sequence[np.ndarray] = (),
) -> Clip | None:
    """A noisy copy of a part of a keyword; None where no part of it would be a negative.

    Args:
      clip: of a keyword.
      background: see `noisy_copy`.
      params: see `noisy_copy`.
      rng: see `noisy_copy`.
      rooms: see `noisy_copy`.
      talkers: see `noisy_copy`.

    Returns:
      A clip labelled `_unknown_` with the keyword's speaker and source, augmentation "partial" and
      a word such as "computer (beginning)". The part is where it was in the clip, but for the time
      shift; around it is background, and in half of the copies somebody else's speech.

    Raises:
      ValueError: the clip is not of a keyword; else as `noisy_copy`.
    """
    if clip.label in RESERVED:
        raise ValueError(f"clip {clip.clip_id} is labelled {clip.label}: only keywords have parts")
    # What was heard before the word goes, as the rest of the word does.
    whole = clip.audio[clip.lead_in_samples :]
    word = active_speech(whole, clip.sample_rate)
    kinds: list[Kind] = ["beginning", "end"]
    letters = "".join(clip.word.casefold().split())
    if letters != letters[::-1]:
        kinds.append("reversed")
    if len(clip.word.split()) > 1:
        kinds += ["first_words", "last_words"]
    around = rng.uniform() < SPEECH_AROUND_SHARE
    for kind in map(str, rng.permutation(kinds)):
        audio = cut_part(whole, word, kind, clip.sample_rate, float(rng.uniform(*KEPT)))
        if audio is not None:
            break
    else:
        return None
    part = dataclasses.replace(
        clip,
        audio=audio,
        label=UNKNOWN,
        word=f"{clip.word} ({kind.replace('_', ' ')})",
        clip_id=clip_id(audio, f"{clip.clip_id}/{kind}"),
        novelty="heard",
        lead_in_ms=0,
    )
    copy = noisy_copy(part, background, params, rng, rooms, talkers, talk_around=around)
    return dataclasses.replace(copy, augmentation=AUGMENTATION)


def cut_part(
    audio: np.ndarray, word: Activity, kind: str, sample_rate: int, kept: float
) -> np.ndarray | None:
    """A clip that holds a part of its word, faded at the cuts, and zeros.

    Args:
      audio: int16 `[samples]`.
      word: in the audio.
      kind: one of `Kind`.
      sample_rate: Hz.
      kept: of the word, at most, in a beginning or an end.

    Returns:
      int16 `[samples]`; None where the part would be too short, or there is no pause to cut in.
    """
    start, stop = word.start, word.stop
    frame = sample_rate * FRAME_MS // 1000
    if kind in ("beginning", "end"):
        nuclei = syllable_nuclei(envelope_db(audio[start:stop], sample_rate, VOWELS_HZ))
        whole = stop - start
        if kind == "beginning":
            stop = min(start + int(kept * whole), start + int(nuclei[-1]) * frame)
        else:
            start = max(stop - int(kept * whole), start + (int(nuclei[0]) + 1) * frame)
    elif kind in ("first_words", "last_words"):
        pause = longest_pause(envelope_db(audio[start:stop], sample_rate, SPEECH_HZ))
        if pause is None:
            return None
        first, last = start + pause.start * frame, start + pause.stop * frame
        start, stop = (start, first) if kind == "first_words" else (last, stop)
    if stop - start < sample_rate * SHORTEST_MS // 1000:
        return None
    part = audio[start:stop].astype(np.float32)
    if kind == "reversed":
        part = part[::-1].copy()
    ramp = np.linspace(0.0, 1.0, min(sample_rate * FADE_MS // 1000, len(part) // 2))
    part[: len(ramp)] *= ramp
    part[len(part) - len(ramp) :] *= ramp[::-1]
    made = np.zeros(len(audio), np.int16)
    made[start:stop] = np.rint(part)
    return made


def syllable_nuclei(level_db: np.ndarray) -> np.ndarray:
    """Frames of the nuclei in an envelope `[frames]`, at least one: its loudest frame."""
    from scipy import signal

    # Silence on both sides, so that a word may begin or end with its nucleus.
    padded = np.pad(level_db, 1, constant_values=level_db.min() - 60.0)
    peaks, _ = signal.find_peaks(
        padded, height=level_db.max() - NUCLEUS_BELOW_PEAK_DB, prominence=NUCLEUS_DIP_DB
    )
    return peaks - 1 if len(peaks) else np.array([int(level_db.argmax())])


def longest_pause(level_db: np.ndarray) -> slice | None:
    """Frames of the longest pause inside an envelope `[frames]`, if there is one."""
    quiet = level_db < level_db.max() - PAUSE_BELOW_PEAK_DB
    edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]])))
    inside = [
        slice(int(first), int(last))
        for first, last in edges.reshape(-1, 2)
        if (last - first) * FRAME_MS >= PAUSE_MS
        and first >= PAUSE_WITHIN[0] * len(level_db)
        and last <= PAUSE_WITHIN[1] * len(level_db)
    ]
    return max(inside, key=lambda pause: pause.stop - pause.start, default=None)


def envelope_db(audio: np.ndarray, sample_rate: int, band_hz: tuple[float, float]) -> np.ndarray:
    """Level of a band in frames of 10 ms, smoothed over 50 ms, in dB `[frames]`, at least one."""
    frame = sample_rate * FRAME_MS // 1000
    count = max(-(-len(audio) // frame), 1)
    samples = np.pad(audio.astype(np.float32), (0, count * frame - len(audio)))
    spectrum = np.fft.rfft(samples)
    hz = np.fft.rfftfreq(len(samples), 1 / sample_rate)
    spectrum[(hz < band_hz[0]) | (hz > band_hz[1])] = 0.0
    frames = np.fft.irfft(spectrum, len(samples)).reshape(count, frame)
    power = np.convolve(np.mean(np.square(frames), axis=1), SMOOTHING / SMOOTHING.sum(), "same")
    return 10 * np.log10(power[:count] + 1.0)
