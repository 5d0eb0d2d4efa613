"""Lay a scene: a few words over some seconds of background, and the label vector beside it."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from kws.audio.clip import Clip
from kws.augment.background import cut_background
from kws.augment.level import amplitude, dbfs, decibels, rms
from kws.errors import KwsError
from kws.labels import SILENCE, UNKNOWN
from kws.scenes.ground_truth import GroundTruth
from kws.scenes.label_vector import label_vector
from kws.scenes.overlap import Segment, find_place
from kws.scenes.params import SceneParams
from kws.scenes.section import PEAK_LIMIT
from kws.scenes.segment import from_segment, to_segment
from kws.scenes.utterance import MARGIN_MS, Utterance, cut_utterance, whole_clip


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scene:
    """A laid scene.

    Attributes:
      audio: int16 `[samples]`.
      steps: int64 `[SceneParams.steps]`, see `kws.scenes.label_vector`.
      truth: which word was laid where; `stream_id` is the scene's id, `words` are in the order of
        their time.
      left_out: words that were to be laid and are not: no free place was found within the tries,
        or there was nothing to hear in the clip.
    """

    audio: np.ndarray
    steps: np.ndarray
    truth: GroundTruth
    left_out: int = 0


def is_positive(label: str) -> bool:
    """A keyword, whichever; not another word and not silence."""
    return label not in (UNKNOWN, SILENCE)


def lay_scene(
    words: Sequence[Clip],
    backgrounds: Sequence[np.ndarray],
    params: SceneParams,
    scene_id: str,
    sample_rate: int,
    rng: np.random.Generator,
) -> Scene:
    """Lays words over one of the backgrounds, in the order given, each at a random free place.

    Where the sum could pass full scale, words and background are turned down together first; at
    last the scene is brought to `target_dbfs`, or as near as its peak allows.

    Args:
      words: keywords (positives) and other words (negatives), all at `sample_rate`.
      backgrounds: int16 recordings at that rate, in a stable order; one is drawn.
      params: length, levels, tries, label vector.
      scene_id: name of the scene.
      sample_rate: Hz.
      rng: the scene's own generator.

    Raises:
      KwsError: a word is at another rate, or there is no background.
    """
    for clip in words:
        if clip.sample_rate != sample_rate:
            raise KwsError(
                f"clip {clip.clip_id} of scene {scene_id} is at {clip.sample_rate} Hz, the scene "
                f"at {sample_rate}"
            )
    if not backgrounds:
        raise KwsError(f"scene {scene_id} has no background to lay words over")
    samples = sample_rate * params.duration_ms // 1000
    background = backgrounds[int(rng.integers(len(backgrounds)))]
    noise = cut_background(background, samples, rng)
    placed = _place([_utterance(clip, params) for clip in words], params, rng)
    gains_db = [_gain_db(said, params, rng) for _, said in placed]
    audio = _mix(noise, placed, gains_db, params.background_gain_db, sample_rate)
    noise_dbfs = dbfs(rms(noise)) + params.background_gain_db
    truth = GroundTruth(
        stream_id=scene_id,
        kind="words",
        duration_ms=params.duration_ms,
        sample_rate=sample_rate,
        words=tuple(
            said.said_at(start_ms + said.margin_ms, dbfs(said.rms) + gain_db - noise_dbfs)
            for (start_ms, said), gain_db in zip(placed, gains_db, strict=True)
        ),
    )
    ends_ms = [word.end_ms for word in truth.words if is_positive(word.label)]
    return Scene(
        audio=_normalized(audio, params.target_dbfs, sample_rate),
        steps=label_vector(ends_ms, params.duration_ms, params.steps, params.label_steps),
        truth=truth,
        left_out=len(words) - len(placed),
    )


def _utterance(clip: Clip, params: SceneParams) -> Utterance:
    return cut_utterance(clip, MARGIN_MS) if params.words == "speech" else whole_clip(clip)


def _place(
    said: Sequence[Utterance], params: SceneParams, rng: np.random.Generator
) -> list[tuple[int, Utterance]]:
    """(Where the laid sound begins in ms, utterance) of those that have a place, by time."""
    taken: list[Segment] = []
    placed = []
    for utterance in said:
        if utterance.rms == 0:
            continue
        length_ms = _length_ms(utterance)
        place = find_place(length_ms, params.duration_ms, taken, params.tries, rng)
        if place is not None:
            taken.append(place)
            placed.append((place[0], utterance))
    return sorted(placed, key=lambda item: item[0])


def _length_ms(utterance: Utterance) -> int:
    """Of the sound, margins included; speech that fills its clip is rounded up on both sides."""
    sound_ms = -(-len(utterance.audio) * 1000 // utterance.clip.sample_rate)
    return max(sound_ms, utterance.margin_ms + utterance.duration_ms)


def _gain_db(said: Utterance, params: SceneParams, rng: np.random.Generator) -> float:
    if params.word_dbfs is None:
        return 0.0
    return float(rng.uniform(*params.word_dbfs)) - dbfs(said.rms)


def _mix(
    noise: np.ndarray,
    placed: Sequence[tuple[int, Utterance]],
    gains_db: Sequence[float],
    noise_gain_db: float,
    sample_rate: int,
) -> np.ndarray:
    """int16 `[samples]` of words overlaid on the background; nothing is clipped."""
    noise_peak = float(np.abs(noise.astype(np.int32)).max(initial=0)) * amplitude(noise_gain_db)
    peaks = [said.peak * amplitude(db) for (_, said), db in zip(placed, gains_db, strict=True)]
    highest_sum = noise_peak + max(peaks, default=0.0)
    down_db = min(0.0, decibels(PEAK_LIMIT / highest_sum)) if highest_sum else 0.0
    base = to_segment(noise, sample_rate).apply_gain(noise_gain_db + down_db)
    for (start_ms, said), gain_db in zip(placed, gains_db, strict=True):
        laid = to_segment(said.audio, sample_rate).apply_gain(gain_db + down_db)
        base = base.overlay(laid, position=start_ms)
    return from_segment(base)


def _normalized(audio: np.ndarray, target_dbfs: float, sample_rate: int) -> np.ndarray:
    peak = float(np.abs(audio.astype(np.int32)).max(initial=0))
    if not peak:
        return audio
    gain_db = min(target_dbfs - dbfs(rms(audio)), decibels(PEAK_LIMIT / peak))
    return from_segment(to_segment(audio, sample_rate).apply_gain(gain_db))
