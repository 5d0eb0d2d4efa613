"""The eval streams' part of MicroValidator: enough of them, through TFLM and through TFLite."""

import io
import os

import numpy as np
from tfx.dsl.io import fileio

from kws import features
from kws.audio.read import Unreadable, read
from kws.detection.params import DetectorParams
from kws.detection.posteriors import LONGEST_STREAM_MS
from kws.errors import KwsError
from kws.runtime import load, validate


def compare(
    folder: str, streams_uri: str, split: str, seconds: float, detector: DetectorParams
) -> validate.StreamParity:
    """Compares the two runtimes on the first `seconds` of a split's streams, as one stream.

    Streams of words come first: in those of negatives there may be nothing to detect.

    Args:
      folder: MicroConverter's Format-Serving.
      streams_uri: of AudioStreams.
      split: of these.
      seconds: of audio; all of it where there is less.
      detector: how often the model runs, and how posteriors become detections.

    Raises:
      KwsError: there is no stream, or one cannot be read.
    """
    model, on_device = (load.load_folder(folder, runtime=kind) for kind in ("tflite", "tflm"))
    frontend = features.create(model.feature_params)
    sample_rate = model.feature_params.sample_rate
    uri = os.path.join(streams_uri, f"Split-{split}")
    found = [str(name) for name in fileio.listdir(uri)] if fileio.isdir(uri) else []
    names = sorted((name for name in found if name.endswith(".wav")), key=_words_first)
    if not names:
        raise KwsError(f"{uri} holds no stream", hint="expected <id>.wav beside <id>.json")
    heard: list[np.ndarray] = []
    for name in names:
        if sum(map(len, heard)) < seconds * sample_rate:
            heard.append(_read(os.path.join(uri, name), sample_rate))
    audio = np.concatenate(heard)[: round(seconds * sample_rate)]
    return validate.compare_streams(model, on_device, frontend, audio, detector)


def _words_first(name: str) -> tuple[bool, str]:
    return not name.startswith("words-"), name


def _read(path: str, sample_rate: int) -> np.ndarray:
    with fileio.open(path, "rb") as file:
        content = io.BytesIO(file.read())
    try:
        return read(content, sample_rate, max_duration_ms=LONGEST_STREAM_MS).audio
    except Unreadable as error:
        raise KwsError(f"the stream {path} cannot be read: {error}") from error
