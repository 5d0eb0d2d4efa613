"""Synthesized clips of a keyword that do not say what the others say, and are not trained on.

The judge comes from outside (`kws.speech.judge`). Only training clips of keywords are judged: of
another word it hardly matters how it was said, and what is tested must not depend on a judge.
"""

import dataclasses
import itertools
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from kws.splits import TRAIN
from kws.voices import render
from kws.voices.params import VoicesParams
from kws.voices.plan import Utterance
from kws.voices.render import ClipCache

CORPUS_FILE = "corpus.json"
KEY_IN_CORPUS_FILE = "dropped"


class Judgement(Protocol):
    """Of clips, in their order; see `kws.speech.judge.Judgement`."""

    @property
    def scores(self) -> np.ndarray: ...

    @property
    def threshold(self) -> float: ...

    @property
    def outliers(self) -> np.ndarray: ...

    @property
    def nearest(self) -> np.ndarray: ...


Judge = Callable[[Sequence[np.ndarray]], Judgement | None]
"""Takes clips of one word, int16 at 16 kHz; None where they are too few to be judged."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class DroppedClip:
    """A clip that is in the cache, and not in the corpus.

    Attributes:
      word: what it should say.
      file: its name, had it been in the corpus.
      key: of the clip in the cache.
      milliseconds: of it.
      score: distance to the clips that are most like it.
      threshold: how far that may be.
      like_file: name of the accepted clip that is nearest to it.
      like_key: of that clip in the cache.
      like_milliseconds: of that clip.
    """

    word: str
    file: str
    key: str
    milliseconds: int
    score: float
    threshold: float
    like_file: str
    like_key: str
    like_milliseconds: int

    @property
    def reason(self) -> str:
        return (
            f"{self.score / self.threshold - 1:.0%} beyond what is accepted "
            f"({self.score:.3f}, at most {self.threshold:.3f})"
        )


def file_name(utterance: Utterance) -> str:
    """The file of a word in the corpus."""
    return f"{utterance.word}/{utterance.speaker}_nohash_{utterance.take}.wav"


def find_outliers(
    params: VoicesParams, utterances: Sequence[Utterance], cache: ClipCache, judge: Judge
) -> list[DroppedClip]:
    """Judges the training clips of each keyword; the clips are in the cache.

    Each engine's clips are judged by each other. Takes of one voice are much more alike than people
    are: beside sixty of them, most of thirty other voices would be unlike the rest.
    """
    found = []
    engines = sorted({utterance.request.engine for utterance in utterances})
    for word, engine in itertools.product(params.keywords, engines):
        said = [
            u
            for u in utterances
            if (u.kind, u.word, u.split, u.request.engine) == ("word", word, TRAIN, engine)
        ]
        keys = [render.key(utterance.request) for utterance in said]
        stored = [cache.get(key) for key in keys]
        clips = [
            render.render(utterance.request) if clip is None else clip
            for utterance, clip in zip(said, stored, strict=True)
        ]
        judgement = judge(clips) if clips else None
        if judgement is None:
            continue
        milliseconds = [len(clip) * 1000 // render.SAMPLE_RATE for clip in clips]
        for place in np.flatnonzero(judgement.outliers):
            like = int(judgement.nearest[place])
            found.append(
                DroppedClip(
                    word=word,
                    file=file_name(said[place]),
                    key=keys[place],
                    milliseconds=milliseconds[place],
                    score=round(float(judgement.scores[place]), 4),
                    threshold=round(float(judgement.threshold), 4),
                    like_file=file_name(said[like]),
                    like_key=keys[like],
                    like_milliseconds=milliseconds[like],
                )
            )
    return found


def dropped_from(folder: Path) -> list[DroppedClip]:
    """What was dropped when the corpus in a folder was made; the farthest first."""
    told = json.loads((folder / CORPUS_FILE).read_text()).get(KEY_IN_CORPUS_FILE) or []
    return sorted((DroppedClip(**one) for one in told), key=lambda one: -one.score / one.threshold)
