"""speech_mel against the window and filters that the embedding came with."""

from pathlib import Path

import numpy as np
import pytest

import kws.speech
from kws import features
from kws.errors import KwsError
from kws.features import speech_mel
from kws.features.live import LiveFrontend
from tests.kws.features import golden

SHIPPED = np.load(Path(kws.speech.__file__).parent / "data" / "speech_embedding.npz")


def test_features_are_those_of_the_window_and_filters_of_the_embedding():
    audio = golden.signal()
    frames = np.lib.stride_tricks.sliding_window_view(audio, 512)[::160]
    dft = np.exp(-2j * np.pi * np.outer(np.arange(512), np.arange(257)) / 512)
    power = np.abs((frames * SHIPPED["window"].astype(float)) @ dft) ** 2
    decibels = 10 * np.log10(np.maximum(power @ SHIPPED["mel_weights"].astype(float), 1e-10))
    for floor_db in (-20.0, 10.0, 40.0):
        params = speech_mel.PARAMS.model_copy(update={"decibel_floor": floor_db})
        expected = np.maximum(decibels, floor_db) / 10 + 2
        found = features.create(params).compute(audio)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_the_floor_of_silence_is_10_db_if_not_said_otherwise_and_full_scale_is_below_13_4():
    frontend = features.create(speech_mel.PARAMS)
    np.testing.assert_array_equal(frontend.compute(np.zeros(16000, np.int16)), np.float32(3))
    tone = np.round(32767 * np.sin(2 * np.pi * 250 * np.arange(16000) / 16000)).astype(np.int16)
    assert 13.2 < frontend.compute(tone).max() < 13.4


def test_a_stream_is_the_whole_recording():
    audio = golden.signal()
    live = LiveFrontend(speech_mel.PARAMS)
    found = np.concatenate([live.feed(audio[i : i + 333]) for i in range(0, len(audio), 333)])
    np.testing.assert_array_equal(found, features.create(speech_mel.PARAMS).compute(audio))


def test_parameters_that_the_embedding_does_not_know_are_refused():
    params = speech_mel.PARAMS.model_copy(update={"feature_bin_count": 40})
    with pytest.raises(KwsError, match="feature_bin_count=40: speech_mel has 32"):
        features.create(params)
