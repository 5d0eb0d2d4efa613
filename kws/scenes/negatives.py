"""Streams of long recordings in which no keyword is said: every detection is a false accept."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from kws.augment.seed import generator
from kws.scenes.ground_truth import GroundTruth, Span
from kws.scenes.piece import Piece

EDGE_FADE_MS = 20
TALKER_MS = 30_000.0
"""About as long as a section of a stream, for which a talker of babble is needed."""
MOST_TALKERS = 40
"""Held in memory by a worker: 38 MB at 16 kHz."""
ENOUGH_TALKERS = 6
"""Recordings of people; with fewer, synthesized sentences talk as well."""


def plan_negatives(recordings: Sequence[Piece], chunk_ms: float) -> list[list[Piece]]:
    """Cuts long recordings and gathers short ones into streams of about `chunk_ms`.

    A recording longer than a chunk is cut into equal pieces, each at most a chunk long; pieces are
    then put together, in order, as long as they fit into one chunk. Nothing is left out.

    Args:
      recordings: what a split may use, in a stable order.
      chunk_ms: length of a stream, above 0.

    Returns:
      The pieces of each stream, to be joined.
    """
    streams: list[list[Piece]] = []
    free_ms = 0.0
    for whole in recordings:
        count = max(1, math.ceil(whole.duration_ms / chunk_ms - 1e-9))
        step = whole.duration_ms / count
        for i in range(count):
            start_ms, stop_ms = (whole.start_ms + n * step for n in (i, i + 1))
            piece = dataclasses.replace(whole, start_ms=start_ms, stop_ms=stop_ms)
            if not streams or step > free_ms + 1e-6:
                streams.append([])
                free_ms = chunk_ms
            streams[-1].append(piece)
            free_ms -= step
    return streams


def plan_talkers(recordings: Sequence[Piece], seed: int) -> list[list[Piece]]:
    """Stretches of speech for babble: recorded ones, or if they are few, synthesized ones as well.

    Args:
      recordings: without keywords, of one split, in a stable order.
      seed: chooses among more than `MOST_TALKERS`.

    Returns:
      The pieces of each talker, to be joined.
    """
    talkers: list[list[Piece]] = []
    for synthesized in (False, True):
        if len(talkers) < ENOUGH_TALKERS:
            kind = [piece for piece in recordings if piece.synthesized == synthesized]
            talkers += plan_negatives(kind, TALKER_MS)
    chosen = generator(seed, "talkers").permutation(len(talkers))[:MOST_TALKERS]
    return [talkers[place] for place in sorted(chosen)]


def join_negatives(
    audios: Sequence[np.ndarray], sample_rate: int, stream_id: str, pieces: Sequence[Piece] = ()
) -> tuple[np.ndarray, GroundTruth]:
    """Joins the pieces of a stream; each is faded over 20 ms where it meets another.

    Args:
      audios: int16 `[samples]` each, at least one.
      sample_rate: Hz.
      stream_id: name of the stream.
      pieces: where each is from; none: it is not known.

    Returns:
      int16 `[samples]` and a ground truth without words, which says which collection is where, and
      where speech is synthesized.
    """
    faded = []
    for i, audio in enumerate(audios):
        fade = min(sample_rate * EDGE_FADE_MS // 1000, len(audio) // 2)
        ramp = np.linspace(0.0, 1.0, fade)
        piece = audio.copy()
        if i > 0:
            piece[:fade] = np.rint(piece[:fade] * ramp)
        if i < len(audios) - 1:
            piece[len(piece) - fade :] = np.rint(piece[len(piece) - fade :] * ramp[::-1])
        faded.append(piece)
    joined = np.concatenate(faded)
    ends_ms = [0, *(int(end) * 1000 // sample_rate for end in np.cumsum([len(a) for a in audios]))]
    truth = GroundTruth(
        stream_id=stream_id,
        kind="negatives",
        duration_ms=len(joined) * 1000 // sample_rate,
        sample_rate=sample_rate,
        negatives=tuple(
            Span(
                start_ms=ends_ms[i],
                end_ms=ends_ms[i + 1],
                source=piece.source,
                synthesized=piece.synthesized,
            )
            for i, piece in enumerate(pieces)
            if piece.source or piece.synthesized
        ),
    )
    return joined, truth
