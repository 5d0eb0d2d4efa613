"""Background in the features is what background in the audio would have been."""

import numpy as np
import pytest

from kws import features
from kws.errors import KwsError
from kws.features.params import FeatureParams
from kws.training import dataset
from kws.training.background_mixing import BackgroundMixing, BackgroundMixingParams

LABELS = ("_silence_", "_unknown_", "yes")
ALWAYS_0_DB = BackgroundMixingParams(share=1, snr_db=(0, 0))


def noise(seed: int, level: float) -> np.ndarray:
    return (level * np.random.default_rng(seed).standard_normal(16000)).astype(np.int16)


def training_set(frontend: features.Frontend, background: np.ndarray) -> dataset.Dataset:
    rows = np.stack([frontend.compute(background), frontend.compute(noise(9, 100))])
    kind = frontend.params.frontend
    return dataset.from_arrays(rows, np.array([0, 2]), ["a", "b"], LABELS, frontend=kind)


@pytest.mark.parametrize(
    "params",
    [
        FeatureParams(frontend="log_mel", feature_bin_count=20),
        FeatureParams(frontend="spectrogram", feature_bin_count=241),
    ],
    ids=lambda params: params.frontend,
)
def test_features_mixed_at_0_db_are_those_of_audio_mixed_at_0_db(params):
    frontend = features.create(params)
    clip, background = noise(1, 1000), noise(2, 50)  # gain brings the background up to the clip
    mixing = BackgroundMixing(training_set(frontend, background), ALWAYS_0_DB)
    mixed = mixing(frontend.compute(clip)[None], [1, 2]).numpy()[0]
    truth = frontend.compute(clip + 20 * background)
    if params.frontend == "log_mel":
        mixed, truth = 10 ** (2.5 * mixed - 5), 10 ** (2.5 * truth - 5)
    # Phases make single bins differ; over a second and an eighth of the band they do not count.
    for one, other in zip(
        *(np.array_split(row.mean(axis=0), 8) for row in (mixed, truth)), strict=True
    ):
        assert one.mean() == pytest.approx(other.mean(), rel=0.25)
    assert mixed.mean() == pytest.approx(truth.mean(), rel=0.05)


def test_only_the_share_asked_for_is_mixed_and_anew_for_each_seed():
    frontend = features.create(FeatureParams(frontend="log_mel", feature_bin_count=20))
    params = BackgroundMixingParams(share=0.25, snr_db=(0, 10))
    mixing = BackgroundMixing(training_set(frontend, noise(2, 50)), params)
    batch = np.repeat(frontend.compute(noise(1, 1000))[None], 400, axis=0)
    changed = [(mixing(batch, [1, step]).numpy() != batch).any(axis=(1, 2)) for step in (1, 1, 2)]
    assert changed[0].mean() == pytest.approx(0.25, abs=0.06)
    assert (changed[0] == changed[1]).all() and (changed[0] != changed[2]).any()


def test_features_that_do_not_add_are_refused():
    rows = np.zeros((1, 4, 2), np.uint16)
    micro = dataset.from_arrays(rows, np.array([0]), ["a"], LABELS, frontend="micro")
    with pytest.raises(KwsError, match="features of frontend micro do not add"):
        BackgroundMixing(micro, ALWAYS_0_DB)


def test_a_training_set_without_silence_is_refused():
    rows = np.zeros((1, 4, 2), np.float32)
    data = dataset.from_arrays(rows, np.array([2]), ["a"], LABELS, frontend="log_mel")
    with pytest.raises(KwsError, match="no example of _silence_"):
        BackgroundMixing(data, ALWAYS_0_DB)
