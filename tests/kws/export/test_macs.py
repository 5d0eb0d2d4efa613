"""The file's multiply-accumulates are those of the Keras model that it was converted from."""

import numpy as np
import pytest
import tensorflow as tf

from kws.errors import KwsError
from kws.export import flatbuffer
from kws.export.device_form import DeviceForm
from kws.features.params import FeatureParams
from kws.models import cost, registry
from kws.models.params import ModelParams
from tests.kws.runtime.conftest import Trial, random_features

FEATURES = FeatureParams()


def test_a_windowed_file_counts_what_its_keras_model_counts(trial: Trial) -> None:
    assert flatbuffer.count_macs(trial.conversion.model) == cost.macs(trial.keras_model) > 0


@pytest.mark.parametrize("name", ["mixed_net", "ds_cnn", "low_latency_svdf"])
def test_files_of_the_zoo_count_what_the_papers_count(name: str) -> None:
    params = ModelParams(name=name)
    model = registry.build(params, FEATURES.feature_shape, 4)
    form = DeviceForm.of(model, params, FEATURES, 4)
    content = form.to_tflite(random_features(np.random.default_rng(0), 4), FEATURES, tf.int8)
    assert flatbuffer.count_macs(content) == cost.macs(form.model)


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(KwsError, match="no TFLite model"):
        flatbuffer.count_macs(b"what a file")
