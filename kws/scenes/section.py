"""Render one section of a stream with pydub: words overlaid on one background at their levels."""

import dataclasses
from collections.abc import Callable

import numpy as np

from kws.augment.level import amplitude, dbfs, decibels, rms
from kws.scenes.params import StreamParams
from kws.scenes.schedule import Section
from kws.scenes.segment import from_segment, to_segment
from kws.scenes.utterance import Utterance

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
