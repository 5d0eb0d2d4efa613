"""Validates a model for a device: does it fit, and does TFLM compute what TFLite computes?

It gives the measured and estimated figures, the gates on them (memory and estimated time of a
named device, supported operators) and a comparison of TFLM with the judging runtime over whole
streams.
"""

import numpy as np
import pydantic

from kws.detection.detector import detect
from kws.detection.params import DetectorParams
from kws.detection.posteriors import StreamFrontend, stream_posteriors
from kws.export import flatbuffer
from kws.export.params import BudgetParams
from kws.gates import Gate
from kws.params import Params
from kws.runtime import targets, tflm
from kws.runtime.int8_file import Int8File
from kws.runtime.streaming_model import Int8StreamingModel
from kws.runtime.targets import ERROR_FACTOR, Target, TargetCost

THRESHOLDS = tuple(float(n) / 20 for n in range(2, 20))
"""Detections are compared at all of them: which one will be chosen is not known yet."""

STREAMING_STEPS = 1
"""By how much posteriors of a streaming model may differ; a windowed model's may not at all."""


class StreamParity(Params):
    """What came of comparing."""

    seconds: float = pydantic.Field(description="of audio")
    rows: int = pydantic.Field(description="posteriors compared, one row a stride")
    rows_differing: int
    largest_difference_steps: int = pydantic.Field(description="of the int8 outputs")
    thresholds: int = pydantic.Field(description="at which detections were compared")
    detections: int = pydantic.Field(description="of TFLM, at all of these thresholds")
    detections_differing: int = pydantic.Field(
        description="of either runtime that the other has not: label, start and end"
    )


def compare_streams(
    model: Int8File,
    on_device: Int8File,
    frontend: StreamFrontend,
    audio: np.ndarray,
    detector: DetectorParams,
) -> StreamParity:
    """Runs a stream through both, from the start.

    Args:
      model: in the runtime that judges models; see `kws.runtime.load`.
      on_device: the same file in TFLM.
      frontend: of the model.
      audio: int16 `[samples]` at the frontend's rate.
      detector: its threshold is not heeded.
    """
    stride = detector.clip_stride_ms
    times_ms, here = stream_posteriors(model, frontend, audio, stride)
    _, there = stream_posteriors(on_device, frontend, audio, stride)
    steps = np.rint(np.abs(here - there) / model.output_scale).astype(np.int64)
    found, differing = 0, 0
    for threshold in THRESHOLDS:
        params = detector.model_copy(update={"detection_threshold": threshold})
        ours, theirs = (
            {(d.label, d.start_ms, d.end_ms) for d in detect(times_ms, p, params, model.labels)}
            for p in (here, there)
        )
        found, differing = found + len(theirs), differing + len(ours ^ theirs)
    return StreamParity(
        seconds=len(audio) / frontend.params.sample_rate,
        rows=len(here),
        rows_differing=int(np.count_nonzero(steps.max(axis=1, initial=0))),
        largest_difference_steps=int(steps.max(initial=0)),
        thresholds=len(THRESHOLDS),
        detections=found,
        detections_differing=differing,
    )


def parity_gates(parity: StreamParity, *, streaming: bool) -> list[Gate]:
    """Detections must be identical; posteriors exact, or within a step of a streaming model."""
    heard = f"{parity.seconds:.0f} s of the eval streams"
    return [
        Gate(
            name="micro.stream_detections",
            value=parity.detections_differing,
            limit=0,
            at_most=True,
            unit="detections that differ",
            detail=f"TFLM against TFLite on {heard}: {parity.detections} detections at "
            f"{parity.thresholds} thresholds",
        ),
        Gate(
            name="micro.stream_mismatches",
            value=parity.largest_difference_steps,
            limit=STREAMING_STEPS if streaming else 0,
            at_most=True,
            unit="int8 steps",
            detail=f"largest difference of {parity.rows} rows of posteriors on {heard}; "
            f"{parity.rows_differing} rows differ",
        ),
    ]


MICRO_FILE = "micro.json"


class MicroFigures(Params):
    """`micro.json`.

    Attributes:
      flash_bytes: of `model.tflite`, which the device keeps in flash.
      arena_bytes: smallest arena in which TFLM runs the model, = head + tail.
      arena_head_bytes: see `kws.runtime.tflm.TflmRun`.
      arena_tail_bytes: see `kws.runtime.tflm.TflmRun`.
      arena_recommended_bytes: with the margin, rounded up to 16.
      arena_margin: that margin.
      macs: multiply-accumulates of one inference.
      elements: other values that it computes, see `kws.export.flatbuffer`.
      every_ms: time between two inferences: a streaming model's step, or the detector's stride.
      macs_per_second: what follows from the two.
      targets: device -> what the model would cost it, estimated; see `kws.runtime.targets`.
      operators: name -> how often it occurs.
      test_vectors: clips on which TFLM and TFLite were compared.
      tflm_mismatch_steps: largest difference of their int8 outputs; of a streaming model at every
        step of each clip from the start of a stream, and of all clips as one stream.
      stream: of a comparison over eval streams, where there was one.
    """

    flash_bytes: int
    arena_bytes: int
    arena_head_bytes: int
    arena_tail_bytes: int
    arena_recommended_bytes: int
    arena_margin: float
    macs: int
    elements: int
    every_ms: float
    macs_per_second: float
    targets: dict[str, TargetCost]
    operators: dict[str, int]
    test_vectors: int
    tflm_mismatch_steps: int
    stream: StreamParity | None = None


def target_gates(device: Target, figures: MicroFigures, params: BudgetParams) -> list[Gate]:
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
    work = flatbuffer.count_macs(content), flatbuffer.count_elementwise(content)
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
        operators=flatbuffer.count_operators(content),
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
        gates += target_gates(targets.target(name), figures, params)
    return gates
