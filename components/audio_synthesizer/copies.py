"""The Beam side of noisy copies: one element a clip."""

from collections.abc import Iterator, Sequence

import apache_beam as beam

from components.audio_synthesizer.recordings import (
    load_backgrounds,
    load_rooms,
    load_silence,
    load_talkers,
)
from components.records import PlacedRecord
from kws.audio import clip as clips
from kws.augment.mix import noisy_copy
from kws.augment.params import NoisyCopyParams
from kws.augment.partial import partial_copy
from kws.augment.rooms import room_bank
from kws.augment.seed import generator
from kws.errors import KwsError
from kws.scenes.negatives import Piece
from kws.splits import TRAIN, Split

METRICS = "kws.AudioSynthesizer"


class NoisyCopies(beam.DoFn):
    """Placed clips to their noisy copies in the same places (the originals do not come out).

    Each copy has a generator of its own, from the seed, the clip and the number of the copy: the
    order of clips and the number of workers change nothing. A split's rooms are its own; they are
    simulated once a process, where copies are wanted in rooms at all, and as many recorded ones are
    loaded, where a corpus has them. So are its talkers, where people are to be heard around a word.
    """

    def __init__(
        self,
        pieces: Sequence[Piece],
        params_json: str,
        sample_rate: int,
        split: Split = TRAIN,
        room_paths: Sequence[str] = (),
        talkers: Sequence[Piece] = (),
        silence: str = "",
    ):
        """Constructs the step.

        Args:
          pieces: backgrounds.
          params_json: NoisyCopyParams.
          sample_rate: Hz.
          split: of the clips.
          room_paths: recorded rooms.
          talkers: negatives in which people talk.
          silence: folder of audio examples whose `_silence_` clips are the backgrounds, in place of
            `pieces`.
        """
        self._silence = silence
        self._talker_pieces = list(talkers)
        self._room_paths = list(room_paths)
        self._pieces = list(pieces)
        self._params_json = params_json
        self._sample_rate = sample_rate
        self._split = split
        self._made = beam.metrics.Metrics.counter(METRICS, "noisy_copies")
        self._parts = beam.metrics.Metrics.counter(METRICS, "partial_copies")
        self._milliseconds = beam.metrics.Metrics.counter(METRICS, "milliseconds_of_noisy_copies")

    def setup(self) -> None:
        self._params = NoisyCopyParams.from_json(self._params_json)
        self._backgrounds = (
            load_silence(self._silence, self._sample_rate, self._params.seed)
            if self._silence
            else load_backgrounds(self._pieces, self._sample_rate)
        )
        needed = self._params.needs_talkers(self._split)
        pieces = self._talker_pieces if needed else []
        self._talkers = load_talkers(pieces, self._sample_rate)
        augment = self._params.augment
        count = augment.rooms if augment.reverb_share else 0
        # Where there are recorded ones, about every other room is recorded.
        self._rooms = room_bank(self._params.seed, self._split, count, self._sample_rate)
        if count:
            self._rooms += load_rooms(self._room_paths, self._sample_rate)

    def process(self, placed: PlacedRecord) -> Iterator[PlacedRecord]:
        place, serialized = placed
        clip = clips.decode(serialized)
        if clip.sample_rate != self._sample_rate:
            raise KwsError(
                f"clip {clip.clip_id} is at {clip.sample_rate} Hz, AudioSynthesizer's sample_rate "
                f"is {self._sample_rate}"
            )
        for number in range(self._params.copies_of(clip.label, self._split)):
            rng = generator(self._params.seed, "noisy", clip.clip_id, number)
            background = self._backgrounds[int(rng.integers(len(self._backgrounds)))]
            copy = noisy_copy(clip, background, self._params, rng, self._rooms, self._talkers)
            self._made.inc()
            yield place, self._counted(copy)
        for number in range(self._params.partial_copies_of(clip.label, self._split)):
            rng = generator(self._params.seed, "partial", clip.clip_id, number)
            background = self._backgrounds[int(rng.integers(len(self._backgrounds)))]
            part = partial_copy(clip, background, self._params, rng, self._rooms, self._talkers)
            if part is not None:
                self._parts.inc()
                yield place, self._counted(part)

    def _counted(self, copy: clips.Clip) -> bytes:
        self._milliseconds.inc(len(copy.audio) * 1000 // copy.sample_rate)
        return clips.encode(copy)
