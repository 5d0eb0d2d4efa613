"""A windowed int8 model over a stream: each frame is prepared once, and nothing else changes."""

import numpy as np
import pytest

from kws import features
from kws.detection.posteriors import SlidingModel, stream_posteriors
from kws.errors import KwsError
from tests.kws.runtime.conftest import FEATURE_PARAMS, random_features


def test_a_stream_s_posteriors_are_those_of_its_windows_one_by_one(trial, monkeypatch) -> None:
    monkeypatch.setattr("kws.runtime.tflite_model._FRAMES", 7)  # prepared in several pieces
    audio = np.random.default_rng(4).normal(0, 3000, 4 * 16000).astype(np.int16)
    frontend = features.create(FEATURE_PARAMS)
    assert isinstance(trial.int8, SlidingModel)
    _, rows = stream_posteriors(trial.int8, frontend, audio, clip_stride_ms=40)
    frames, heard = FEATURE_PARAMS.feature_shape[0], frontend.compute(audio)
    stride = int(40 // FEATURE_PARAMS.window_stride_ms)
    starts = range(0, len(heard) - frames + 1, stride)
    alone = [trial.int8.posteriors(heard[None, start : start + frames])[0] for start in starts]
    assert len(np.unique(rows, axis=0)) > 5
    np.testing.assert_array_equal(rows, alone)


@pytest.mark.parametrize("dtype, channels", [(np.float32, 40), (np.uint16, 13)])
def test_a_stream_of_another_frontend_is_refused(trial, dtype, channels) -> None:
    with pytest.raises(KwsError, match=r"the stream's features are .*fed uint16 \[frames, 40\]"):
        trial.int8.prepare(np.zeros((60, channels), dtype))


def test_a_window_prepared_is_what_the_device_puts_into_the_input(trial) -> None:
    window = random_features(np.random.default_rng(5), 1)
    np.testing.assert_array_equal(trial.int8.prepare(window[0]), trial.int8.quantize(window)[0])
