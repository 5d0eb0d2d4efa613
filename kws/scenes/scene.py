"""Lays out scenes: a few words over some seconds of background, with a label vector.

`deal` assigns clips to the scenes of a split by their ids alone, in one place; audio only goes
where it is needed. Words are placed at random without overlap, with a bounded number of attempts.
The label vector says what a model that answers at every step should output.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from kws.audio.clip import Clip
from kws.augment.level import amplitude, dbfs, decibels, rms
from kws.augment.seed import digest, generator
from kws.augment.surroundings import cut_background
from kws.errors import KwsError
from kws.labels import SILENCE, UNKNOWN
from kws.scenes.ground_truth import GroundTruth
from kws.scenes.params import SceneParams
from kws.scenes.section import (
    MARGIN_MS,
    PEAK_LIMIT,
    Utterance,
    cut_utterance,
    from_segment,
    to_segment,
    whole_clip,
)
from kws.splits import SPLITS, Split

Segment = tuple[int, int]
"""Start and end in ms."""


def is_overlapping(segment: Segment, previous: Iterable[Segment]) -> bool:
    """True if a segment meets any of those before it.

    To share an endpoint is to overlap:

        previous      |-----|
        overlapping |--|   |---|
        overlapping         |-----|
        not                  |-----|
    """
    start_ms, end_ms = segment
    return any(start_ms <= end and end_ms >= start for start, end in previous)


def find_place(
    length_ms: int,
    duration_ms: int,
    previous: Sequence[Segment],
    tries: int,
    rng: np.random.Generator,
) -> Segment | None:
    """Draws places for a segment, evenly over the scene, until one is free.

    Args:
      length_ms: of the segment.
      duration_ms: of the scene; the segment lies wholly inside.
      previous: what has its place already.
      tries: how often at most.
      rng: draws the places.

    Returns:
      The place, or None: none of the tries was free, or the segment is longer than the scene.
    """
    if length_ms > duration_ms:
        return None
    for _ in range(tries):
        start_ms = int(rng.integers(duration_ms - length_ms + 1))
        if not is_overlapping((start_ms, start_ms + length_ms), previous):
            return start_ms, start_ms + length_ms
    return None


def label_vector(
    ends_ms: Iterable[int], duration_ms: int, steps: int, label_steps: int
) -> np.ndarray:
    """Ones after the end of each keyword, zeros elsewhere.

    The scene is divided into `steps` equal parts. If a keyword ends in part k, the parts k + 1 to
    k + `label_steps` are 1: strictly after the end, and never past the end of the scene.

        speech      ......#######.............................
        steps       | | | | | | |k|1|1|1| | | | | | | | | | |      label_steps = 3

    Args:
      ends_ms: where keywords end, 0 to `duration_ms`.
      duration_ms: of the scene.
      steps: length of the vector (Ty of the trigger-word assignment).
      label_steps: ones after each keyword.

    Returns:
      int64 `[steps]` of 0 and 1.
    """
    labels = np.zeros(steps, np.int64)
    for end_ms in ends_ms:
        step = end_ms * steps // duration_ms
        labels[step + 1 : step + 1 + label_steps] = 1
    return labels


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scene:
    """A laid scene.

    Attributes:
      audio: int16 `[samples]`.
      steps: int64 `[SceneParams.steps]`, see `kws.scenes.scene`.
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


@dataclasses.dataclass(frozen=True)
class Deal:
    """The clips of one scene, keywords first."""

    scene_id: str
    clip_ids: tuple[str, ...]


def scene_id(split: Split, number: int) -> str:
    """`scene-eval-00007`."""
    return f"scene-{split}-{number:05d}"


def scene_count(split: Split, params: SceneParams) -> int:
    """How many scenes a split has."""
    return params.scenes[SPLITS.index(split)]


def deal_scenes(
    positives: Iterable[str], negatives: Iterable[str], split: Split, params: SceneParams
) -> Iterator[Deal]:
    """Deals clips to the scenes of a split like two packs of cards.

    How many words a scene has is drawn by its own generator. The clips come in the order of a hash
    of seed, split, turn and clip, so the order in which they are given does not matter; a clip
    comes again only when all of its kind were dealt. More scenes leave the first ones as they were.

    Args:
      positives: ids of clips of keywords.
      negatives: ids of clips of other words.
      split: names the scenes.
      params: how many scenes, and words in each.

    Raises:
      KwsError: words of a kind are asked for, and the split has none.
    """
    keywords, others = sorted(positives), sorted(negatives)
    for name, ids in (("positives", keywords), ("negatives", others)):
        wanted = getattr(params, name)
        if wanted[1] and not ids and scene_count(split, params):
            kind = "a keyword" if name == "positives" else "another word"
            raise KwsError(
                f"split {split} has no clip of {kind} for its scenes ({name}={list(wanted)})",
                hint=f"add clips of more speakers, or set scenes.{name}=[0, 0]",
            )
    keyword_pack = _pack(keywords, params.seed, split)
    other_pack = _pack(others, params.seed, split)
    for number in range(scene_count(split, params)):
        name = scene_id(split, number)
        rng = generator(params.seed, "words", name)
        counts = [
            int(rng.integers(low, high, endpoint=True))
            for low, high in (params.positives, params.negatives)
        ]
        dealt = [next(keyword_pack) for _ in range(counts[0])]
        dealt += [next(other_pack) for _ in range(counts[1])]
        yield Deal(name, tuple(dealt))


def most_dealt(split: Split, params: SceneParams) -> int:
    """No more clips of a kind than this are needed, those of the lowest `first_rank`."""
    return scene_count(split, params) * max(params.positives[1], params.negatives[1])


def first_rank(seed: int, split: Split, clip_id: str) -> bytes:
    """By this the clips of a kind are dealt, before any comes again."""
    return _rank(seed, split, 0, clip_id)


def scene_generator(params: SceneParams, name: str) -> np.random.Generator:
    """The generator with which the scene of that id is laid."""
    return generator(params.seed, "scene", name)


def _pack(ids: Sequence[str], seed: int, split: Split) -> Iterator[str]:
    """Endless, shuffled anew at every turn."""
    turn = 0
    while True:
        yield from sorted(ids, key=lambda clip_id: _rank(seed, split, turn, clip_id))
        turn += 1


def _rank(seed: int, split: Split, turn: int, clip_id: str) -> bytes:
    return digest(seed, "deal", split, turn, clip_id)
