"""Conversion to int8, budgets of the device, and where bundles go."""

import pydantic

from kws.errors import KwsError
from kws.params import Params
from kws.runtime import targets
from kws.runtime.targets import ERROR_FACTOR

TFLM_OPERATORS = (
    "ADD", "ASSIGN_VARIABLE", "AVERAGE_POOL_2D", "CALL_ONCE", "CONCATENATION", "CONV_2D",
    "DEPTHWISE_CONV_2D", "DEQUANTIZE", "EXPAND_DIMS", "FULLY_CONNECTED", "LEAKY_RELU", "LOGISTIC",
    "MAX_POOL_2D", "MEAN", "MUL", "PACK", "PAD", "QUANTIZE", "READ_VARIABLE", "RELU", "RELU6",
    "RESHAPE", "RESIZE_BILINEAR", "SHAPE", "SOFTMAX", "SPLIT", "SQUEEZE", "STRIDED_SLICE",
    "SUB", "TANH", "TRANSPOSE", "VAR_HANDLE",
)  # fmt: skip
"""Operators that a bundle may use unless the configuration says otherwise."""


class ConversionParams(Params):
    """Full int8 quantization after training."""

    representative_examples: int = pydantic.Field(500, ge=10, description="of the training split")
    max_accuracy_drop: float = pydantic.Field(
        0.01, ge=0, le=1, description="accuracy int8 may lose to float (eval split)"
    )
    max_f1_drop: float = pydantic.Field(
        0.03, ge=0, le=1, description="F1 of steps int8 may lose, where a model answers at each"
    )
    seed: int = 0


class BudgetParams(Params):
    """What the device has to spare; None leaves a figure ungated."""

    max_flash_bytes: int | None = pydantic.Field(None, gt=0)
    max_arena_bytes: int | None = pydantic.Field(None, gt=0)
    operators: tuple[str, ...] = TFLM_OPERATORS
    arena_margin: float = pydantic.Field(0.1, ge=0, description="added to the measured arena")
    targets: tuple[str, ...] = pydantic.Field(
        (), description="devices that the model must fit: see kws/runtime/targets.py"
    )
    max_duty_cycle: float = pydantic.Field(
        1.0,
        gt=0,
        le=ERROR_FACTOR,
        description="of each target's processor, at the upper end of the estimate; above 1 the "
        "estimate itself must still be below",
    )
    max_latency_ms: float | None = pydantic.Field(
        None, gt=0, description="of one inference on each target, at the upper end of the estimate"
    )
    test_vectors: int = pydantic.Field(
        16, ge=1, description="clips compared between TFLite and TFLM"
    )
    parity_stream_s: float = pydantic.Field(
        60, ge=0, description="of the eval streams, compared likewise; 0 compares none"
    )

    @pydantic.model_validator(mode="after")
    def _targets_known(self) -> "BudgetParams":
        for name in self.targets:
            try:
                targets.target(name)
            except KwsError as error:
                raise ValueError(str(error)) from None
        if self.max_latency_ms is not None and not self.targets:
            raise ValueError("max_latency_ms is of a device: name it in targets, e.g. [esp32-s3]")
        return self
