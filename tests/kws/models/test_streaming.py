"""The one-step form of a streaming model against its training form, over 10 s, and in int8."""

import numpy as np
import pytest

from kws.errors import KwsError
from kws.export import device_form, flatbuffer
from kws.export.params import TFLM_OPERATORS
from kws.models import causal, registry
from kws.models.params import ModelParams
from kws.runtime import tflm

CHANNELS, LABELS = 8, 4
CLIP_FRAMES, STREAM_FRAMES = 48, 500  # 0.96 s and 10 s of frames 20 ms apart

MIXED_NET = {
    "first_filters": 4,
    "kernels": ((3,), (3, 4)),
    "filters": (5, 6),
    "residual": (False, True),
}
DS_TC_RESNET = {
    "filters": (6, 4, 5),
    "kernels": (5, 7, 3),
    "dilations": (1, 1, 2),
    "residual": (False, True, False),
    "pools": (1, 2, 1),
}
TRIGGER_GRU = {"filters": 5, "gru_units": (6, 4)}
ZOO = {
    "mixed_net": MIXED_NET,
    "ds_tc_resnet": DS_TC_RESNET,
    "trigger_gru": TRIGGER_GRU,
}


def both_forms(name, **options):
    """A training form whose normalizations have seen something, and its one-step form."""
    params = ModelParams(name=name, options={**ZOO[name], **options})
    shape = (CLIP_FRAMES, CHANNELS)
    training = registry.build(params, shape, LABELS)
    rng = np.random.default_rng(1)
    for layer in training.layers:
        if layer.name.endswith("_bn"):
            layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    # So that posteriors move, around their middle.
    head = [layer for layer in training.layers if layer.weights][-1]
    kernel, bias = head.get_weights()
    head.set_weights([4 * kernel, bias])
    mean = training(stream(CLIP_FRAMES)[None]).numpy().reshape(-1, len(bias)).mean(axis=0)
    head.set_weights([4 * kernel, -np.log(mean) + (np.log(1 - mean) if len(bias) == 1 else 0)])
    return params, training, registry.build_step(params, shape, LABELS, training)


def stream(frames=STREAM_FRAMES, seed=0):
    """float32 `[frames, CHANNELS]` that swell and fade."""
    rng = np.random.default_rng(seed)
    swell = 1 + np.sin(np.arange(frames) / 15)
    return (rng.uniform(0, 3, (frames, CHANNELS)) * swell[:, None]).astype(np.float32)


def compiled(step_form):
    """Kept with the model, past Keras, which would track it."""
    import tensorflow as tf

    if not hasattr(step_form, "_compiled"):
        function = tf.function(lambda x: step_form(x, training=False))
        object.__setattr__(step_form, "_compiled", function)
    return step_form._compiled


def run_steps(step_form, features):
    """Outputs of all steps, one after the other."""
    frames, function = step_form.input_shape[1], compiled(step_form)
    starts = range(0, len(features) - frames + 1, frames)
    steps = [function(features[None, start : start + frames]).numpy() for start in starts]
    return np.concatenate([step.reshape(1, -1) for step in steps])


def assert_moves(outputs):
    assert outputs.std(axis=0).max() > 0.02, "a constant output would prove nothing"


@pytest.mark.parametrize("head", ["flat", "average"])
def test_unpadded_a_stream_gives_at_every_step_what_the_clip_before_it_gives(head):
    _, training, step_form = both_forms("mixed_net", head=head, padding="none")
    features = stream()
    outputs = run_steps(step_form, features)
    ends = 3 * np.arange(1, len(outputs) + 1)
    full = ends >= CLIP_FRAMES  # Before, the clip would have begun before the stream.
    clips = np.stack([features[end - CLIP_FRAMES : end] for end in ends[full]])
    np.testing.assert_allclose(outputs[full], training(clips).numpy(), atol=1e-5)
    assert_moves(outputs)


@pytest.mark.parametrize(
    ("ending", "labels"), [("softmax", LABELS), ("sigmoid", 3), ("sigmoid", LABELS)]
)
@pytest.mark.parametrize("head", ["flat", "average"])
def test_a_spotter_answers_at_each_step_as_the_windowed_form_of_the_window_that_ends_there(
    ending, labels, head
):
    import tensorflow as tf

    options = {**MIXED_NET, "head": head, "ending": ending, "padding": "none"}
    params = ModelParams(name="mixed_net", options=options)
    clip_frames = CLIP_FRAMES - 1 + 4 * 3 + 2  # a posterior is of 47, and two frames are no step
    spotter = registry.build(
        params, (clip_frames, CHANNELS), labels, seed=2, context_frames=CLIP_FRAMES
    )
    windowed = registry.build(params, (CLIP_FRAMES, CHANNELS), labels, seed=5)
    assert [w.shape for w in windowed.weights] == [w.shape for w in spotter.weights]
    windowed.set_weights(spotter.get_weights())
    clips = np.stack([stream(clip_frames, seed) for seed in range(3)])
    steps = tf.keras.Model(spotter.input, spotter.get_layer("posteriors").output)(clips).numpy()
    assert steps.shape == (3, 5, labels)
    for step in range(5):
        end = clip_frames - 3 * (4 - step)
        expected = windowed(clips[:, end - CLIP_FRAMES : end]).numpy()
        np.testing.assert_allclose(steps[:, step], expected, atol=1e-5)
    strongest = steps[:, :, 2:].max(axis=2).argmax(axis=1)
    np.testing.assert_allclose(spotter(clips).numpy(), steps[range(3), strongest], atol=1e-6)
    # In its one-step form it gives the same, step by step.
    step_form = registry.build_step(params, (CLIP_FRAMES, CHANNELS), labels, spotter)
    one_by_one = run_steps(step_form, clips[0, 1:])
    np.testing.assert_allclose(one_by_one[-5:], steps[0], atol=1e-5)


def test_a_context_needs_a_model_that_pads_nothing_and_can_answer_at_every_step():
    with pytest.raises(KwsError, match="padding=zeros hears whole clips") as error:
        registry.build(
            ModelParams(name="mixed_net"), (60, CHANNELS), LABELS, context_frames=CLIP_FRAMES
        )
    assert "padding=none" in error.value.hint
    registry.check_context("mixed_net")
    for name in ("ds_cnn", "ds_tc_resnet"):
        with pytest.raises(KwsError, match=f"context_ms: model {name} always hears") as error:
            registry.build(ModelParams(name=name), (60, CHANNELS), LABELS, context_frames=40)
        assert error.value.hint.startswith("leave context_ms out, or take mixed_net")


def test_a_network_has_the_same_names_whatever_was_built_before():
    params = ModelParams(name="mixed_net", options=MIXED_NET)
    one, other = (registry.build(params, (CLIP_FRAMES, CHANNELS), LABELS) for _ in range(2))
    assert one.to_json() == other.to_json()


def test_padded_by_zeros_a_stream_from_its_start_gives_what_the_clip_gives():
    _, training, step_form = both_forms("mixed_net")
    for clip in stream(480).reshape(10, CLIP_FRAMES, CHANNELS):
        causal.forget(step_form)
        expected = training(clip[None]).numpy()[0]
        np.testing.assert_allclose(run_steps(step_form, clip)[-1], expected, atol=1e-5)


def test_padded_by_zeros_a_stream_gives_what_the_training_form_gives_of_the_whole_stream():
    import tensorflow as tf

    params, training, step_form = both_forms("ds_tc_resnet")
    whole = registry.build(params, (STREAM_FRAMES, CHANNELS), LABELS)
    causal.copy_weights(training, whole)
    features = stream()
    before_head = tf.keras.Model(whole.input, whole.get_layer("block_3_relu").output)
    values = before_head(features[None]).numpy()[0, :, 0]
    # The head in NumPy: the average of a clip's steps, the missing ones zeros, then the softmax.
    steps = CLIP_FRAMES // 2
    padded = np.concatenate([np.zeros((steps - 1, values.shape[1])), values])
    averages = np.stack([padded[end : end + steps].mean(axis=0) for end in range(len(values))])
    kernel, bias = training.get_layer("posteriors").get_weights()
    exponentials = np.exp(averages @ kernel + bias)
    expected = exponentials / exponentials.sum(axis=1, keepdims=True)
    outputs = run_steps(step_form, features)
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    assert_moves(outputs)


def test_trigger_gru_gives_every_step_of_a_long_clip_one_by_one():
    params, training, step_form = both_forms("trigger_gru")
    whole = registry.build(params, (STREAM_FRAMES, CHANNELS), LABELS)
    causal.copy_weights(training, whole)
    features = stream()
    expected = whole(features[None]).numpy()[0]
    # A clip begins with a full convolution: the stream is given what that has heard before.
    heard = 15 - 4
    convolution = next(m for m in causal.memories(step_form) if m.shape.rank == 4)
    convolution.assign(features[None, :heard, None])
    outputs = run_steps(step_form, features[heard:])
    assert len(outputs) == len(expected) == 122
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    assert_moves(outputs)


@pytest.mark.parametrize(("name", "frames"), [("mixed_net", 47), ("ds_tc_resnet", 66)])
def test_a_posterior_depends_on_the_frames_of_the_receptive_field_and_on_no_earlier_one(
    name, frames
):
    options = {"padding": "none"} if name == "mixed_net" else {}
    params, _, step_form = both_forms(name, **options)
    module, chosen = registry.architecture(name), registry.options(params)
    field = module.receptive_field_frames(chosen, (CLIP_FRAMES, CHANNELS))
    assert field == frames  # By hand, from the kernels.
    step = module.frames_per_step(chosen)
    features = stream(step * 40)
    reference = run_steps(step_form, features)[-1]
    rng = np.random.default_rng(3)

    def change_from(frame):
        differences = []
        for _ in range(20):  # Some ReLU may be deaf to one change or the other.
            changed = features.copy()
            changed[-frame] = rng.normal(0, 20, CHANNELS)
            causal.forget(step_form)
            differences.append(np.abs(run_steps(step_form, changed)[-1] - reference).max())
        return max(differences)

    assert change_from(field + 1) == 0
    assert change_from(field) > 0


@pytest.mark.parametrize("name", sorted(ZOO))
def test_the_int8_one_step_form_keeps_its_state_inside_and_follows_the_float_one(name):
    import tensorflow as tf

    _, _, step_form = both_forms(name)
    content = device_form.streaming_to_tflite(step_form, stream(seed=2), tf.int8)
    found = flatbuffer.count_operators(content)
    assert set(found) <= set(TFLM_OPERATORS)
    memories = len(causal.memories(step_form))
    # Once to begin with (CALL_ONCE) and once a step; int8 throughout, so nothing is dequantized.
    assert found["READ_VARIABLE"] == memories and found["ASSIGN_VARIABLE"] == 2 * memories
    assert found["CALL_ONCE"] == 1 and "DEQUANTIZE" not in found

    interpreter = tf.lite.Interpreter(
        model_content=content,
        experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF,
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    (source,), (sink,) = interpreter.get_input_details(), interpreter.get_output_details()
    frames = source["shape"][1]
    scale, zero_point = source["quantization"]
    features = stream()[: STREAM_FRAMES // frames * frames]
    inputs = np.clip(np.rint(features / scale) + zero_point, -128, 127).astype(np.int8)
    inputs = inputs.reshape(-1, frames, CHANNELS)
    outputs = []
    for step in inputs:
        interpreter.set_tensor(source["index"], step[None])
        interpreter.invoke()
        if not outputs:
            for memory in interpreter.get_tensor_details():
                if "ReadVariableOp" in memory["name"] and memory["dtype"] == np.int8:
                    values = interpreter.get_tensor(memory["index"])
                    assert (values == memory["quantization"][1]).all(), "begins with zeros"
        outputs.append(interpreter.get_tensor(sink["index"]).reshape(-1))
    outputs = np.stack(outputs)
    scale, zero_point = sink["quantization"]
    in_float = run_steps(step_form, features)
    error = np.abs((outputs.astype(float) - zero_point) * scale - in_float)
    assert error.mean() < 0.02 and error.max() < 0.12
    assert_moves(in_float)

    on_device = tflm.run(content, inputs).outputs.reshape(outputs.shape)
    assert np.abs(on_device.astype(int) - outputs).max() <= 1


def test_a_windowed_model_has_no_one_step_form():
    params = ModelParams(name="single_fc")
    model = registry.build(params, (4, 3), 2)
    with pytest.raises(KwsError, match=r"single_fc.* is windowed.*ds_tc_resnet, mixed_net"):
        registry.build_step(params, (4, 3), 2, model)


def test_a_stream_that_does_not_fit_the_model_is_refused_as_calibration():
    _, _, step_form = both_forms("mixed_net")
    with pytest.raises(KwsError, match=r"shape \[2, 8\] .* 3 frames x 8 channels a step"):
        device_form.streaming_to_tflite(step_form, stream(2), np.int8)
