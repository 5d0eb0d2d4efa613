"""A preset that says `frontend: mfcc`: coefficients from the clips to the evaluator's predictor."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import channel_utils, standard_artifacts

from components.evaluator import predictor
from components.spectrogram_transform import executor
from components.spectrogram_transform.component import SpectrogramTransform
from kws import features
from kws.errors import KwsError
from kws.export.device_form import windowed_to_tflite
from kws.features import files
from kws.features.example import FEATURES_FIELD, decode
from kws.models import registry
from kws.runtime.tflite_model import Int8Model
from pipeline.config import load
from tests.components.test_spectrogram_transform import CLEAN, artifact

LABELS = ("_silence_", "_unknown_", "yes")


@pytest.fixture(scope="module")
def config():
    settings = (
        "features.frontend=mfcc",
        "features.dct_coefficient_count=13",
        "model={name: single_fc}",
    )
    return load("quickstart", settings, None)


@pytest.fixture(scope="module")
def transformed(config, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("mfcc")
    source, output = artifact(folder / "in", CLEAN), standard_artifacts.Examples()
    output.uri = str(folder / "out")
    component = SpectrogramTransform(
        channel_utils.as_channel([source]), config.features, LABELS[2:]
    )
    executor.Executor(BaseBeamExecutor.Context()).Do(
        {"examples": [source]}, {"transformed_examples": [output]}, component.exec_properties
    )
    return Path(output.uri)


@pytest.fixture(scope="module")
def raw(transformed) -> list[bytes]:
    """The `features` fields of the training split."""
    shards = sorted(map(str, (transformed / "Split-train").iterdir()))
    records = tf.data.TFRecordDataset(shards, "GZIP").as_numpy_iterator()
    examples = [tf.train.Example.FromString(record) for record in records]
    return [example.features.feature[FEATURES_FIELD].bytes_list.value[0] for example in examples]


def test_the_examples_hold_the_coefficients_and_say_so(config, transformed):
    params = files.read(transformed)
    assert params == config.features and params.feature_shape == (49, 13)
    shards = sorted(map(str, (transformed / "Split-train").iterdir()))
    frontend = features.create(params)
    expected = {clip.clip_id: frontend.compute(clip.audio) for clip in CLEAN["train"]}
    for record in tf.data.TFRecordDataset(shards, "GZIP").as_numpy_iterator():
        example = decode(record, params.feature_shape, frontend.dtype)
        np.testing.assert_array_equal(example.features, expected.pop(example.clip_id))
    assert not expected


def test_the_int8_model_and_the_predictor_hear_an_eighth_of_them(config, raw):
    params = config.features
    keras = registry.build(config.model, params.feature_shape, len(LABELS))
    clips = np.stack([np.frombuffer(one, "<f4").reshape(params.feature_shape) for one in raw])
    model = Int8Model(windowed_to_tflite(keras, clips, params, tf.int8), LABELS, params)
    lowest, highest = clips.min() / 8, clips.max() / 8
    assert model.input_scale == pytest.approx((max(highest, 0) - min(lowest, 0)) / 255, rel=0.02)
    found = predictor.outputs_of(model, raw, LABELS)["posteriors"]
    np.testing.assert_allclose(found, keras(clips / 8).numpy(), atol=0.05)
    with pytest.raises(KwsError, match=r"the model is fed float32 \[n, 49, 13\]"):
        model.posteriors(clips[:, :, :10])
    with pytest.raises(KwsError, match=r"lower_band_limit_hz=20\.0 instead of 125\.0"):
        model.posteriors(clips, params.model_copy(update={"lower_band_limit_hz": 20.0}))
