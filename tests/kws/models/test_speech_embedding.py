"""The speech embedding with a head as a member of the zoo: clip, stream and int8 file."""

import numpy as np
import pytest

from kws import speech
from kws.errors import KwsError
from kws.export import flatbuffer
from kws.export.device_form import DeviceForm
from kws.export.params import TFLM_OPERATORS
from kws.features.speech_mel import PARAMS
from kws.models import cost, registry
from kws.models.params import ModelParams
from kws.runtime import load, tflm
from kws.speech.head import HeadParams, build_head
from kws.speech.network import load_embedding_weights
from tests.kws.speech.test_embedding import AUDIO

MODEL = ModelParams(name="speech_embedding")
FEATURES = PARAMS.model_copy(update={"clip_duration_ms": 2000})
LABELS = ["_silence_", "_unknown_", "word"]
MEL = speech.mel_frames(AUDIO)


@pytest.fixture(scope="module")
def model():
    """Untrained, but with posteriors that move."""
    built = registry.build(MODEL, FEATURES.feature_shape, 3)
    normalization = built.get_layer("embeddings_bn")
    scale, shift, _, _ = normalization.get_weights()
    normalization.set_weights([scale, shift, np.zeros(96), np.full(96, 16.0**2)])
    return built


def clips(ends):
    return np.stack([MEL[end - 197 : end] for end in ends])


def test_a_clip_is_the_embedding_and_then_the_head(model):
    embedding = speech.embedding_model()
    load_embedding_weights(embedding, int8=True)
    head = build_head(HeadParams(), 16, 3)
    for layer in head.layers:
        layer.set_weights(model.get_layer(layer.name).get_weights() if layer.weights else [])
    mel = clips([200, 250, 297])
    # The oldest of 197 frames is too few for a step of its own.
    expected = head(embedding(mel[:, 1:, :, np.newaxis])).numpy()
    np.testing.assert_allclose(model(mel).numpy(), expected, rtol=0, atol=1e-5)


def test_rounded_to_int8_the_embeddings_point_where_they_did():
    embedding = speech.embedding_model()
    exact = embedding(MEL[np.newaxis, :, :, np.newaxis]).numpy()[0]
    load_embedding_weights(embedding, int8=True)
    rounded = embedding(MEL[np.newaxis, :, :, np.newaxis]).numpy()[0]
    lengths = np.linalg.norm(exact, axis=1) * np.linalg.norm(rounded, axis=1)
    assert ((exact * rounded).sum(axis=1) / lengths).min() > 0.98
    kernel = embedding.get_layer("conv08").get_weights()[0]
    steps = kernel / (np.abs(kernel).max(axis=(0, 1, 2)) / 127)
    np.testing.assert_allclose(steps, np.round(steps), rtol=0, atol=1e-3)


def test_a_stream_gives_at_every_step_what_the_clip_before_it_gives(model):
    step_form = registry.build_step(MODEL, FEATURES.feature_shape, 3, model)
    steps = MEL[: 8 * 37].reshape(37, 1, 8, 32)
    found = np.concatenate([step_form(step).numpy() for step in steps])
    ends = 8 * np.arange(25, 38)
    expected = model(clips(ends)).numpy()
    assert expected.std(axis=0).max() > 0.02, "a constant output would prove nothing"
    np.testing.assert_allclose(found[24:], expected, rtol=0, atol=1e-5)
    options = registry.options(MODEL)
    module = registry.architecture(MODEL.name)
    assert module.receptive_field_frames(options, (197, 32)) == 196
    assert module.frames_per_step(options) == step_form.input_shape[1] == 8


def test_the_documented_sizes(model):
    step_form = registry.build_step(MODEL, FEATURES.feature_shape, 3, model)
    assert model.count_params() == 392_995
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == 64_195
    assert (cost.macs(model), cost.macs(step_form)) == (126_692_960, 5_676_128)


def test_only_the_head_is_trained(model):
    names = {weight.name.split("/")[0] for weight in model.trainable_weights}
    assert names >= {"head_1", "head_2", "head_3", "head_hidden", "posteriors"}
    assert not [name for name in names if name.startswith("conv")]


def test_features_of_another_frontend_and_clips_too_short_for_the_head_are_refused():
    with pytest.raises(KwsError, match="hears 32 mel channels, these are 40"):
        registry.build(MODEL, (197, 40), 3)
    with pytest.raises(KwsError, match="at least 76 frames"):
        registry.build(MODEL, (75, 32), 3)
    with pytest.raises(KwsError, match="needs 7 embeddings, these are 2"):
        registry.build(MODEL, (90, 32), 3)


@pytest.mark.nightly
def test_as_one_int8_file_the_device_gives_the_numbers_of_the_runtime_that_judges(model):
    import tensorflow as tf

    form = DeviceForm.of(model, MODEL, FEATURES, 3)
    content = form.to_tflite(clips(range(197, 297, 4)), FEATURES, tf.int8)
    assert len(content) < 450_000
    assert set(flatbuffer.count_operators(content)) <= set(TFLM_OPERATORS)
    int8 = load.of_content(content, LABELS, FEATURES, "streaming")
    inputs = int8.inferences(int8.quantize(clips([220, 297])))
    on_device = tflm.run(content, inputs)
    np.testing.assert_array_equal(on_device.outputs, int8.run_inferences(inputs))
    assert on_device.arena_bytes < 80_000
    judged = clips(range(200, 297, 8))
    difference = np.abs(int8.posteriors(judged) - model(judged).numpy()).max(axis=1)
    assert np.median(difference) < 0.1


SPOTTER = ModelParams(
    name="speech_embedding", options={"ending": "sigmoid", "heads": 3, "channel_dropout": 0.5}
)


def spotter(clip_frames: int):
    built = registry.build(SPOTTER, (clip_frames, 32), 3, seed=1, context_frames=200)
    normalization = built.get_layer("embeddings_bn")
    scale, shift, _, _ = normalization.get_weights()
    normalization.set_weights([scale, shift, np.zeros(96), np.full(96, 16.0**2)])
    return built


def test_of_a_long_clip_the_spotter_gives_the_strongest_step_of_the_stream():
    built = spotter(297)
    step_form = registry.build_step(SPOTTER, (200, 32), 3, built)
    # Both end with the last frame; the stream's first 24 steps have no 16 embeddings behind them.
    steps = MEL[1:297].reshape(37, 1, 8, 32)
    of_stream = np.concatenate([step_form(step).numpy() for step in steps])[24:]
    assert np.ptp(of_stream[:, 2]) > 0.02, "a constant output would prove nothing"
    expected = of_stream[of_stream[:, 2].argmax()]
    np.testing.assert_allclose(built(MEL[np.newaxis, :297]).numpy()[0], expected, atol=1e-5)
    np.testing.assert_allclose(of_stream.sum(axis=1), 1, atol=1e-6)


def test_the_documented_sizes_of_three_heads():
    built = spotter(317)
    step_form = registry.build_step(SPOTTER, (200, 32), 3, built)
    assert built.count_params() == 521_670
    assert cost.macs(step_form) == 5_803_200


def test_a_spotter_of_several_keywords_has_the_mean_of_its_heads_for_each():
    built = registry.build(SPOTTER, (297, 32), 5, seed=1, context_frames=200)
    assert built.get_layer("logits").output_shape[2] == 4  # of anything else, and of each
    posteriors = built(MEL[np.newaxis, :297]).numpy()
    assert posteriors.shape == (1, 5) and posteriors.sum() == pytest.approx(1)
    averaged = built.get_layer("logits_head")
    hidden = np.random.default_rng(0).normal(0, 1, (2, 3, 1, 96)).astype(np.float32)
    each = averaged(hidden, each=True).numpy()
    np.testing.assert_allclose(averaged(hidden).numpy()[:, :, 0], each.mean(axis=2), atol=1e-5)


def test_a_spotter_has_a_sigmoid():
    with pytest.raises(KwsError, match="ending=softmax answers once a clip"):
        registry.build(MODEL, (317, 32), 3, context_frames=200)
    several = MODEL.model_copy(update={"options": {"heads": 3}})
    with pytest.raises(KwsError, match="averaged by ending=sigmoid alone"):
        registry.build(several, (197, 32), 3)


@pytest.mark.nightly
def test_three_heads_as_one_int8_file_give_the_device_s_numbers():
    import tensorflow as tf

    built, features = spotter(297), PARAMS.model_copy(update={"clip_duration_ms": 3000})
    features = features.model_copy(update={"context_ms": 2030})
    form = DeviceForm.of(built, SPOTTER, features, 3)
    clip = MEL[np.newaxis, :297]
    content = form.to_tflite(clip, features, tf.int8)
    assert len(content) < 600_000
    assert set(flatbuffer.count_operators(content)) <= set(TFLM_OPERATORS)
    int8 = load.of_content(content, LABELS, features, "streaming")
    inputs = int8.inferences(int8.quantize(clip))
    on_device = tflm.run(content, inputs)
    np.testing.assert_array_equal(on_device.outputs, int8.run_inferences(inputs))
    assert on_device.arena_bytes < 90_000
    difference = np.abs(int8.posteriors(clip) - built(clip).numpy())
    assert difference.max() < 0.1
