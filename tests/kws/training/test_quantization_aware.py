"""A model that was tuned with int8 rounding in it is the int8 model; and which models can be."""

import json

import numpy as np
import pytest

from kws.errors import KwsError
from kws.export import flatbuffer
from kws.features.params import FeatureParams
from kws.models import registry
from kws.models.params import ModelParams
from kws.runtime import kernels
from kws.training import dataset, quantization_aware, saved_model, stages
from kws.training.dataset import Dataset
from kws.training.fit import fit
from kws.training.params import QuantizationAwareParams, TrainingParams
from tests.kws.training.test_fit import LABELS, Killed, Watcher

SMALL = {
    "conv": {"filters": 4, "linear_units": 4, "hidden_units": 8},
    "ds_cnn": {"filters": 4, "blocks": 1},
    "low_latency_conv": {"filters": 4, "linear_units": 4, "hidden_units": 8},
    "low_latency_svdf": {"units": 8, "hidden_units": 8},
    "matchbox_net": {"blocks": 1, "filters": 4, "outer_filters": 4},
    "single_fc": {},
    "spectrogram_cnn": {"side": 8, "first_filters": 4, "first_units": 8, "second_units": 8},
    "tc_resnet": {"width": 0.2},
    "tiny_conv": {"filters": 4},
}
REFUSED = {
    "bc_resnet", "crnn", "ds_tc_resnet", "mixed_net", "speech_embedding", "trigger_gru",
}  # fmt: skip
SCALE = 0.0390625


def toy(count: int, seed: int) -> Dataset:
    """Clips whose label is how loud they are; the last channel hears nothing."""
    rng = np.random.default_rng(seed)
    label_index = np.arange(count) % 3
    features = rng.integers(0, 20, (count, 8, 6)) + 8 * label_index[:, None, None]
    features[:, :, 5] = 0
    clip_ids = [f"{number:04d}" for number in range(count)]
    return dataset.from_arrays(features.astype(np.uint16), label_index, clip_ids, LABELS, SCALE)


def to_int8(model, inputs: np.ndarray) -> bytes:
    """As the MicroConverter does it, with calibration for what has no fake quantization."""
    import tensorflow as tf

    signature = tf.TensorSpec([1, *inputs.shape[1:]], tf.float32)
    function = tf.function(lambda features: model(features, training=False))
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [function.get_concrete_function(signature)], model
    )
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([row[None]] for row in inputs)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


def run_int8(content: bytes, inputs: np.ndarray) -> np.ndarray:
    interpreter = kernels.interpreter(content, reference=True)
    (source,), (sink,) = interpreter.get_input_details(), interpreter.get_output_details()
    scale, zero = source["quantization"]
    out_scale, out_zero = sink["quantization"]
    outputs = []
    for row in inputs:
        steps = np.clip(np.rint(row[None] / scale) + zero, -128, 127).astype(np.int8)
        interpreter.set_tensor(source["index"], steps)
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(sink["index"])[0].astype(float) - out_zero)
    return np.array(outputs) * out_scale


def tensor_types(content: bytes) -> set[str]:
    details = kernels.interpreter(content, reference=True).get_tensor_details()
    return {np.dtype(tensor["dtype"]).name for tensor in details}


def accuracy(posteriors: np.ndarray, data: Dataset) -> float:
    return float((posteriors.argmax(axis=1) == data.label_index).mean())


def hostile():
    """A network that is right, and whose last layer has weights of 76 for what is always zero.

    An int8 weight beside them is a multiple of 0.6; those that matter are 1 and 2.
    """
    import tensorflow as tf

    layers = tf.keras.layers
    inputs = layers.Input((8, 6))
    x = layers.AveragePooling2D((8, 1), name="pool")(layers.Reshape((8, 6, 1))(inputs))
    outputs = layers.Dense(3, "softmax", name="posteriors")(layers.Flatten(name="flat")(x))
    low, high = (9.5 + 4) * SCALE, (9.5 + 12) * SCALE  # between the labels' means
    kernel = np.array([[0, 1, 2]] * 5 + [[76.2] * 3])
    model = tf.keras.Model(inputs, outputs)
    model.get_layer("posteriors").set_weights([kernel, np.array([0, -5 * low, -5 * (low + high)])])
    return model


def test_tuning_saves_a_model_that_calibration_alone_breaks():
    train, judged = toy(960, 0), toy(300, 1)
    typical = train.features[:100].astype(np.float32) * np.float32(SCALE)
    heard = judged.features.astype(np.float32) * np.float32(SCALE)
    model = hostile()
    assert accuracy(model(heard).numpy(), judged) == 1
    assert accuracy(run_int8(to_int8(model, typical), heard), judged) < 0.75

    params = TrainingParams(
        batch_size=32,
        time_shift_frames=0,
        class_weighting=False,
        quantization_aware=QuantizationAwareParams(epochs=5, learning_rate=0.05),
    )
    tuned, history = quantization_aware.tune(
        model, train, judged, params, train.features[:100], progress=Watcher()
    )
    assert history.best.eval_accuracy > 0.98
    assert accuracy(model(heard).numpy(), judged) == 1  # the model itself is as it was

    # Calibration with noise of ten times the level changes nothing: the ranges were learnt.
    content = to_int8(tuned, 10 * typical)
    assert content == to_int8(tuned, typical)
    assert tensor_types(content) <= {"int8", "int32"}
    assert abs(accuracy(run_int8(content, heard), judged) - history.best.eval_accuracy) <= 0.01


IN_CI = {"ds_cnn", "tc_resnet", "tiny_conv", *REFUSED}
"""A conversion takes seconds; the others are tried every night."""


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in IN_CI else [pytest.mark.nightly])
        for name in registry.names()
    ],
)
def test_a_model_of_the_zoo_becomes_int8_throughout_or_is_refused(name):
    if name in REFUSED:
        with pytest.raises(KwsError, match=f"quantization_aware cannot tune {name}: "):
            QuantizationAwareParams().check(ModelParams(name=name))
        return
    QuantizationAwareParams().check(ModelParams(name=name))
    rng = np.random.default_rng(0)
    inputs = (rng.integers(0, 670, (24, 49, 40)) * SCALE).astype(np.float32)
    model = registry.build(ModelParams(name=name, options=SMALL[name]), (49, 40), 3, seed=1)
    sums = 0
    for layer in model.layers:
        if layer.name.endswith("_bn"):  # something to be folded
            layer.set_weights([values + rng.uniform(0, 0.2) for values in layer.get_weights()])
        sums += type(layer).__name__ == "Add"
    rewritten = quantization_aware.rewritten(model, inputs)
    before, after = model(inputs).numpy(), rewritten(inputs, training=False).numpy()
    np.testing.assert_allclose(after, before, atol=0.1)

    content = to_int8(rewritten, inputs)
    counts = flatbuffer.count_operators(content)
    assert tensor_types(content) <= {"int8", "int32"}
    assert not set(counts) & {"MUL", "QUANTIZE", "DEQUANTIZE"} and counts.get("ADD", 0) == sums
    assert np.abs(run_int8(content, inputs) - after).max() < 6 / 256


def small_model():
    return registry.build(ModelParams(name="ds_cnn", options=OPTIONS), (8, 6), 3, seed=3)


OPTIONS = {"filters": 4, "blocks": 1, "first_kernel": (3, 3)}
PARAMS = TrainingParams(
    epochs=1,
    batch_size=16,
    time_shift_frames=1,
    checkpoint_every_steps=2,
    weight_average=0.9,
    seed=3,
    quantization_aware=QuantizationAwareParams(epochs=2),
)


@pytest.fixture(scope="module")
def unbroken():
    return stages.run(small_model(), toy(45, 0), toy(30, 1), PARAMS, progress=Watcher())


def test_a_tuned_model_can_be_stored_read_and_taken_apart(unbroken, tmp_path):
    train, judged = toy(45, 0), toy(30, 1)
    model_params = ModelParams(name="ds_cnn", options=OPTIONS)
    report = saved_model.report(
        unbroken.plain, train, judged, model_params, PARAMS, unbroken.history, None, unbroken.tuning
    )
    saved_model.export(unbroken.model, tmp_path, LABELS, FeatureParams(), report)
    written = json.loads((tmp_path / "training.json").read_text())
    assert written["parameters"] == small_model().count_params()
    assert len(written["quantization_aware"]["epochs"]) == 2

    inputs = judged.features.astype(np.float32) * np.float32(SCALE)
    loaded = saved_model.load(tmp_path)
    expected = unbroken.model(inputs, training=False).numpy()
    np.testing.assert_allclose(loaded(inputs, training=False).numpy(), expected, atol=1e-6)
    assert tensor_types(to_int8(loaded, inputs)) <= {"int8", "int32"}

    plain = saved_model.load_plain(tmp_path)
    assert [layer.name for layer in plain.layers] == [layer.name for layer in small_model().layers]
    np.testing.assert_allclose(plain(inputs).numpy(), expected, atol=0.05)


def test_a_training_killed_while_it_tunes_ends_where_the_unbroken_one_ended(unbroken, tmp_path):
    data = toy(45, 0), toy(30, 1)

    class KilledInTuning(Watcher):
        def on_step(self, report) -> None:
            self.steps.append(report)
            if len(self.steps) == 3 + 5:
                raise Killed

    with pytest.raises(Killed):
        stages.run(small_model(), *data, PARAMS, checkpoint_dir=tmp_path, progress=KilledInTuning())
    resumed = stages.run(small_model(), *data, PARAMS, checkpoint_dir=tmp_path, progress=Watcher())
    assert resumed.history.resumed_at_step == 3 and resumed.tuning.resumed_at_step == 4
    for one, other in zip(resumed.model.get_weights(), unbroken.model.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_without_the_sections_there_is_one_stage_and_the_same_result():
    params = PARAMS.model_copy(update={"quantization_aware": None})
    data = toy(45, 0), toy(30, 1)
    model, same = small_model(), small_model()
    trained = stages.run(model, *data, params, progress=Watcher())
    fit(same, *data, params, progress=Watcher())
    assert trained.model is model and trained.tuning is None and trained.teacher is None
    for one, other in zip(model.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
