"""Deal: which clips each scene of a split is laid of, by their ids alone.

The plan is made in one place and is small; the audio goes only where it is needed.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from kws.augment.seed import digest, generator
from kws.errors import KwsError
from kws.scenes.params import SceneParams
from kws.splits import SPLITS, Split


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
