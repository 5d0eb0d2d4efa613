"""Streams of long recordings without keywords, in which every detection is a false accept.

`interleave` puts such recordings between the words of a stream. `vary` makes further versions of
them: a few minutes of recordings say little about how rarely a score is high. Played faster or
slower they come from other vocal tracts, and with a room or a background they reach the
microphone differently, so each version causes different false accepts. Versions are not
additional evidence: they only help to fit the tail of the scores (`kws.detection.threshold`).
False accepts and hours are counted on the original recordings.
"""

import dataclasses
import math
from collections.abc import Iterator, Sequence

import numpy as np

from kws.augment.level import amplitude, rms, to_int16, with_gain
from kws.augment.rooms import Room, reverberate
from kws.augment.seed import generator
from kws.augment.surroundings import cut_background
from kws.augment.time_scale import change_speed
from kws.scenes.ground_truth import GroundTruth, Span


@dataclasses.dataclass(frozen=True)
class Piece:
    """A stretch of a recording.

    Attributes:
      path: of the recording.
      start_ms: where it begins in the recording.
      stop_ms: where it ends.
      source: the collection that it is from; "" where unknown.
      synthesized: whether a text-to-speech voice talks in it.
    """

    path: str
    start_ms: float
    stop_ms: float
    source: str = ""
    synthesized: bool = False

    @property
    def duration_ms(self) -> float:
        return self.stop_ms - self.start_ms


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


VARIED_FOLDER = "varied"
"""Beside those of the splits: versions of split eval's negatives."""
SPEED = (0.85, 1.18)
SNR_DB = (10.0, 25.0)


def varied(
    audio: np.ndarray,
    backgrounds: Sequence[np.ndarray],
    rooms: Sequence[Room],
    rng: np.random.Generator,
) -> np.ndarray:
    """Another version of a recording: at another speed, and in two of three cases elsewhere.

    Args:
      audio: int16 `[samples]`.
      backgrounds: int16 `[samples]` each, at its rate; over one of them, at 10 to 25 dB.
      rooms: at its rate; reverberating in one of them.
      rng: draws all of it.

    Returns:
      int16 `[about samples / speed]`; turned down where it would pass full scale.
    """
    changed = change_speed(audio.astype(np.float32), float(rng.uniform(*SPEED)))
    place = rng.choice(["same", "room", "background"])
    if place == "room" and rooms:
        changed = reverberate(changed, rooms[int(rng.integers(len(rooms)))])
    elif place == "background" and backgrounds:
        background = backgrounds[int(rng.integers(len(backgrounds)))]
        noise = cut_background(background, len(changed), rng).astype(np.float32)
        level = rms(noise)
        if level > 0:
            snr = amplitude(float(rng.uniform(*SNR_DB)))
            changed = changed + noise * np.float32(rms(changed) / (snr * level))
    return to_int16(with_gain(changed, 1.0))
