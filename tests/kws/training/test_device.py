"""A GPU trains where TensorFlow sees one, and its memory is taken as it is needed.

No GPU was at hand: in the second test TensorFlow is made to answer as it would beside two.
"""

import logging
from types import SimpleNamespace

import pytest
import tensorflow as tf

from kws.training import fit


@pytest.fixture
def two_gpus(monkeypatch):
    """TensorFlow's answers on such a machine, and what was asked to grow."""
    gpus = [SimpleNamespace(name=f"/physical_device:GPU:{number}") for number in (0, 1)]
    grown = []

    def grow(gpu, enable):
        if gpu is gpus[1]:
            raise RuntimeError("Physical devices cannot be modified after being initialized")
        grown.append((gpu.name, enable))

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: gpus)
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", grow)
    details = {"device_name": "Tesla T4"}
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: details)
    return grown


def test_without_a_gpu_the_cores_train_and_the_log_says_so(caplog):
    if tf.config.list_physical_devices("GPU"):
        pytest.skip("there is a GPU here")
    with caplog.at_level(logging.INFO):
        assert fit.prepare_device().startswith("CPU, ")
    assert "Training on CPU" in caplog.text


def test_a_gpu_trains_with_memory_as_it_needs_it(two_gpus, caplog):
    with caplog.at_level(logging.INFO):
        assert fit.prepare_device() == "GPU Tesla T4; 1 more are not used"
    assert two_gpus == [("/physical_device:GPU:0", True)]
    assert "Training on GPU Tesla T4" in caplog.text
    assert "GPU:1 has its memory already" in caplog.text
