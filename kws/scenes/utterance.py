"""Utterance: the word of a clip, cut out so that it can be laid over any background."""

import dataclasses

import numpy as np

from kws.audio.clip import Clip
from kws.augment.activity import active_speech
from kws.scenes.ground_truth import Word

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
