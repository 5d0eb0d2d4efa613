"""Heads that are trained on embeddings are the heads of the model that hears mel frames."""

import numpy as np
import pytest

from kws import speech
from kws.errors import KwsError
from kws.models import registry
from kws.models.params import ModelParams
from kws.speech.network import load_embedding_weights
from kws.training import dataset, head_training
from kws.training.fit import fit
from kws.training.params import SpottingParams, TrainingParams
from tests.kws.speech.test_embedding import AUDIO

LABELS = ("_silence_", "_unknown_", "word")
SMALL = {"filters": 8, "hidden_units": 8, "layers": 1, "ending": "sigmoid"}
EMBEDDINGS = 20
FRAMES, CONTEXT = 76 + 8 * (EMBEDDINGS - 1), 76 + 8 * 15
PARAMS = TrainingParams(
    epochs=3, batch_size=32, learning_rate=0.01, time_shift_frames=0,
    spotting=SpottingParams(teacher=None),
)  # fmt: skip


def spotter(heads: int = 2):
    options = {**SMALL, "heads": heads, "channel_dropout": 0.2}
    params = ModelParams(name="speech_embedding", options=options)
    return registry.build(params, (FRAMES, 32), 3, seed=3, context_frames=CONTEXT)


def clips(count: int, seed: int = 0) -> dataset.Dataset:
    """Noise, and in every other clip somewhere a pattern of three embeddings: the word."""
    rng = np.random.default_rng(seed)
    features = rng.normal(0, 1, (count, EMBEDDINGS, 96))
    label_index = np.where(np.arange(count) % 2, 2, np.arange(count) // 2 % 2)
    pattern = np.random.default_rng(99).normal(0, 2, (3, 96))
    for clip in np.flatnonzero(label_index == 2):
        place = rng.integers(0, EMBEDDINGS - 3)
        features[clip, place : place + 3] += pattern
    names = [f"{number:04d}" for number in range(count)]
    return dataset.from_arrays(features.astype(np.float16), label_index, names, LABELS)


def word_posteriors(model, data: dataset.Dataset) -> np.ndarray:
    """Of the spotter's part that follows its embeddings."""
    import tensorflow as tf

    part = tf.keras.Model(model.get_layer("embeddings").output, model.output)
    return part(data.features[:, :, np.newaxis].astype(np.float32)).numpy()[:, 2]


def test_the_mean_of_the_trained_heads_is_the_logit_of_the_model_that_hears_mel_frames():
    model = spotter()
    mel = np.stack([speech.mel_frames(AUDIO)[start : start + FRAMES] for start in (0, 30)])
    network = speech.embedding_model()
    load_embedding_weights(network, int8=True)
    embeddings = network(mel[..., np.newaxis]).numpy()
    assert embeddings.shape == (2, EMBEDDINGS, 96)
    each = head_training.training_form(model)(embeddings).numpy()
    assert each.shape == (2, 5, 4)
    assert np.abs(each[:, :, 0] - each[:, :, 2]).max() > 0.1, "two heads of equal weights"
    strongest = each[:, :, [0, 2]].mean(axis=2).max(axis=1)
    found = model(mel).numpy()[:, 2]
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-strongest)), rtol=1e-4)


def test_a_word_anywhere_in_a_clip_is_learnt_and_the_network_before_the_heads_is_not_touched():
    model, train = spotter(1), clips(512)
    before = {w.name: w.numpy() for w in model.weights if w.name.startswith("conv")}
    trainee, train, objective = head_training.prepare(model, train, PARAMS)
    fit(trainee, train, clips(64, seed=1), PARAMS, objective=objective)
    fresh = clips(200, seed=2)
    said = word_posteriors(model, fresh) >= 0.5
    assert np.mean(said == (fresh.label_index == 2)) > 0.95
    assert before and all(
        np.array_equal(w.numpy(), before[w.name]) for w in model.weights if w.name in before
    )


def test_spread_out_posteriors_keep_their_order_and_put_the_others_highest_at_one_half():
    model, data = spotter(), clips(400)
    head = model.get_layer("logits_head")
    kernel, bias = head.get_weights()
    head.set_weights([30 * kernel, bias + 7])
    crowded = word_posteriors(model, data)
    head_training.spread_posteriors(model, data)
    spread = word_posteriors(model, data)
    other = data.label_index != 2
    assert np.mean(spread[other] > 0.5) == pytest.approx(0.01, abs=0.005)
    # Where float32 still tells the crowded ones apart, the order is the same.
    order = np.argsort(crowded, kind="stable")
    apart = np.diff(crowded[order]) > 1e-6
    assert apart.sum() > 50 and (np.diff(spread[order])[apart] > 0).all()


def test_what_is_not_a_spotter_or_of_other_clips_is_refused():
    params = ModelParams(name="speech_embedding", options={"layers": 1})
    plain = registry.build(params, (FRAMES, 32), 3)
    with pytest.raises(KwsError, match="does not answer at every step"):
        head_training.prepare(plain, clips(8), PARAMS)
    features = np.zeros((2, EMBEDDINGS - 1, 96), np.float16)
    others = dataset.from_arrays(features, np.array([1, 2]), ["a", "b"], LABELS)
    with pytest.raises(KwsError, match=r"gives 20 x 96 embeddings a clip.*have 19 x 96"):
        head_training.prepare(spotter(1), others, PARAMS)
