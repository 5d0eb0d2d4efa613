"""The Beam side of streams: one element a stream, so that they are laid side by side."""

import dataclasses
import itertools
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
from absl import logging
from tfx.dsl.io import fileio

from components.audio_synthesizer.copies import METRICS
from components.audio_synthesizer.recordings import (
    load_backgrounds,
    load_piece,
    load_rooms,
    load_stream_talkers,
)
from kws.audio import clip as clips
from kws.audio.read import Unreadable
from kws.augment.rooms import room_bank
from kws.augment.seed import digest, generator
from kws.labels import UNKNOWN
from kws.scenes.conditions import Surroundings
from kws.scenes.ground_truth import GroundTruth
from kws.scenes.negatives import Piece, join_negatives, varied
from kws.scenes.params import StreamParams
from kws.scenes.stream import is_stream_word, lay_streams
from kws.scenes.wav import to_wav
from kws.splits import Split

LONGEST_STREAM_MINUTES = 10.0
SHORTEST_WORD_S = 0.2
"""Bounds how many clips are carried to a stream; more words than that do not fit."""

NamedStream = tuple[str, list[Piece]]
"""Stream id and what it is joined of."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class StreamRecordings:
    """The recordings of one split that its streams of words are laid with.

    Attributes:
      backgrounds: at least one.
      talkers: for babble, each with the pieces that it is joined of.
      room_paths: of recorded rooms.
    """

    backgrounds: Sequence[Piece]
    talkers: Sequence[Sequence[Piece]] = ()
    room_paths: Sequence[str] = ()


def stream_id(split: Split, number: int) -> str:
    """`words-eval-00`."""
    return f"words-{split}-{number:02d}"


def stream_count(params: StreamParams) -> int:
    """How many streams of words a split has, or has in each condition."""
    return math.ceil(params.minutes / LONGEST_STREAM_MINUTES)


def word_stream_ids(split: Split, params: StreamParams) -> list[str]:
    """All streams of words of a split: `words-eval-00`, or `words-eval-00-quiet` and so on."""
    endings = [f"-{name}" for name in params.conditions] or [""]
    return [
        f"{stream_id(split, i)}{ending}" for i in range(stream_count(params)) for ending in endings
    ]


def sample_streams(
    streams: Sequence[NamedStream], enough_ms: float, seed: int
) -> list[NamedStream]:
    """Whole streams, chosen by hash until they last `enough_ms`; in their order."""
    chosen, total_ms = set(), 0.0
    for name, pieces in sorted(streams, key=lambda stream: digest(seed, "sample", stream[0])):
        if total_ms >= enough_ms:
            break
        total_ms += _duration_ms((name, pieces))
        chosen.add(name)
    return [stream for stream in streams if stream[0] in chosen]


def plan_versions(streams: Sequence[NamedStream], hours: float) -> list[NamedStream]:
    """All streams in turn, as often as it takes until they last so long: `<stream id>-1`, ..."""
    lasting = [stream for stream in streams if _duration_ms(stream) > 0]
    versions: list[NamedStream] = []
    rest_ms = hours * 3_600_000
    for place, stream in enumerate(itertools.cycle(lasting)):
        if rest_ms <= 0:
            break
        name, pieces = stream
        versions.append((f"{name}-{1 + place // len(lasting)}", pieces))
        rest_ms -= _duration_ms(stream)
    return versions


def _duration_ms(stream: NamedStream) -> float:
    return sum(piece.duration_ms for piece in stream[1])


class LayStreams(beam.PTransform):
    """Serialized clips of one split to files in its folder, one in each condition; gives the ids of
    the streams.

    The clips are dealt to the streams by hash, and of those no more travel, lowest hash first,
    than a stream can hold.
    """

    def __init__(
        self,
        split: Split,
        recordings: StreamRecordings,
        params: StreamParams,
        sample_rate: int,
        folder: str,
    ):
        super().__init__()
        self._split = split
        self._params = params
        self._lay = LayStream(recordings, params.to_json(), sample_rate, split, folder)

    def expand(self, serialized: beam.PCollection) -> beam.PCollection:
        stream_s = 60 * min(self._params.minutes, LONGEST_STREAM_MINUTES)
        most = math.ceil(stream_s / (self._params.gap_s[0] + SHORTEST_WORD_S)) + 1
        return (
            serialized
            | "Deal" >> beam.FlatMap(deal, self._split, self._params.to_json())
            | "Sample" >> beam.combiners.Top.SmallestPerKey(most)
            | "DropKind" >> beam.MapTuple(lambda key, dealt: (key[0], [item[1] for item in dealt]))
            | "Gather" >> beam.GroupByKey()
            | "Lay" >> beam.ParDo(self._lay)
        )


def deal(
    serialized: bytes, split: Split, params_json: str
) -> Iterator[tuple[tuple[str, bool], tuple[bytes, bytes]]]:
    """A clip that may be laid, as ((stream id, whether an other word), (hash, clip))."""
    clip = clips.decode(serialized)
    if is_stream_word(clip):
        params = StreamParams.from_json(params_json)
        rank = digest(params.seed, "deal", clip.clip_id)
        number = int.from_bytes(rank[-4:], "big") % stream_count(params)
        yield (stream_id(split, number), clip.label == UNKNOWN), (rank, serialized)


class _StreamWriter(beam.DoFn):
    """Writes streams of one split, with the recordings of that split."""

    def __init__(
        self,
        recordings: StreamRecordings,
        params_json: str,
        sample_rate: int,
        split: Split,
        folder: str,
    ):
        self._recordings = recordings
        self._params_json = params_json
        self._sample_rate = sample_rate
        self._split = split
        self._folder = folder


class LayStream(_StreamWriter):
    """(Stream id, its clips) to two files in each condition; yields the ids of what was laid."""

    def __init__(self, *args: Any):
        super().__init__(*args)
        self._words = beam.metrics.Metrics.counter(METRICS, "words_laid")
        self._milliseconds = beam.metrics.Metrics.counter(METRICS, "milliseconds_of_word_streams")

    def setup(self) -> None:
        params = StreamParams.from_json(self._params_json)
        minutes = min(params.minutes, LONGEST_STREAM_MINUTES)
        self._params = params.model_copy(update={"minutes": minutes})
        self._surroundings = dataclasses.replace(
            _places(self._recordings, params, self._split, self._sample_rate),
            talkers=load_stream_talkers(self._recordings.talkers, self._sample_rate),
        )

    def process(self, dealt: tuple[str, Iterable[list[bytes]]]) -> Iterator[str]:
        name, kinds = dealt
        words = [clips.decode(serialized) for kind in kinds for serialized in kind]
        for audio, truth in lay_streams(words, self._surroundings, self._params, name):
            write_stream(self._folder, audio, truth)
            self._words.inc(len(truth.words))
            self._milliseconds.inc(truth.duration_ms)
            yield truth.stream_id


class JoinNegatives(beam.DoFn):
    """(Stream id, pieces) to two files; yields the id."""

    def __init__(self, sample_rate: int, folder: str):
        self._sample_rate = sample_rate
        self._folder = folder
        self._milliseconds = beam.metrics.Metrics.counter(METRICS, "milliseconds_of_negatives")

    def process(self, stream: NamedStream) -> Iterator[str]:
        joined = _joined(stream, self._sample_rate)
        if joined is not None:
            audio, truth = joined
            write_stream(self._folder, audio, truth)
            self._milliseconds.inc(truth.duration_ms)
            yield truth.stream_id


class VaryNegatives(_StreamWriter):
    """(Stream id, pieces) to two files of another version (`vary`); yields the id."""

    def setup(self) -> None:
        self._params = StreamParams.from_json(self._params_json)
        self._places = _places(self._recordings, self._params, self._split, self._sample_rate)

    def process(self, stream: NamedStream) -> Iterator[str]:
        joined = _joined(stream, self._sample_rate)
        if joined is None:
            return
        audio, truth = joined
        rng = generator(self._params.seed, "varied", truth.stream_id)
        changed = varied(audio, self._places.backgrounds, self._places.rooms, rng)
        duration_ms = len(changed) * 1000 // self._sample_rate
        # The sections have moved, and no one reads those of a version.
        version = truth.model_copy(update={"duration_ms": duration_ms, "negatives": ()})
        write_stream(self._folder, changed, version)
        yield version.stream_id


def _places(
    recordings: StreamRecordings, params: StreamParams, split: Split, sample_rate: int
) -> Surroundings:
    """Backgrounds and rooms of a split."""
    rooms = room_bank(params.seed, split, params.most_rooms, sample_rate)
    return Surroundings(
        backgrounds=load_backgrounds(recordings.backgrounds, sample_rate),
        rooms=rooms + load_rooms(recordings.room_paths, sample_rate),
    )


def _joined(stream: NamedStream, sample_rate: int) -> tuple[np.ndarray, GroundTruth] | None:
    """What can be read of a stream's pieces; None if nothing can."""
    name, pieces = stream
    audios, joined = [], []
    for piece in pieces:
        try:
            audios.append(load_piece(piece, sample_rate))
            joined.append(piece)
        except Unreadable as error:
            logging.warning("Negatives %s are left out: %s", piece.path, error)
    return join_negatives(audios, sample_rate, name, joined) if audios else None


def write_stream(folder: str, audio: np.ndarray, truth: GroundTruth) -> None:
    """Writes `<stream id>.wav` and then `<stream id>.json`."""
    fileio.makedirs(folder)
    path = os.path.join(folder, truth.stream_id)
    with fileio.open(f"{path}.wav", "wb") as file:
        file.write(to_wav(audio, truth.sample_rate))
    with fileio.open(f"{path}.json", "w") as file:
        file.write(truth.to_json() + "\n")
