"""A preset for small devices ships no network that is too slow for the device it names."""

import pytest

from kws.labels import label_list
from kws.models import cost, registry
from kws.runtime import targets
from pipeline.config import load


@pytest.mark.parametrize(
    "preset", ["quickstart", "keyword", "keyword_large", "speech_commands", "tuned"]
)
def test_the_network_of_a_preset_keeps_up_with_an_esp32_s3(preset):
    config = load(preset)
    assert "esp32-s3" in config.budget.targets
    labels = len(label_list(config.keywords))
    context = config.features.context_shape
    model = registry.build(config.model, context, labels)
    if registry.architecture(config.model.name).STREAMING:
        model = registry.build_step(config.model, context, labels, model)
    every_ms = config.streaming.detector.clip_stride_ms
    for name in config.budget.targets:
        estimate = targets.cost(targets.target(name), cost.macs(model), 0, every_ms)
        assert estimate.duty_cycle_high <= config.budget.max_duty_cycle


def test_the_gate_would_refuse_ds_cnn_s_at_that_pace():
    config = load("quickstart", ["model={name: ds_cnn}"])
    model = registry.build(config.model, config.features.feature_shape, 6)
    every_ms = config.streaming.detector.clip_stride_ms
    estimate = targets.cost(targets.target("esp32-s3"), cost.macs(model), 0, every_ms)
    assert estimate.duty_cycle_high > config.budget.max_duty_cycle
