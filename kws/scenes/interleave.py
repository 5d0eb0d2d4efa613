"""Sections without keywords between the words of a stream, and a ground truth that says where."""

from collections.abc import Iterator

import numpy as np

from kws.scenes.ground_truth import GroundTruth, Span
from kws.scenes.negatives import EDGE_FADE_MS


def interleave(
    audio: np.ndarray, truth: GroundTruth, sections: Iterator[np.ndarray], every_s: float
) -> tuple[np.ndarray, GroundTruth]:
    """Cuts a stream in the middle of gaps, about every `every_s`, and puts a section into each cut.

    Every edge is faded over 20 ms. When `sections` runs out, the rest of the stream follows as it
    is: nothing is heard twice.

        words      --w---w--w----|               |--w----w---w--|          |---w--
        sections                 |  talk, talk   |              | a street |

    Args:
      audio: int16 `[samples]` of a stream of words.
      truth: of it.
      sections: int16 `[samples]` each, at the stream's rate, in which no keyword is said.
      every_s: so much of the stream at least between two sections, seconds.

    Returns:
      int16 `[samples]`, and the ground truth with later words moved and `negatives` filled.
    """
    rate = truth.sample_rate
    out: list[np.ndarray] = []
    words, spans = [], []
    taken = inserted = 0  # samples of the stream so far, and of sections
    next_starts_ms = [word.start_ms for word in truth.words[1:]]
    for i, word in enumerate(truth.words):
        moved_ms = round(inserted * 1000 / rate)
        update = {"start_ms": word.start_ms + moved_ms, "end_ms": word.end_ms + moved_ms}
        words.append(word.model_copy(update=update))
        if i == len(next_starts_ms):
            break
        cut = (word.end_ms + next_starts_ms[i]) // 2 * rate // 1000
        if cut - taken < every_s * rate:
            continue
        section = next(sections, None)
        if section is None:
            continue
        out += [_faded(audio[taken:cut], rate), _faded(section, rate)]
        start, taken = cut + inserted, cut
        inserted += len(section)
        spans.append(
            Span(start_ms=start * 1000 // rate, end_ms=-(-(start + len(section)) * 1000 // rate))
        )
    joined = np.concatenate([*out, _faded(audio[taken:], rate)]) if out else audio
    return joined, truth.model_copy(
        update={
            "duration_ms": len(joined) * 1000 // rate,
            "words": tuple(words),
            "negatives": tuple(spans),
        }
    )


def _faded(audio: np.ndarray, sample_rate: int) -> np.ndarray:
    """A copy with both edges faded."""
    fade = min(sample_rate * EDGE_FADE_MS // 1000, len(audio) // 2)
    ramp = np.linspace(0.0, 1.0, fade)
    piece = audio.copy()
    piece[:fade] = np.rint(piece[:fade] * ramp)
    piece[len(piece) - fade :] = np.rint(piece[len(piece) - fade :] * ramp[::-1])
    return piece
