"""A judge of synthesized clips: finds those of a phrase that are unlike all others.

A text-to-speech engine sometimes mispronounces, repeats, cuts off or says nothing at all, and such
clips teach a model a wrong word. All clips of one phrase say the same sounds in the same order, so
their embeddings follow the same path, faster or slower. Each clip is compared with others along the
best alignment of the two paths (dynamic time warping), and what is far even from those that are
nearest to it is not the phrase. They are the clips as the engine made them: noise and rooms are
unlike the others too.

    judgement = judge_clips(clips)       # int16 at 16 kHz, of one phrase, of any lengths
    kept = [clip for clip, outlier in zip(clips, judgement.outliers) if not outlier]
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from kws.errors import KwsError
from kws.features.frontend import check_audio
from kws.features.speech_mel import PARAMS
from kws.speech.embedding import embed_clips, embedding_count
from kws.speech.network import EMBEDDING_HOP_MS

LEAD_IN_MS, LEAD_OUT_MS = 640, 240
"""Silence around a clip: a path that begins before the phrase is heard and ends after it."""
MOST_REFERENCES = 64
"""Clips that each is compared with; with more of a phrase, so many spread evenly over all."""
FEWEST_CLIPS = 8
"""With fewer there is no telling what is usual."""
MAD_TO_DEVIATION = 1.4826
"""A normal distribution's standard deviation over its median absolute deviation."""
THRESHOLD_DEVIATIONS = 3.3
"""How far above the median a score may be.

Chosen on two phrases by 36 voices each, held against a third ("jarvis"): 1 of 72 and 1 of 36 clips
were dropped as they are. Of corrupted ones, each judged among those of its phrase: all 33 that were
reversed, noise or silence, 32 of 36 second halves, 21 of 36 similar phrases, 11 of 36 first halves
(1 of 12 of "jarvis"), 5 of 27 that said it twice.
"""
CLIPS_AT_A_TIME = 256
"""Embedded together: they are of about one length."""
NEAREST = 0.15
"""Of the other clips, those that a clip is scored by: accents have few neighbours, and the same
mistake made by more clips than these is not seen."""
FEWEST_NEAREST = 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class Judgement:
    """What `judge_clips` found.

    Attributes:
      scores: float64 `[clips]`: the mean distance to the nearest of the other clips, 0 to 2.
      threshold: of the scores.
      outliers: bool `[clips]`: `scores > threshold`.
      nearest: int64 `[clips]`: the place of the other clip, not an outlier, that is most like each.
    """

    scores: np.ndarray
    threshold: float
    outliers: np.ndarray
    nearest: np.ndarray

    @property
    def count(self) -> int:
        """Of outliers."""
        return int(self.outliers.sum())


def judge_clips(
    clips: Sequence[np.ndarray], threshold_deviations: float = THRESHOLD_DEVIATIONS
) -> Judgement:
    """Scores the clips of one phrase; the same clips in the same order give the same scores.

    Args:
      clips: int16 `[samples]` at 16 kHz, each saying the phrase, without silence around it.
      threshold_deviations: how far above the median of all scores a clip is an outlier, in robust
        standard deviations.

    Raises:
      KwsError: fewer clips than can be judged.
      ValueError: a clip is not int16 of one dimension.
    """
    return judge_paths(embedding_paths(clips), threshold_deviations)


def judge_paths(
    paths: Sequence[np.ndarray], threshold_deviations: float = THRESHOLD_DEVIATIONS
) -> Judgement:
    """`judge_clips` of what `embedding_paths` gave."""
    if len(paths) < FEWEST_CLIPS:
        raise KwsError(
            f"{len(paths)} clips of a phrase cannot be judged by each other",
            hint=f"at least {FEWEST_CLIPS}",
        )
    references = np.arange(0, len(paths), -(-len(paths) // MOST_REFERENCES))
    distances = np.stack([warped_distances(path, [paths[i] for i in references]) for path in paths])
    scores = np.array(
        [_mean_of_nearest(row[references != number]) for number, row in enumerate(distances)]
    )
    centre = float(np.median(scores))
    deviation = MAD_TO_DEVIATION * float(np.median(np.abs(scores - centre)))
    threshold = centre + threshold_deviations * deviation
    outliers = scores > threshold
    distances[:, outliers[references]] = np.inf
    distances[references, np.arange(len(references))] = np.inf
    nearest = references[distances.argmin(axis=1)]
    return Judgement(scores=scores, threshold=threshold, outliers=outliers, nearest=nearest)


def _mean_of_nearest(distances: np.ndarray) -> float:
    count = max(FEWEST_NEAREST, round(NEAREST * len(distances)))
    return float(np.sort(distances)[:count].mean())


def embedding_paths(clips: Sequence[np.ndarray]) -> list[np.ndarray]:
    """float32 `[n, 96]` of each, rows of length 1: the embeddings of clips between silences."""
    per_ms = PARAMS.sample_rate // 1000
    hop = EMBEDDING_HOP_MS * per_ms
    # Whole hops, so that the end of a clip is not cut off by chance.
    lengths = [
        LEAD_IN_MS * per_ms + -(-len(clip) // hop) * hop + LEAD_OUT_MS * per_ms for clip in clips
    ]
    paths: list[np.ndarray] = [np.empty(0)] * len(clips)
    # An embedding is of what it spans and nothing after it: silence may follow a shorter clip.
    places = sorted(range(len(clips)), key=lambda place: lengths[place])
    for start in range(0, len(places), CLIPS_AT_A_TIME):
        batch = places[start : start + CLIPS_AT_A_TIME]
        padded = np.zeros((len(batch), lengths[batch[-1]]), np.int16)
        for row, place in enumerate(batch):
            check_audio(clips[place], ndim=1)
            padded[row, LEAD_IN_MS * per_ms :][: len(clips[place])] = clips[place]
        for place, embeddings in zip(batch, embed_clips(padded), strict=True):
            own = embeddings[: embedding_count(lengths[place])]
            paths[place] = own / np.linalg.norm(own, axis=1, keepdims=True)
    return paths


def warped_distances(path: np.ndarray, others: Sequence[np.ndarray]) -> np.ndarray:
    """float64 `[others]`: mean cosine distance along the best alignment of two paths.

    Dynamic time warping (H. Sakoe, S. Chiba, 1978): a step forward in both paths weighs two, in one
    alone one, so that the sum of the weights is the length of both together, however they align.

    Args:
      path: float32 `[n, 96]` of length 1 each.
      others: likewise.
    """
    columns = np.array([len(other) for other in others])
    local = np.zeros((len(path), columns.max(), len(others)))
    for number, other in enumerate(others):
        local[:, : len(other), number] = 1.0 - path @ other.T
    total = np.full((len(path) + 1, columns.max() + 1, len(others)), np.inf)
    total[0, 0] = 0.0
    for i, j in np.ndindex(local.shape[:2]):
        both = total[i, j] + 2 * local[i, j]
        one = np.minimum(total[i, j + 1], total[i + 1, j]) + local[i, j]
        np.minimum(both, one, out=total[i + 1, j + 1])
    ends = total[len(path), columns, np.arange(len(others))]
    return ends / (len(path) + columns)
