"""The streams of a split: which there are, where their scores go, and reading both back."""

import io
import os

import numpy as np
from tfx.dsl.io import fileio

from components.streaming_evaluator.scoring import StreamJob
from kws.errors import KwsError
from kws.scenes.ground_truth import GroundTruth
from kws.streaming.scored_stream import StreamPosteriors


def jobs(split_uri: str, target: str) -> list[StreamJob]:
    """A job for each recording of a split, in order; makes the target's folder.

    Raises:
      KwsError: there is no recording.
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
    """What is said in the stream."""
    return GroundTruth.from_json(read(job.wav.removesuffix(".wav") + ".json"))


def stored_arrays(job: StreamJob) -> dict[str, np.ndarray]:
    """What was written for a stream."""
    with np.load(io.BytesIO(read(job.npz))) as stored:
        return dict(stored)


def read(path: str) -> bytes:
    """A file's content."""
    with fileio.open(path, "rb") as file:
        return file.read()
