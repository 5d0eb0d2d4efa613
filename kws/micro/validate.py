"""Does the model fit the device, and does TFLM compute what TFLite computes? Figures and gates."""

import numpy as np

from kws.gates import Gate
from kws.micro import operators, tflm
from kws.micro.int8_file import Int8File
from kws.micro.params import BudgetParams
from kws.params import Params

MICRO_FILE = "micro.json"
ARENA_ALIGNMENT = 16


class MicroFigures(Params):
    """`micro.json`.

    Attributes:
      flash_bytes: of `model.tflite`, which the device keeps in flash.
      arena_bytes: smallest arena in which TFLM runs the model, = head + tail.
      arena_head_bytes, arena_tail_bytes: see `kws.micro.tflm.TflmRun`.
      arena_recommended_bytes: with the margin, rounded up to 16.
      operators: name -> how often it occurs.
      test_vectors: clips on which TFLM and TFLite were compared.
      tflm_mismatch_steps: largest difference of their int8 outputs; of a streaming model at every
        step of each clip from the start of a stream, and of all clips as one stream.
    """

    flash_bytes: int
    arena_bytes: int
    arena_head_bytes: int
    arena_tail_bytes: int
    arena_recommended_bytes: int
    operators: dict[str, int]
    test_vectors: int
    tflm_mismatch_steps: int


def measure(
    content: bytes, model: Int8File, inputs: np.ndarray, params: BudgetParams
) -> MicroFigures:
    """Runs int8 clips `[n, frames, channels]` through TFLM and TFLite and measures.

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
    with_margin = micro.arena_bytes * (1 + params.arena_margin)
    return MicroFigures(
        flash_bytes=len(content),
        arena_bytes=micro.arena_bytes,
        arena_head_bytes=micro.arena_head_bytes,
        arena_tail_bytes=micro.arena_tail_bytes,
        arena_recommended_bytes=int(-(-with_margin // ARENA_ALIGNMENT)) * ARENA_ALIGNMENT,
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
    return gates
