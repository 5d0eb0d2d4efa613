"""What holds for every frontend, and the golden vectors that pin their numbers."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

from kws import features
from kws.features.params import FeatureParams
from tests.kws.features import golden

NAMES = ("micro", "log_mel", "mfcc")


@pytest.fixture(params=NAMES)
def frontend(request) -> features.Frontend:
    return features.create(FeatureParams(frontend=request.param))


@pytest.mark.parametrize("name", golden.PARAMS)
def test_features_are_the_golden_vectors(name):
    with np.load(golden.FILE) as vectors:
        computed = features.create(golden.PARAMS[name]).compute(vectors["audio"])
        assert computed.dtype == vectors[name].dtype
        if computed.dtype == np.uint16:
            np.testing.assert_array_equal(computed, vectors[name])
        else:
            np.testing.assert_allclose(computed, vectors[name], rtol=0, atol=1e-6)


@pytest.mark.parametrize("samples", [0, 1, 479, 480, 799, 800, 801, 15999, 16000])
def test_there_are_as_many_frames_as_params_say(frontend, samples):
    computed = frontend.compute(np.zeros(samples, np.int16))
    assert computed.shape == (frontend.params.frame_count(samples), frontend.params.channels)
    assert computed.dtype == frontend.dtype


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rate, size, stride", [(8000, 32, 16), (22050, 25, 10), (44100, 30, 20)])
def test_frames_are_counted_right_at_other_rates(name, rate, size, stride):
    params = FeatureParams(
        frontend=name,
        sample_rate=rate,
        window_size_ms=size,
        window_stride_ms=stride,
        upper_band_limit_hz=3800,
    )
    for samples in (params.window_samples - 1, params.window_samples, params.clip_samples):
        computed = features.create(params).compute(np.ones(samples, np.int16))
        assert len(computed) == params.frame_count(samples)


def test_every_call_and_every_row_starts_afresh(frontend):
    audio = golden.signal()
    first = frontend.compute(audio)
    np.testing.assert_array_equal(frontend.compute(audio), first)
    loud = np.full_like(audio, 30000)
    batch = frontend.compute_batch(np.stack([loud, audio, loud]))
    np.testing.assert_array_equal(batch[1], first)
    np.testing.assert_array_equal(batch[0], batch[2])


def test_the_first_frames_of_a_stream_are_those_of_its_beginning(frontend):
    audio = np.concatenate([golden.signal(seed) for seed in range(3)])
    whole = frontend.compute(audio)
    for samples in (480, 5000, 16000):
        beginning = frontend.compute(audio[:samples])
        np.testing.assert_array_equal(whole[: len(beginning)], beginning)


def test_micro_carries_its_noise_estimate_through_a_stream_and_log_mel_carries_nothing():
    audio = np.concatenate([golden.signal(seed) for seed in range(2)])
    later = 15  # frames: 4,800 samples
    for name, carries in (("micro", True), ("log_mel", False)):
        frontend = features.create(FeatureParams(frontend=name))
        whole = frontend.compute(audio)[later:]
        part = frontend.compute(audio[later * 320 :])
        assert np.allclose(whole, part) == (not carries)


def test_a_long_stream_is_the_same_as_its_windows():
    frontend = features.create(FeatureParams(frontend="log_mel"))
    audio = np.tile(golden.signal(), 70)  # more than FRAMES_AT_A_TIME frames
    whole = frontend.compute(audio)
    for frame in (0, 2047, 2048, len(whole) - 1):
        alone = frontend.compute(audio[frame * 320 : frame * 320 + 480])
        np.testing.assert_allclose(whole[frame], alone[0], rtol=0, atol=1e-6)


@pytest.mark.parametrize("audio", [np.zeros(500, np.float32), np.zeros((2, 500), np.int16)])
def test_audio_of_another_kind_is_refused(frontend, audio):
    with pytest.raises(ValueError, match=r"must be int16 \[samples\]"):
        frontend.compute(audio)


def test_a_used_frontend_can_be_sent_to_a_worker(frontend):
    audio = golden.signal()
    expected = frontend.compute(audio)
    again = pickle.loads(pickle.dumps(frontend))
    np.testing.assert_array_equal(again.compute(audio), expected)


def test_creating_a_frontend_does_not_import_tensorflow():
    code = (
        "import sys; from kws import features; from kws.features import files, model_input\n"
        "features.create(features.FeatureParams()); assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
