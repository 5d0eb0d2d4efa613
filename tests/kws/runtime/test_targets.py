"""What named devices have to spare, and what a model is estimated to cost them."""

import numpy as np
import pydantic
import pytest
import tensorflow as tf

from kws.errors import KwsError
from kws.export import flatbuffer
from kws.export.device_form import DeviceForm
from kws.export.params import BudgetParams
from kws.features.params import FeatureParams
from kws.models import cost
from kws.runtime import targets
from kws.runtime.validate import MicroFigures, budget_gates
from tests.kws.runtime.conftest import random_features


def test_the_measured_network_has_the_multiply_accumulates_that_the_cycles_rest_on() -> None:
    # Person detection is MobileNet v1 of width 0.25 on 96 x 96 grey pixels, two answers.
    model = tf.keras.applications.MobileNet(
        input_shape=(96, 96, 1), alpha=0.25, weights=None, classes=2
    )
    assert cost.macs(model) == targets.PERSON_DETECTION_MACS


@pytest.mark.parametrize("name", targets.TARGETS)
def test_the_estimate_of_the_measured_network_is_the_measurement(name: str) -> None:
    device = targets.target(name)
    found = targets.cost(device, targets.PERSON_DETECTION_MACS, 0, every_ms=1000)
    at_its_clock = device.person_detection_ms * device.measured_at_hz / device.clock_hz
    assert found.latency_ms == pytest.approx(at_its_clock)
    assert found.duty_cycle == pytest.approx(at_its_clock / 1000)


@pytest.mark.parametrize(
    ("multiply_accumulates", "clock_hz", "measured_ms"),
    [(336_000, 64e6, 53.654), (2_656_768, 120e6, 1000 / 10.241), (7_157_888, 100e6, 386.595)],
    ids=["micro_speech on nRF52840", "DS-CNN on STM32L4R5", "person detection on STM32F413"],
)
def test_published_measurements_that_were_not_fitted_lie_within_the_stated_error(
    multiply_accumulates: int, clock_hz: float, measured_ms: float
) -> None:
    m4 = targets.target("cortex-m4f")
    estimate = targets.cost(m4, multiply_accumulates, 0, every_ms=1000).latency_ms
    at_that_clock = estimate * m4.clock_hz / clock_hz
    off = measured_ms / at_that_clock
    assert 1 / targets.ERROR_FACTOR <= off <= targets.ERROR_FACTOR


def test_the_order_of_the_devices_is_that_of_their_cycles() -> None:
    cycles = {name: device.cycles_per_mac for name, device in targets.TARGETS.items()}
    assert cycles["esp32-s3"] == pytest.approx(1.81, abs=0.01)
    assert cycles["cortex-m4f"] == pytest.approx(5.84, abs=0.01)
    assert cycles["esp32"] == pytest.approx(12.74, abs=0.01)
    assert cycles["cortex-m0+"] == pytest.approx(13.66, abs=0.01)


def test_elements_are_the_outputs_of_what_neither_multiplies_nor_copies() -> None:
    layers = tf.keras.layers
    model = tf.keras.Sequential(
        [
            layers.InputLayer((49, 40)),
            layers.Reshape((49, 40, 1)),
            layers.Conv2D(4, 3, strides=2, activation="relu"),  # 24 x 19 x 4
            layers.GlobalAveragePooling2D(),  # works on all of these
            layers.Dense(5, activation="softmax"),  # softmax: 5 values
        ]
    )
    form = DeviceForm.of(model, None, FeatureParams(), 5)
    content = form.to_tflite(random_features(np.random.default_rng(0), 4), FeatureParams(), tf.int8)
    assert flatbuffer.count_elementwise(content) == 24 * 19 * 4 + 5
    with pytest.raises(KwsError, match="no TFLite model"):
        flatbuffer.count_elementwise(b"what a file")


def test_figures_hold_the_work_a_second_and_every_device(figures: MicroFigures, trial) -> None:
    assert figures.macs == flatbuffer.count_macs(trial.conversion.model)
    assert figures.macs_per_second == pytest.approx(figures.macs * 25)  # every 40 ms
    assert set(figures.targets) == {"esp32", "esp32-s3", "cortex-m4f", "cortex-m0+"}


def test_a_named_device_gates_its_memories_and_its_time(figures: MicroFigures) -> None:
    def failed(**params) -> list[str]:
        gates = budget_gates(figures, BudgetParams(**params))
        return [gate.name for gate in gates if not gate.passed]

    device = targets.target("cortex-m0+")
    high = figures.targets["cortex-m0+"]
    assert failed(targets=["cortex-m0+", "esp32-s3"]) == []
    assert failed(targets=["cortex-m0+"], max_duty_cycle=high.duty_cycle * 1.9) == [
        "micro.cortex-m0+.duty_cycle"  # the estimate would pass, its upper end does not
    ]
    assert failed(targets=["cortex-m0+"], max_latency_ms=high.latency_ms * 1.9) == [
        "micro.cortex-m0+.latency_ms"
    ]
    large = figures.model_copy(update={"arena_recommended_bytes": device.ram_bytes + 16})
    gates = budget_gates(large, BudgetParams(targets=("cortex-m0+",)))
    assert [gate.name for gate in gates if not gate.passed] == ["micro.cortex-m0+.arena_bytes"]


def test_an_unknown_device_and_a_latency_of_none_are_refused() -> None:
    with pytest.raises(pydantic.ValidationError, match="one of esp32, esp32-s3, cortex-m4f"):
        BudgetParams(targets=("pdp-11",))
    with pytest.raises(pydantic.ValidationError, match="name it in targets"):
        BudgetParams(max_latency_ms=5)


@pytest.mark.parametrize(
    ("latency_ms", "shown"),
    [(2.53, "2.5 ms"), (83.4, "83 ms"), (567, "570 ms"), (1160, "1,200 ms")],
)
def test_an_estimate_is_shown_with_two_digits_that_count(latency_ms, shown):
    assert targets.in_ms(latency_ms) == shown
