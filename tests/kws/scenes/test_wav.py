"""WAV files of streams, read back by libsndfile."""

import io

import numpy as np
import soundfile

from kws.scenes.wav import to_wav


def test_samples_come_back_exactly():
    audio = np.random.default_rng(0).integers(-32768, 32767, 1000).astype(np.int16)
    read, rate = soundfile.read(io.BytesIO(to_wav(audio, 16000)), dtype="int16")
    assert rate == 16000
    assert np.array_equal(read, audio)
