"""Renders one section of a stream with pydub: words overlaid on a background at their levels.

This is the only module that imports pydub. It also has the word of a clip (`Utterance`), cut out
so that it can be laid over any background, and the schedule of words: random gaps, never an
overlap, sections cut within gaps.
"""

import dataclasses
import warnings
from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar

import numpy as np

from kws.audio.clip import Clip
from kws.augment.level import active_speech, amplitude, dbfs, decibels, rms
from kws.scenes.ground_truth import Word
from kws.scenes.params import StreamParams

__all__ = ["AudioSegment", "Sine", "from_segment", "to_segment"]


with warnings.catch_warnings():
    # pydub looks for ffmpeg as it is imported. Segments are made of samples here: none is needed.
    warnings.filterwarnings("ignore", message="Couldn't find ffmpeg")
    from pydub import AudioSegment
    from pydub.generators import Sine


def to_segment(audio: np.ndarray, sample_rate: int) -> AudioSegment:
    """A mono 16-bit segment of int16 `[samples]`."""
    raw = np.ascontiguousarray(audio, np.int16).tobytes()
    return AudioSegment(data=raw, sample_width=2, frame_rate=sample_rate, channels=1)


def from_segment(segment: AudioSegment) -> np.ndarray:
    """int16 `[samples]` of a mono 16-bit segment (read-only)."""
    return np.frombuffer(segment.raw_data, np.int16)


SECTION_MS = 30_000
"""A background lasts about so long; a section ends in the first gap after."""
CROSSFADE_MS = 500


class Timed(Protocol):
    """Something that takes time."""

    @property
    def duration_ms(self) -> int: ...


T = TypeVar("T", bound=Timed)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Section(Generic[T]):
    """A part of a stream that is heard over one background.

    Attributes:
      start_ms: where it begins in the stream: where the section before stops.
      stop_ms: where it stops.
      fade_in_ms: crossfade with the section before, centred on the start; it lies within a gap,
        clear of any word.
      fade_out_ms: crossfade with the section after, centred on the stop, likewise.
      words: (start in the stream in ms, what is said), in order.
    """

    start_ms: int
    stop_ms: int
    fade_in_ms: int
    fade_out_ms: int
    words: tuple[tuple[int, T], ...]


def schedule(
    words: Iterator[T],
    gap_s: tuple[float, float],
    minimum_ms: int,
    clearance_ms: int,
    rng: np.random.Generator,
) -> list[Section[T]]:
    """Lays words one after the other until the stream is long enough.

    The stream begins and ends with a gap. Each gap is drawn evenly from `gap_s`, so the stream is
    longer than `minimum_ms` by at most one word and its gaps.

    Args:
      words: endless; taken as needed.
      gap_s: range of the pause between the end of a word and the start of the next, seconds.
      minimum_ms: length to reach.
      clearance_ms: margin about a word that a crossfade stays out of.
      rng: draws the gaps.

    Returns:
      Sections that join without holes; the last one stops at the stream's end.
    """
    sections: list[Section[T]] = []
    said: list[tuple[int, T]] = []
    start_ms, fade_in_ms = 0, 0
    now_ms = _gap_ms(gap_s, rng)
    while True:
        word = next(words)
        said.append((now_ms, word))
        word_end_ms = now_ms + word.duration_ms
        gap_ms = _gap_ms(gap_s, rng)
        now_ms = word_end_ms + gap_ms
        finished = now_ms >= minimum_ms
        middle_ms = now_ms if finished else word_end_ms + gap_ms // 2
        if not finished and middle_ms - start_ms < SECTION_MS:
            continue
        # An even number: one half lies on either side of the join.
        fade_ms = 0 if finished else max(0, min(CROSSFADE_MS, gap_ms - 2 * clearance_ms)) // 2 * 2
        sections.append(
            Section(
                start_ms=start_ms,
                stop_ms=middle_ms,
                fade_in_ms=fade_in_ms,
                fade_out_ms=fade_ms,
                words=tuple(said),
            )
        )
        if finished:
            return sections
        start_ms, fade_in_ms, said = middle_ms, fade_ms, []


def _gap_ms(gap_s: tuple[float, float], rng: np.random.Generator) -> int:
    return round(1000 * rng.uniform(*gap_s))


MARGIN_MS = 150
"""Kept of a clip on either side of its speech, unless the gaps are too short for it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Utterance:
    """A word and a faded margin of its clip on either side.

    Attributes:
      clip: where it is from.
      audio: int16 `[samples]`, margins included.
      margin_ms: before the active speech (shorter where the clip begins sooner).
      duration_ms: of the active speech, rounded up.
      rms: of the active frames, in int16 units; 0 in digital silence.
    """

    clip: Clip
    audio: np.ndarray
    margin_ms: int
    duration_ms: int
    rms: float

    @property
    def peak(self) -> float:
        """Largest magnitude."""
        return float(np.abs(self.audio.astype(np.int32)).max(initial=0))

    def said_at(self, start_ms: int, snr_db: float | None) -> Word:
        """The ground truth where the active speech begins at `start_ms`.

        `snr_db` is None or infinite where the background is digital silence.
        """
        clip = self.clip
        return Word(
            label=clip.label,
            word=clip.word,
            start_ms=start_ms,
            end_ms=start_ms + self.duration_ms,
            speaker=clip.speaker,
            source=clip.source,
            clip_id=clip.clip_id,
            snr_db=round(snr_db, 2) if snr_db is not None and np.isfinite(snr_db) else None,
        )


def cut_utterance(clip: Clip, margin_ms: int) -> Utterance:
    """Cuts the active speech out of a clip, with margins of at most `margin_ms`.

    The margins keep soft beginnings and endings that the energy rule misses. They are faded, so
    that the recording's own noise does not announce the word by a step.
    """
    rate = clip.sample_rate
    spoken = clip.audio[clip.lead_in_samples :]
    active = active_speech(spoken, rate)
    before_ms = min(margin_ms, active.start * 1000 // rate)
    # A whole number of milliseconds before the speech: pydub places by milliseconds.
    start = active.start - before_ms * rate // 1000
    stop = min(len(spoken), active.stop + margin_ms * rate // 1000)
    audio = spoken[start:stop].astype(np.float32)
    fade_in, fade_out = active.start - start, stop - active.stop
    audio[:fade_in] *= np.linspace(0.0, 1.0, fade_in, endpoint=False, dtype=np.float32)
    audio[len(audio) - fade_out :] *= np.linspace(1.0, 0.0, fade_out, dtype=np.float32)
    return Utterance(
        clip=clip,
        audio=np.rint(audio).astype(np.int16),
        margin_ms=before_ms,
        duration_ms=-(-(active.stop - active.start) * 1000 // rate),
        rms=active.rms,
    )


def whole_clip(clip: Clip) -> Utterance:
    """A clip as it is, without its lead-in; its margins are all that is not active speech."""
    spoken = clip.audio[clip.lead_in_samples :]
    active = active_speech(spoken, clip.sample_rate)
    return Utterance(
        clip=clip,
        audio=spoken,
        margin_ms=active.start * 1000 // clip.sample_rate,
        duration_ms=-(-(active.stop - active.start) * 1000 // clip.sample_rate),
        rms=active.rms,
    )


PEAK_LIMIT = 32767.0
Background = Callable[[int, np.random.Generator], np.ndarray]
"""Gives int16 `[samples]` of a background, as many as it is asked for."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class RenderedSection:
    """Sound of a section.

    Attributes:
      audio: int16 `[samples]`, from half a crossfade before its start to half a one after its stop.
      snr_db: of each word; None over digital silence.
    """

    audio: np.ndarray
    snr_db: tuple[float | None, ...]


def render_section(
    section: Section[Utterance],
    background: Background,
    sample_rate: int,
    params: StreamParams,
    rng: np.random.Generator,
    clipped: bool = False,
) -> RenderedSection:
    """Draws the section's levels and lays its words.

    One level of speech and one SNR decide how loud the background is; each word then has an SNR of
    its own, such that both its level and its SNR stay in their ranges. Where the sum could pass
    full scale, words and background are turned down together: nothing is clipped and the SNR holds.
    With `clipped` they are not, and peaks are cut at full scale.

    pydub works on a copy of the whole base for each overlay, which is why a section is short.
    """
    starts_ms = [start_ms for start_ms, _ in section.words]
    said = [word for _, word in section.words]
    begin_ms = section.start_ms - section.fade_in_ms // 2
    end_ms = section.stop_ms + section.fade_out_ms // 2
    samples = end_ms * sample_rate // 1000 - begin_ms * sample_rate // 1000
    noise = background(samples, rng)
    noise_rms = rms(noise)

    noise_dbfs = rng.uniform(*params.level_dbfs) - rng.uniform(*params.snr_db)
    lowest = max(params.snr_db[0], params.level_dbfs[0] - noise_dbfs)
    highest = min(params.snr_db[1], params.level_dbfs[1] - noise_dbfs)
    # One of the two drawn values lies in both ranges, so lowest <= highest but for rounding.
    snr_db = rng.uniform(lowest, max(lowest, highest), size=len(said))
    noise_gain_db = noise_dbfs - dbfs(noise_rms) if noise_rms else 0.0
    word_gain_db = [
        noise_dbfs + snr - dbfs(word.rms) for word, snr in zip(said, snr_db, strict=True)
    ]

    noise_peak = float(np.abs(noise.astype(np.int32)).max(initial=0)) * amplitude(noise_gain_db)
    peaks = [word.peak * amplitude(gain) for word, gain in zip(said, word_gain_db, strict=True)]
    highest_sum = noise_peak + max(peaks, default=0.0)
    too_high = highest_sum > PEAK_LIMIT and not clipped
    down_db = decibels(PEAK_LIMIT / highest_sum) if too_high else 0.0

    base = to_segment(noise, sample_rate).apply_gain(noise_gain_db + down_db)
    for start_ms, word, gain_db in zip(starts_ms, said, word_gain_db, strict=True):
        laid = to_segment(word.audio, sample_rate).apply_gain(gain_db + down_db)
        base = base.overlay(laid, position=start_ms - word.margin_ms - begin_ms)
    return RenderedSection(
        audio=from_segment(base),
        snr_db=tuple(float(snr) if noise_rms else None for snr in snr_db),
    )
