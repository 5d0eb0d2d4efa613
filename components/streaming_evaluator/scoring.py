"""Scores streams by Beam: each stream's posteriors go to a file beside the evaluation."""

import io
import os
from collections.abc import Iterator
from typing import NamedTuple

import apache_beam as beam
import numpy as np
from tfx.dsl.io import fileio

from components import staging
from kws.audio.read import Unreadable, read
from kws.detection.posteriors import (
    LONGEST_STREAM_MS,
    ScoringModel,
    StreamFrontend,
    StreamPosteriors,
    stream_posteriors,
)
from kws.errors import KwsError
from kws.scenes.ground_truth import GroundTruth


class StreamJob(NamedTuple):
    """One stream to score: the recording, and where its posteriors go."""

    wav: str
    npz: str


def load(model_folder: str, runtime: str = "tflite") -> tuple[ScoringModel, StreamFrontend]:
    """The int8 model of a folder in that runtime, and the frontend that it was trained with."""
    from kws import features
    from kws.runtime import load as int8

    with staging.copied(model_folder) as folder:
        model = int8.load_folder(folder, runtime=runtime)  # type: ignore[arg-type]
    return model, features.create(model.feature_params)


def audio_of(job: StreamJob, sample_rate: int) -> np.ndarray:
    """int16 `[samples]` of a stream; raises KwsError if it cannot be read."""
    with fileio.open(job.wav, "rb") as file:
        content = io.BytesIO(file.read())
    try:
        return read(content, sample_rate, max_duration_ms=LONGEST_STREAM_MS).audio
    except Unreadable as error:
        raise KwsError(f"the stream {job.wav} cannot be read: {error}") from error


def store(job: StreamJob, **arrays: np.ndarray) -> None:
    """Writes what a model said over a stream."""
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays)
    with fileio.open(job.npz, "wb") as file:
        file.write(packed.getvalue())


@beam.typehints.with_input_types(StreamJob)
@beam.typehints.with_output_types(str)
class ScoreStreams(beam.PTransform):
    """Runs an int8 model over streams; gives the paths of the files written.

    Each file holds `times_ms` int64 `[n]` and `posteriors` float32 `[n, labels]`.
    """

    def __init__(self, model_folder: str, clip_stride_ms: int, runtime: str = "tflite"):
        super().__init__()
        self._score = _Score(model_folder, clip_stride_ms, runtime)

    def expand(self, jobs: beam.PCollection) -> beam.PCollection:
        # Streams are few and long: without the reshuffle one worker would get them all.
        return jobs | "Spread" >> beam.Reshuffle() | "Score" >> beam.ParDo(self._score)


class _Score(beam.DoFn):
    def __init__(self, model_folder: str, clip_stride_ms: int, runtime: str):
        self._model_folder = model_folder
        self._clip_stride_ms = clip_stride_ms
        self._runtime = runtime
        self._streams = beam.metrics.Metrics.counter("streaming_evaluator", "streams")
        self._seconds = beam.metrics.Metrics.counter("streaming_evaluator", "seconds_of_audio")

    def setup(self) -> None:
        self._model, self._frontend = load(self._model_folder, self._runtime)

    def process(self, job: StreamJob) -> Iterator[str]:
        audio = audio_of(job, self._frontend.params.sample_rate)
        times_ms, posteriors = stream_posteriors(
            self._model, self._frontend, audio, self._clip_stride_ms
        )
        store(job, times_ms=times_ms, posteriors=posteriors)
        self._streams.inc()
        self._seconds.inc(audio.size // self._frontend.params.sample_rate)
        yield job.npz


def jobs(split_uri: str, target: str) -> list[StreamJob]:
    """A job for each recording of a split, in order; makes the target's folder.

    Raises:
      KwsError: the split holds no streams.
    """
    found = fileio.listdir(split_uri) if fileio.isdir(split_uri) else []
    names = sorted(name for name in map(str, found) if name.endswith(".wav"))
    if not names:
        raise KwsError(f"{split_uri} holds no stream", hint="expected <id>.wav beside <id>.json")
    fileio.makedirs(target)
    return [
        StreamJob(
            wav=os.path.join(split_uri, name),
            npz=os.path.join(target, name.removesuffix(".wav") + ".npz"),
        )
        for name in names
    ]


def gather(job: StreamJob) -> StreamPosteriors:
    """A stream's ground truth and what a model said over it."""
    stored = stored_arrays(job)
    return StreamPosteriors(
        truth=truth(job), times_ms=stored["times_ms"], posteriors=stored["posteriors"]
    )


def truth(job: StreamJob) -> GroundTruth:
    """The ground truth of a stream, read from the JSON file beside its recording."""
    return GroundTruth.from_json(read_bytes(job.wav.removesuffix(".wav") + ".json"))


def stored_arrays(job: StreamJob) -> dict[str, np.ndarray]:
    """What was written for a stream."""
    with np.load(io.BytesIO(read_bytes(job.npz))) as stored:
        return dict(stored)


def read_bytes(path: str) -> bytes:
    """A file's content."""
    with fileio.open(path, "rb") as file:
        return file.read()
