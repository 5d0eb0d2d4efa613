"""Named devices: what they have to spare, and what a model would cost them, estimated.

Nothing here was measured by us on a device. The estimate is

    cycles  = multiply-accumulates x cycles of one + other values x CYCLES_PER_ELEMENT
    latency = cycles / clock;  duty cycle = latency / time between two inferences

where the cycles of a multiply-accumulate come from one published measurement of a whole network,
TensorFlow Lite Micro's person detection (MobileNet v1 0.25 on 96 x 96 grey pixels: 7,157,888
multiply-accumulates), with the kernels that the chip's maker optimized. Other networks need more
or fewer cycles for each: `ERROR_FACTOR` says how far off an estimate may be, and budgets are held
against its upper end. Measured elsewhere and not used for fitting (Cortex-M4F, CMSIS-NN):

  - micro_speech, 336,000 multiply-accumulates, 64 MHz: 53.7 ms (guberti/tvm-arduino-profiling,
    README.md); the estimate is 31 ms, 0.57 of it. It is nearly all one convolution of a single
    channel, which no kernel likes.
  - MLPerf Tiny's DS-CNN, 2,656,768, 120 MHz: 97.6 ms, with X-CUBE-AI's kernels
    (mlcommons/tiny_results_v0.7, closed/STMicroelectronics, NUCLEO_L4R5ZI: 10.241 inferences a
    second); the estimate is 129 ms, 1.3 of it.

The frontend (FFT, filterbank), the microphone and the radio are not in it.
"""

import dataclasses

from kws.errors import KwsError
from kws.params import Params

PERSON_DETECTION_MACS = 7_157_888
CYCLES_PER_ELEMENT = 20.0
"""An assumption, for additions, activations, softmax, slices: between a plain copy and ESP-NN's
elementwise_add (71,644 cycles for 1,615 values: espressif/esp-nn, README.md, ESP32-S3)."""
ERROR_FACTOR = 2.0
"""The truth is thought to lie between the estimate divided by this and multiplied by this."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Target:
    """A kind of device, in the shape of one common chip or board.

    Attributes:
      name: as in the configuration.
      chip: whose clock and memories these are.
      clock_hz: of its processor.
      flash_bytes: of the whole chip or board; firmware wants its share.
      ram_bytes: likewise.
      kernels: what the cycles are for.
      person_detection_ms: the measurement.
      measured_at_hz: the clock of that measurement.
      source: where it is published.
      plain_kernels_ms: the same measurement without the optimized kernels, if published.
    """

    name: str
    chip: str
    clock_hz: int
    flash_bytes: int
    ram_bytes: int
    kernels: str
    person_detection_ms: float
    measured_at_hz: int
    source: str
    plain_kernels_ms: float | None = None

    @property
    def cycles_per_mac(self) -> float:
        """Of the measured network."""
        return self.person_detection_ms / 1000 * self.measured_at_hz / PERSON_DETECTION_MACS


class TargetCost(Params):
    """What a model would cost a device; all but the limits are estimates.

    Attributes:
      latency_ms: of one inference, without the frontend.
      duty_cycle: the part of the processor's time that inferences take.
      latency_high_ms: the latency at the upper end of the error.
      duty_cycle_high: the duty cycle at the upper end of the error.
    """

    latency_ms: float
    latency_high_ms: float
    duty_cycle: float
    duty_cycle_high: float


_ESP = "espressif/esp-tflite-micro, README.md, Performance Comparison (internal memory)"

TARGETS = {
    target.name: target
    for target in (
        Target(
            name="esp32",
            chip="ESP32, 240 MHz, module with 4 MB flash",
            clock_hz=240_000_000,
            flash_bytes=4 << 20,
            ram_bytes=520 << 10,
            kernels="ESP-NN",
            person_detection_ms=380,
            measured_at_hz=240_000_000,
            source=_ESP,
            plain_kernels_ms=4084,
        ),
        Target(
            name="esp32-s3",
            chip="ESP32-S3, 240 MHz, module with 8 MB flash",
            clock_hz=240_000_000,
            flash_bytes=8 << 20,
            ram_bytes=512 << 10,
            kernels="ESP-NN",
            person_detection_ms=54,
            measured_at_hz=240_000_000,
            source=_ESP,
            plain_kernels_ms=2300,
        ),
        Target(
            name="cortex-m4f",
            chip="nRF52840 (Arduino Nano 33 BLE), 64 MHz",
            clock_hz=64_000_000,
            flash_bytes=1 << 20,
            ram_bytes=256 << 10,
            kernels="CMSIS-NN",
            person_detection_ms=653.005,
            measured_at_hz=64_000_000,
            source="guberti/tvm-arduino-profiling, README.md; an STM32F413 at its 100 MHz took "
            "386.6 ms, 5.4 cycles (Samsung/ONE issue 7598, comment of 2021-09-15)",
        ),
        Target(
            name="cortex-m0+",
            chip="RP2040 (Raspberry Pi Pico), 125 MHz, one core",
            clock_hz=125_000_000,
            flash_bytes=2 << 20,
            ram_bytes=264 << 10,
            kernels="CMSIS-NN",
            person_detection_ms=782,
            measured_at_hz=125_000_000,
            source="raspberrypi/pico-tflmicro, benchmark_results.txt, first table; the clock is "
            "not stated there: the SDK's default of the time is assumed",
        ),
    )
}


def target(name: str) -> Target:
    """A target by its name.

    Raises:
      KwsError: there is none of that name.
    """
    if name not in TARGETS:
        raise KwsError(f"target={name!r} is not known", hint=f"one of {', '.join(TARGETS)}")
    return TARGETS[name]


def cost(device: Target, macs: int, elements: int, every_ms: float) -> TargetCost:
    """The estimate.

    Args:
      device: one of `TARGETS`.
      macs: multiply-accumulates of one inference (`kws.export.flatbuffer`).
      elements: other values that it computes (`kws.export.flatbuffer`).
      every_ms: time between two inferences.
    """
    cycles = macs * device.cycles_per_mac + elements * CYCLES_PER_ELEMENT
    latency_ms = cycles / device.clock_hz * 1000
    return TargetCost(
        latency_ms=latency_ms,
        latency_high_ms=latency_ms * ERROR_FACTOR,
        duty_cycle=latency_ms / every_ms,
        duty_cycle_high=latency_ms * ERROR_FACTOR / every_ms,
    )


def costs(macs: int, elements: int, every_ms: float) -> dict[str, TargetCost]:
    """The estimate of every target, by its name."""
    return {name: cost(device, macs, elements, every_ms) for name, device in TARGETS.items()}


def in_ms(latency_ms: float) -> str:
    """An estimated time for people, with two digits that count: `2.5 ms`, `570 ms`."""
    rounded = float(f"{latency_ms:.2g}")
    return f"{rounded:,.0f} ms" if rounded >= 10 else f"{rounded:g} ms"
