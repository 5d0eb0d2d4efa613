"""A streaming model as an int8 file: converted, slimmed, run, pushed and loaded again."""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kws.bundle import golden_vectors, manifest, publishing
from kws.bundle.contents import BundleContents
from kws.errors import KwsError
from kws.export import device_form, flatbuffer
from kws.export.convert import Conversion, Labelled, convert
from kws.export.device_form import DeviceForm
from kws.export.params import TFLM_OPERATORS, BudgetParams, ConversionParams
from kws.models import registry
from kws.models.params import ModelParams
from kws.runtime import load, tflm
from kws.runtime.streaming_model import Int8StreamingModel
from kws.runtime.tflite_model import Int8Model
from kws.runtime.validate import measure
from tests.kws.runtime.conftest import FEATURE_PARAMS, LABELS, Trial, random_features

MIXED_NET = ModelParams(
    name="mixed_net",
    options={"first_filters": 8, "kernels": ((3, 4),), "filters": (12,), "residual": (True,)},
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class StreamingTrial:
    """A mixed_net with random weights that says every label, and what became of it."""

    keras_model: Any
    judged: Labelled
    conversion: Conversion
    int8: Int8StreamingModel


@pytest.fixture(scope="module")
def streaming() -> StreamingTrial:
    model, judged = untrained_mixed_net()
    representative = random_features(np.random.default_rng(1), 64)
    conversion = convert(
        model,
        Labelled(features=representative, label_index=np.arange(64) % 4),
        judged,
        LABELS,
        FEATURE_PARAMS,
        ConversionParams(max_accuracy_drop=0.1),
        MIXED_NET,
    )
    int8 = Int8StreamingModel(conversion.model, LABELS, FEATURE_PARAMS)
    return StreamingTrial(keras_model=model, judged=judged, conversion=conversion, int8=int8)


def untrained_mixed_net() -> tuple[Any, Labelled]:
    """The network, and the windows of which it is surest with what it says of them."""
    model = registry.build(MIXED_NET, FEATURE_PARAMS.feature_shape, len(LABELS), seed=3)
    typical = random_features(np.random.default_rng(9), 64).astype(np.float32) * 10 / 256
    for layer in model.layers:
        if layer.name.endswith("_bn"):
            layer.momentum = 0.0
    model(typical, training=True)
    head = [layer for layer in model.layers if layer.weights][-1]
    kernel, bias = head.get_weights()
    logits = np.log(model(typical, training=False).numpy())
    logits -= logits.mean(axis=1, keepdims=True)
    scale = 2 / logits.std(axis=0)
    head.set_weights([kernel * scale, (bias - logits.mean(axis=0)) * scale])
    features = random_features(np.random.default_rng(2), 300)
    posteriors = model(features.astype(np.float32) * 10 / 256, training=False).numpy()
    answers, order = posteriors.argmax(axis=1), np.argsort(-posteriors.max(axis=1))
    chosen = np.concatenate([order[answers[order] == label][:20] for label in range(len(LABELS))])
    return model, Labelled(features=features[chosen], label_index=answers[chosen])


def test_a_streaming_architecture_is_converted_in_its_one_step_form(
    streaming: StreamingTrial,
) -> None:
    figures = streaming.conversion.figures
    assert (figures.kind, figures.frames_per_step) == ("streaming", 3)
    assert figures.twin_difference_steps == 0 and figures.float_accuracy == 1
    assert figures.int8_accuracy >= 0.9
    assert set(figures.operators) <= set(TFLM_OPERATORS)
    assert "DEQUANTIZE" not in figures.operators
    assert len(set(streaming.judged.label_index)) == len(LABELS)  # or it says little


def test_a_clips_posteriors_are_those_of_the_training_form_whatever_was_heard_before(
    streaming: StreamingTrial,
) -> None:
    features = streaming.judged.features
    expected = streaming.keras_model(features.astype(np.float32) * np.float32(10 / 256)).numpy()
    found = streaming.int8.posteriors(features)
    assert found.dtype == np.float32 and np.abs(found - expected).mean() < 0.03
    backwards = streaming.int8.posteriors(features[::-1])[::-1]
    np.testing.assert_array_equal(backwards, found)


def test_a_clip_longer_than_the_context_is_scored_at_its_strongest_step(
    streaming: StreamingTrial,
) -> None:
    # The same file, but its clips are 70 frames long, of which a posterior depends on 49.
    params = FEATURE_PARAMS.model_copy(update={"clip_duration_ms": 1420, "context_ms": 1000})
    assert params.feature_shape[0] == 70 and params.context_frames == 49
    int8 = Int8StreamingModel(streaming.conversion.model, LABELS, params)
    assert int8.warm_up_steps == 15
    clips = random_features(np.random.default_rng(8), 10).reshape(5, 98, 40)[:, :70]
    found, chosen = int8.posteriors(clips), set()
    for clip, posteriors in zip(clips, found, strict=True):
        # 70 frames are 23 steps and a frame, which is left out at the front; 49 frames of context
        # are 16 steps and a frame: the first step that has heard as much is the 17th.
        steps = streaming.int8.stream(clip[1:])
        assert len(steps) == 23
        whole = steps[16:]
        strongest = int(np.argmax(whole[:, 2:].max(axis=1)))
        np.testing.assert_array_equal(posteriors, whole[strongest])
        chosen.add(strongest)
    assert len(chosen) > 1  # or it says little


def test_a_spotter_is_as_right_in_int8_as_in_float() -> None:
    options = {**MIXED_NET.options, "padding": "none", "ending": "sigmoid", "residual": (False,)}
    params = MIXED_NET.model_copy(update={"options": options})
    labels = LABELS[:3]
    features = FEATURE_PARAMS.model_copy(update={"clip_duration_ms": 1420, "context_ms": 1000})
    model = registry.build(
        params, features.feature_shape, 3, seed=3, context_frames=features.context_frames
    )
    clips = random_features(np.random.default_rng(2), 128).reshape(64, 98, 40)[:, :70]
    inputs = clips.astype(np.float32) * np.float32(10 / 256)
    for layer in model.layers:
        if layer.name.endswith("_bn"):
            layer.momentum = 0.0
    model(inputs, training=True)
    head = model.get_layer("logits_head")
    head.set_weights([3 * head.get_weights()[0], np.zeros(1)])
    expected = model(inputs).numpy()
    judged = Labelled(features=clips, label_index=expected.argmax(axis=1))
    conversion = convert(
        model, judged, judged, labels, features, ConversionParams(max_accuracy_drop=0.1), params
    )
    int8 = load.of_content(conversion.model, labels, features, "streaming")
    found = int8.posteriors(clips)
    assert expected[:, 2].std() > 0.02 and np.abs(found - expected).mean() < 0.02
    assert conversion.figures.float_accuracy == 1 and conversion.figures.int8_accuracy > 0.9


def test_a_stream_may_come_in_pieces(streaming: StreamingTrial) -> None:
    stream = streaming.judged.features[:6].reshape(-1, 40)
    whole = streaming.int8.stream(stream)
    assert whole.shape == (6 * 49 // 3, 4) and whole.std(axis=0).max() > 0.05
    pieces = [stream[:30], stream[30:120], stream[120:]]
    parts = [streaming.int8.stream(part, fresh=not i) for i, part in enumerate(pieces)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    # A clip is a stream of its own, without the one frame that would fill no step.
    clip = streaming.judged.features[:1]
    at_its_end = streaming.int8.stream(clip[0, 1:])[-1]
    np.testing.assert_array_equal(streaming.int8.posteriors(clip)[0], at_its_end)


def test_tflm_gives_exactly_the_outputs_of_tflite_at_every_step(streaming: StreamingTrial) -> None:
    inputs = streaming.int8.quantize(streaming.judged.features[::10])
    figures = measure(
        streaming.conversion.model, streaming.int8, inputs, BudgetParams(), stride_ms=60
    )
    assert figures.tflm_mismatch_steps == 0 and figures.test_vectors == 8
    steps = streaming.int8.inferences(inputs)
    assert steps.shape == (8, 16, 3, 40)
    assert len(np.unique(streaming.int8.run_inferences(steps)[:, -1], axis=0)) > 1
    # Steps that are one stream for TFLM remember; streams of their own do not.
    together = tflm.run(streaming.conversion.model, steps.reshape(-1, 3, 40)).outputs
    apart = tflm.run(streaming.conversion.model, steps).outputs
    assert together.shape == (128, 4) and apart.shape == (8, 16, 4)
    np.testing.assert_array_equal(together[:16], apart[0])
    assert (together[16:32] != apart[1]).any()


def test_slimming_takes_bytes_and_nothing_else(streaming: StreamingTrial, trial: Trial) -> None:
    import tensorflow as tf

    form = DeviceForm.of(streaming.keras_model, MIXED_NET, FEATURE_PARAMS, len(LABELS))
    stream = streaming.judged.features.reshape(-1, 40)[:300].astype(np.float32)
    as_converted = device_form.streaming_to_tflite(form.model, stream, tf.int8)
    slimmed = flatbuffer.slim(as_converted)
    assert len(slimmed) < 0.9 * len(as_converted) and flatbuffer.slim(slimmed) == slimmed
    assert flatbuffer.count_operators(slimmed) == flatbuffer.count_operators(as_converted)
    before, after = _weights(as_converted), _weights(slimmed)
    assert [content for content, _ in after] == [content for content, _ in before]
    assert all(start % 16 == 0 for _, start in after), "the schema's alignment"
    steps = streaming.int8.inferences(streaming.int8.quantize(streaming.judged.features[:3]))
    outputs = [tflm.run(content, steps).outputs for content in (as_converted, slimmed)]
    np.testing.assert_array_equal(*outputs)
    # What a conversion gives, windowed or not, is slim already.
    for conversion in (streaming.conversion, trial.conversion):
        assert flatbuffer.slim(conversion.model) == conversion.model
    with pytest.raises(KwsError, match="no TFLite model"):
        flatbuffer.slim(b"something else")


def _weights(content: bytes) -> list[tuple[tuple[int, bytes], int]]:
    """Type and bytes of what is constant, in the order of the tensors, and where it begins."""
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    model = schema.Model.GetRootAsModel(content, 0)
    found = []
    for number in range(model.SubgraphsLength()):
        graph = model.Subgraphs(number)
        for index in range(graph.TensorsLength()):
            tensor = graph.Tensors(index)
            buffer = model.Buffers(tensor.Buffer())
            if buffer.DataLength():
                start = buffer._tab.Vector(buffer._tab.Offset(4))
                found.append(((tensor.Type(), buffer.DataAsNumpy().tobytes()), start))
    return found


@pytest.fixture
def pushed(
    streaming: StreamingTrial, contents: BundleContents, trial: Trial, tmp_path: Path
) -> Path:
    vectors = golden_vectors.make(streaming.int8, golden_vectors.choose(trial.examples, 3))
    return publishing.push(
        dataclasses.replace(
            contents,
            kind="streaming",
            model=streaming.conversion.model,
            float_io=streaming.conversion.float_io,
            vectors=tuple(vectors),
        ),
        tmp_path,
    )


def test_a_bundle_says_that_its_model_is_streaming_and_holds_every_step_of_its_vectors(
    streaming: StreamingTrial, pushed: Path
) -> None:
    publishing.verify(pushed)
    described = json.loads((pushed / "manifest.json").read_text())
    assert described["type"] == "streaming"
    assert described["streaming"] == {"frames_per_step": 3, "step_ms": 60, "warm_up_steps": 15}
    assert described["model"]["input"]["shape"] == [1, 3, 40]
    assert described["model"]["output"]["shape"] == [1, 4]
    sizes = {path.stat().st_size for path in (pushed / "test_vectors").glob("*.output.bin")}
    assert sizes == {16 * 4}
    del described["streaming"]
    with pytest.raises(KwsError, match="'streaming' is a required property"):
        manifest.check(described)
    assert "a step of a few frames at a time" in (pushed / "model_card.md").read_text()


def test_a_folder_is_loaded_as_the_kind_that_it_says(
    streaming: StreamingTrial, pushed: Path, trial: Trial, tmp_path: Path
) -> None:
    loaded = load.load_folder(pushed)
    assert isinstance(loaded, Int8StreamingModel)
    features = streaming.judged.features[:3]
    np.testing.assert_array_equal(loaded.posteriors(features), streaming.int8.posteriors(features))
    serving = tmp_path / "serving"
    serving.mkdir()
    for name in ("labels.txt", "frontend.json"):
        shutil.copy(pushed / name, serving)
    (serving / "model.tflite").write_bytes(trial.conversion.model)
    with pytest.raises(KwsError, match=r"neither manifest\.json nor conversion\.json"):
        load.load_folder(serving)
    (serving / "conversion.json").write_text(json.dumps({"kind": "windowed"}))
    assert isinstance(load.load_folder(serving), Int8Model)
    (serving / "conversion.json").write_text(json.dumps({"kind": "recurrent"}))
    with pytest.raises(KwsError, match=r"says kind='recurrent'.*windowed, streaming"):
        load.load_folder(serving)
    (serving / "conversion.json").write_text(json.dumps({"kind": "streaming"}))
    with pytest.raises(KwsError, match="keeps no state"):
        load.load_folder(serving)


def test_features_that_a_streaming_model_was_not_made_for_are_refused(
    streaming: StreamingTrial,
) -> None:
    features = streaming.judged.features[0]
    with pytest.raises(KwsError, match=r"uint16 \[49, 39\], but .* uint16 \[frames, 40\]"):
        streaming.int8.stream(features[:, 1:])
    with pytest.raises(KwsError, match="float32"):
        streaming.int8.stream(features.astype(np.float32))
    with pytest.raises(KwsError, match=r"output is int8 \[1, 4\]"):
        Int8StreamingModel(streaming.conversion.model, LABELS[:3], FEATURE_PARAMS)
