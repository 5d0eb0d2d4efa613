"""Does the model fit a named device? Gates on its memories and on the estimated time."""

from kws.gates import Gate
from kws.micro.figures import MicroFigures
from kws.micro.params import BudgetParams
from kws.micro.targets import ERROR_FACTOR, Target


def of(device: Target, figures: MicroFigures, params: BudgetParams) -> list[Gate]:
    """The gates of one device.

    The model alone must fit the chip's memories; `max_flash_bytes` and `max_arena_bytes` say what
    the firmware leaves to it. Time is judged at the upper end of the estimate.
    """
    estimated = figures.targets[device.name]
    about = (
        f"estimated {estimated.latency_ms:.3g} ms every {figures.every_ms:g} ms with "
        f"{device.kernels}, times {ERROR_FACTOR:g} for the estimate's error"
    )
    rows = [
        ("flash_bytes", figures.flash_bytes, device.flash_bytes, "bytes", device.chip),
        ("arena_bytes", figures.arena_recommended_bytes, device.ram_bytes, "bytes", device.chip),
        ("duty_cycle", estimated.duty_cycle_high, params.max_duty_cycle, "", about),
    ]
    if params.max_latency_ms is not None:
        rows.append(("latency_ms", estimated.latency_high_ms, params.max_latency_ms, "ms", about))
    return [
        Gate(
            name=f"micro.{device.name}.{what}",
            value=value,
            limit=limit,
            at_most=True,
            unit=unit,
            detail=detail,
        )
        for what, value, limit, unit, detail in rows
    ]
