"""Does the model fit the device, and does TFLM compute what TFLite computes? Figures and gates."""

import numpy as np

from kws.gates import Gate
from kws.micro import elements, macs, operators, target_gates, targets, tflm
from kws.micro.figures import MicroFigures
from kws.micro.int8_file import Int8File
from kws.micro.params import BudgetParams
from kws.micro.streaming_model import Int8StreamingModel

ARENA_ALIGNMENT = 16


def measure(
    content: bytes,
    model: Int8File,
    inputs: np.ndarray,
    params: BudgetParams,
    *,
    stride_ms: float,
) -> MicroFigures:
    """Runs int8 clips `[n, frames, channels]` through TFLM and TFLite and measures.

    Args:
      content: of the file.
      model: loaded from it.
      inputs: the clips.
      params: the margin.
      stride_ms: how often the detector has a windowed model run.

    Raises:
      KwsError: TFLM cannot run the model at all.
    """
    micro = tflm.run(content, model.inferences(inputs))
    here = model.run_inferences(model.inferences(inputs))
    mismatch = np.abs(micro.outputs.astype(np.int32) - here).max()
    if model.kind == "streaming":
        # A clip fills the state once; what it becomes after many is seen only in a long stream.
        stream = model.inferences(inputs).reshape(1, -1, *model.input_shape[1:])
        there = tflm.run(content, stream).outputs.astype(np.int32)
        mismatch = max(mismatch, np.abs(there - model.run_inferences(stream)).max())
    every_ms = model.step_ms if isinstance(model, Int8StreamingModel) else stride_ms
    work = macs.count(content), elements.count(content)
    with_margin = micro.arena_bytes * (1 + params.arena_margin)
    return MicroFigures(
        flash_bytes=len(content),
        arena_bytes=micro.arena_bytes,
        arena_head_bytes=micro.arena_head_bytes,
        arena_tail_bytes=micro.arena_tail_bytes,
        arena_recommended_bytes=int(-(-with_margin // ARENA_ALIGNMENT)) * ARENA_ALIGNMENT,
        arena_margin=params.arena_margin,
        macs=work[0],
        elements=work[1],
        every_ms=every_ms,
        macs_per_second=work[0] / every_ms * 1000,
        targets=targets.costs(*work, every_ms),
        operators=operators.count(content),
        test_vectors=len(inputs),
        tflm_mismatch_steps=int(mismatch),
    )


def budget_gates(figures: MicroFigures, params: BudgetParams) -> list[Gate]:
    """The device's gates; a budget of None gives none, operators and mismatches are always held."""
    gates = []
    if params.max_flash_bytes is not None:
        gates.append(
            Gate(
                name="micro.flash_bytes",
                value=figures.flash_bytes,
                limit=params.max_flash_bytes,
                at_most=True,
                unit="bytes",
                detail="size of model.tflite",
            )
        )
    if params.max_arena_bytes is not None:
        gates.append(
            Gate(
                name="micro.arena_bytes",
                value=figures.arena_recommended_bytes,
                limit=params.max_arena_bytes,
                at_most=True,
                unit="bytes",
                detail=f"measured {figures.arena_bytes} bytes and a margin of "
                f"{params.arena_margin:.0%}",
            )
        )
    strangers = sorted(set(figures.operators) - set(params.operators))
    gates.append(
        Gate(
            name="micro.operators",
            value=len(strangers),
            limit=0,
            at_most=True,
            unit="operators not allowed",
            detail=", ".join(strangers) if strangers else f"uses {', '.join(figures.operators)}",
        )
    )
    gates.append(
        Gate(
            name="micro.tflm_mismatches",
            value=figures.tflm_mismatch_steps,
            limit=0,
            at_most=True,
            unit="int8 steps",
            detail=f"largest difference between TFLM and TFLite on {figures.test_vectors} clips",
        )
    )
    for name in params.targets:
        gates += target_gates.of(targets.target(name), figures, params)
    return gates
