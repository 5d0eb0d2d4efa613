"""The speech embedding as a frontend gives the numbers of `kws.speech.embed`."""

import numpy as np
import pytest

from kws import features, speech
from kws.errors import KwsError
from kws.features import files, model_input
from kws.speech.frontend import PARAMS, speech_embedding_params


def noise(samples: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    swell = 1 + np.sin(np.arange(samples) / 3000)
    return (rng.normal(0, 800, samples) * swell).astype(np.int16)


def test_its_features_are_the_embeddings_rounded_to_float16():
    frontend = features.create(speech_embedding_params(1200))
    audio = np.stack([noise(19_200, seed) for seed in range(3)])
    embeddings = speech.embed_clips(audio)
    batch = frontend.compute_batch(audio)
    assert batch.shape == (3, *frontend.params.feature_shape) == (3, 6, 96)
    assert batch.dtype == frontend.dtype == np.float16
    # Half a float16's last place: 2 ** -11.
    np.testing.assert_allclose(batch, embeddings, rtol=2**-11, atol=1e-6)
    assert embeddings.std() > 1
    for row, clip in zip(batch, audio, strict=True):
        np.testing.assert_allclose(
            frontend.compute(clip).astype(float), row.astype(float), rtol=2**-9, atol=2e-2
        )
    np.testing.assert_array_equal(
        model_input.to_model_input(batch, frontend.params), batch.astype(np.float32)
    )


@pytest.mark.parametrize("extra", [-1, 0, 1279, 1280])
def test_its_frames_are_as_many_as_there_are_embeddings(extra):
    samples = 12_512 + 2 * 1280 + extra
    expected = {-1: 2, 0: 3, 1279: 3, 1280: 4}[extra]
    assert PARAMS.frame_count(samples) == speech.embedding_count(samples) == expected
    assert len(features.create(PARAMS).compute(noise(samples))) == expected


def test_other_parameters_than_its_own_are_refused(tmp_path):
    with pytest.raises(KwsError, match=r"96 channels of a window of 782 ms every 80 ms"):
        features.create(PARAMS.model_copy(update={"window_stride_ms": 160}))
    files.write(tmp_path, speech_embedding_params(3000))
    assert files.read(tmp_path).feature_shape == (28, 96)
