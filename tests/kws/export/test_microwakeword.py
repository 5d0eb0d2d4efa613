"""A bundle's microWakeWord file, in the program that Home Assistant's satellites run.

The "word" is three rising chirps; three falling ones are another word. A small mixed_net is really
taught to tell them apart, so that what the other program detects is a detection.
"""

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from pymicro_wakeword import MicroWakeWord, MicroWakeWordFeatures

from kws import features as frontends
from kws.bundle import golden_vectors, manifest, publishing
from kws.bundle.contents import BundleContents
from kws.detection.detector import detect
from kws.detection.params import DetectorParams
from kws.detection.posteriors import stream_posteriors
from kws.errors import KwsError
from kws.export import flatbuffer, microwakeword
from kws.export.convert import Conversion, Labelled, convert
from kws.export.device_form import DeviceForm
from kws.export.params import BudgetParams, ConversionParams
from kws.features import model_input
from kws.features.params import FeatureParams
from kws.models import registry
from kws.models.params import ModelParams
from kws.runtime import load
from kws.runtime.int8_file import Int8File
from kws.runtime.validate import measure
from tests.kws.runtime.conftest import sensitivities_at

LABELS = ("_silence_", "_unknown_", "wheep")
FEATURES = FeatureParams(clip_duration_ms=700, window_stride_ms=10)
MODEL = ModelParams(
    name="mixed_net",
    options={
        "first_filters": 16,
        "kernels": [[5], [9]],
        "filters": [24, 24],
        "residual": [False, False],
        "ending": "sigmoid",
    },
)
DETECTOR = DetectorParams(
    rule="sliding_mean", clip_stride_ms=30, average_window_ms=150, detection_threshold=0.8
)
RATE = FEATURES.sample_rate


def chirps(rng: np.random.Generator, rising: bool) -> np.ndarray:
    """Three of them in a third of a second; float `[samples]`."""
    length = int(RATE * rng.uniform(0.10, 0.13))
    parts = []
    for _ in range(3):
        low, high = rng.uniform(400, 600), rng.uniform(2200, 3000)
        sweep = np.linspace(*((low, high) if rising else (high, low)), length)
        parts.append(np.sin(2 * np.pi * np.cumsum(sweep) / RATE) * np.hanning(length))
    return np.concatenate(parts)


def to_int16(audio: np.ndarray) -> np.ndarray:
    return (np.clip(audio, -1, 1) * 32767).astype(np.int16)


def clips(seed: int, count: int) -> Labelled:
    """Noise alone, with a falling and with a rising word that ends near the clip's end."""
    rng = np.random.default_rng(seed)
    lead_in = RATE // 2
    labels = np.arange(count) % 3
    audio = np.zeros((count, FEATURES.clip_samples + lead_in))
    for row, label in zip(audio, labels, strict=True):
        row += rng.normal(0, 10 ** rng.uniform(-4, -2), len(row))
        if label:
            word = chirps(rng, rising=label == 2) * 10 ** rng.uniform(-1.5, -0.3)
            end = len(row) - int(rng.uniform(0, 0.15) * RATE)
            row[end - len(word) : end] += word
    frames = frontends.create(FEATURES).compute_batch(to_int16(audio))
    return Labelled(features=frames[:, -FEATURES.feature_shape[0] :], label_index=labels)


def stream(rng: np.random.Generator) -> tuple[np.ndarray, list[int]]:
    """Eight rising and eight falling words in turn, and the ends of the rising ones, ms."""
    audio, ends_ms = rng.normal(0, 1e-3, RATE * 26), []
    for number in range(16):
        word = chirps(rng, rising=number % 2 == 0) * 0.3
        start = RATE + int(number * 1.5 * RATE)
        audio[start : start + len(word)] += word
        if number % 2 == 0:
            ends_ms.append((start + len(word)) * 1000 // RATE)
    return to_int16(audio), ends_ms


@dataclasses.dataclass(frozen=True, kw_only=True)
class Taught:
    form: DeviceForm
    conversion: Conversion
    int8: Int8File
    judged: Labelled


def teach(model: tf.keras.Model, inputs: np.ndarray, labels: np.ndarray) -> None:
    """In place of `fit`, which takes half a minute to convert Keras by AutoGraph."""
    optimizer = tf.keras.optimizers.Adam(4e-3)
    optimizer.build(model.trainable_variables)
    loss_of = tf.keras.losses.SparseCategoricalCrossentropy()

    @tf.function(autograph=False)
    def step(inputs: tf.Tensor, labels: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            loss = loss_of(labels, model(inputs, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))

    examples = tf.data.Dataset.from_tensor_slices((inputs, labels)).shuffle(len(labels), seed=1)
    for batch in examples.batch(30, drop_remainder=True).repeat(12):
        step(*batch)


@pytest.fixture(scope="module")
def taught() -> Taught:
    model = registry.build(MODEL, FEATURES.feature_shape, len(LABELS), seed=1)
    train, judged = clips(1, 300), clips(2, 60)
    teach(model, model_input.to_model_input(train.features, FEATURES), train.label_index)
    representative = Labelled(features=train.features[:60], label_index=train.label_index[:60])
    params = ConversionParams(max_accuracy_drop=0.05)
    conversion = convert(model, representative, judged, LABELS, FEATURES, params, MODEL)
    return Taught(
        form=DeviceForm.of(model, MODEL, FEATURES, len(LABELS)),
        conversion=conversion,
        int8=load.of_content(conversion.model, LABELS, FEATURES, "streaming"),
        judged=judged,
    )


@pytest.fixture(scope="module")
def folder(taught: Taught, tmp_path_factory: pytest.TempPathFactory) -> Path:
    inputs = taught.int8.quantize(taught.judged.features[:3])
    micro = measure(taught.conversion.model, taught.int8, inputs, BudgetParams(), stride_ms=30)
    vector = golden_vectors.TestVector(
        clip_id="0" * 16,
        label=LABELS[0],
        features=taught.judged.features[0],
        model_input=taught.int8.inferences(inputs)[0],
        model_output=taught.int8.run_inferences(taught.int8.inferences(inputs))[0],
    )
    contents = BundleContents(
        name="wheep",
        version="1",
        created="2026-01-31T12:00:00Z",
        model=taught.conversion.model,
        float_io=taught.conversion.float_io,
        microwakeword=taught.conversion.microwakeword,
        labels=LABELS,
        feature_params=FEATURES,
        detector=DETECTOR,
        micro=micro,
        gates=(),
        figures={},
        vectors=(vector,),
        info={"languages": ["whistled"]},
        kind="streaming",
        sensitivities=sensitivities_at(low=0.95, medium=0.8, high=0.5),
    )
    return publishing.push(contents, tmp_path_factory.mktemp("bundles"))


def test_pymicro_wakeword_detects_every_word_and_nothing_else(folder: Path) -> None:
    spotter = MicroWakeWord.from_config(folder / "microwakeword" / "manifest.json")
    audio, ends_ms = stream(np.random.default_rng(3))
    # The first second is not heeded, by ESPHome as by us: the model has not heard enough yet.
    detected_ms, quiet_until_ms = [], 1000
    for frame, features in enumerate(MicroWakeWordFeatures().process_streaming(audio.tobytes())):
        now_ms = frame * 10 + 30
        if spotter.process_streaming(features) and now_ms >= quiet_until_ms:
            detected_ms.append(now_ms)
            quiet_until_ms = now_ms + 1000
    late_ms = np.array(detected_ms) - np.array(ends_ms)
    assert len(detected_ms) == len(ends_ms) == 8
    assert late_ms.min() > -150 and late_ms.max() < 500


def test_our_detector_hears_the_same_words_in_model_tflite(folder: Path) -> None:
    model = load.load_folder(folder)
    audio, ends_ms = stream(np.random.default_rng(3))
    times_ms, posteriors = stream_posteriors(
        model, frontends.create(FEATURES), audio, DETECTOR.clip_stride_ms
    )
    found = [detection.end_ms for detection in detect(times_ms, posteriors, DETECTOR, LABELS)]
    late_ms = np.array(found) - np.array(ends_ms)
    assert late_ms.min() > -150 and late_ms.max() < 500


def test_its_manifest_is_version_2_with_the_detectors_settings(folder: Path) -> None:
    described = json.loads((folder / "microwakeword" / "manifest.json").read_text())
    manifest.check(described, manifest.MICROWAKEWORD_SCHEMA)
    assert (described["type"], described["version"]) == ("micro", 2)
    assert described["wake_word"] == "wheep" and described["trained_languages"] == ["whistled"]
    micro = described["micro"]
    # 0.8 is nearest to the level 205 of 256; ESPHome counts cutoffs in 255ths.
    assert (micro["probability_cutoff"], micro["sliding_window_size"]) == (0.80393, 5)
    assert micro["feature_step_size"] == 10 and micro["tensor_arena_size"] % 16 == 0
    ours = json.loads((folder / "manifest.json").read_text())
    assert ours["microwakeword"] == "microwakeword/manifest.json"
    cutoffs = {n: one["probability_cutoff"] for n, one in ours["sensitivities"]["points"].items()}
    assert cutoffs == {"low": 0.95295, "medium": 0.80393, "high": 0.50197}
    card = (folder / "model_card.md").read_text()
    assert "| medium (default) | 0.1 | 0.8 | 0.80393 |" in card
    with pytest.raises(KwsError, match=r"micro.feature_step_size"):
        wrong = {**described, "micro": {**micro, "feature_step_size": 40}}
        manifest.check(wrong, manifest.MICROWAKEWORD_SCHEMA)


def test_esphome_fires_at_a_cutoff_where_the_rule_does_at_its_threshold() -> None:
    for level in range(1, 255):
        # esphome/components/micro_wake_word: __init__.py makes a byte of the cutoff, and
        # streaming_model.cpp compares the sum of the last outputs with it; here of five.
        quantized = int(microwakeword.probability_cutoff(level / 256) * 255)
        for total in (5 * level - 4, 5 * level, 5 * level + 1, 5 * level + 5):
            assert (total > quantized * 5) == (total / 256 / 5 > level / 256)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rule": "consecutive"}, "rule=consecutive, and microWakeWord's programs know sliding"),
        ({"clip_stride_ms": 60}, "clip_stride_ms=60, .* look at every step of 30 ms"),
        ({}, None),
    ],
)
def test_a_detector_that_esphome_cannot_run_is_refused(changes: dict, message: str | None) -> None:
    refused = microwakeword.detector_refusal(DETECTOR.model_copy(update=changes), 30.0)
    assert refused is None if message is None else re.match(message, refused or "")


def test_the_file_is_the_same_network_in_the_form_that_esphome_asks_for(taught: Taught) -> None:
    content = taught.conversion.microwakeword
    assert content is not None
    interpreter = tf.lite.Interpreter(model_content=content)
    (source,), (sink,) = interpreter.get_input_details(), interpreter.get_output_details()
    assert (list(source["shape"]), source["dtype"]) == ([1, 3, 40], np.int8)
    assert (list(sink["shape"]), sink["dtype"]) == ([1, 1], np.uint8)
    # ESPHome computes (feature * 256 + 333) / 666 - 128, whatever the file says.
    scale, zero_point = source["quantization"]
    features = np.arange(667)
    theirs = np.clip((features * 256 + 333) // 666 - 128, -128, 127)
    ours = model_input.quantize(features * np.float32(10 / 256), scale, zero_point)
    assert np.abs(theirs - ours).max() <= 1
    assert set(flatbuffer.count_operators(content)) <= microwakeword.ESPHOME_OPERATORS
    assert flatbuffer.count_operators(content)["VAR_HANDLE"] <= 20
    steps = taught.conversion.figures.microwakeword_steps
    assert steps is not None and steps <= 2
    assert microwakeword.compare(content, taught.int8, taught.judged.features) <= 2


def test_another_network_is_refused(taught: Taught) -> None:
    other = registry.build(MODEL, FEATURES.feature_shape, len(LABELS), seed=7)
    form = DeviceForm.of(other, MODEL, FEATURES, len(LABELS))
    content = microwakeword.convert(form, taught.judged.features, FEATURES)
    with pytest.raises(KwsError, match="differ by"):
        microwakeword.compare(content, taught.int8, taught.judged.features)


@pytest.mark.parametrize(
    ("options", "features", "reason"),
    [
        ({"ending": "softmax"}, FEATURES, "one keyword's sigmoid"),
        ({}, FEATURES.model_copy(update={"pcan_strength": 0.5}), "default parameters"),
    ],
    ids=["softmax", "another frontend"],
)
def test_what_cannot_run_there_has_no_such_file(options, features, reason) -> None:
    params = MODEL.model_copy(update={"options": {**MODEL.options, **options}})
    model = registry.build(params, features.feature_shape, len(LABELS))
    form = DeviceForm.of(model, params, features, len(LABELS))
    assert reason in (microwakeword.refusal(form, features) or "")


def test_a_model_of_two_keywords_has_no_such_file() -> None:
    model = registry.build(MODEL, FEATURES.feature_shape, 4)
    form = DeviceForm.of(model, MODEL, FEATURES, 4)
    assert "one keyword's sigmoid" in (microwakeword.refusal(form, FEATURES) or "")
