"""Is a whole stream heard alike by TensorFlow Lite Micro and by the runtime that judges models?"""

import numpy as np
import pydantic

from kws.gates import Gate
from kws.micro.int8_file import Int8File
from kws.params import Params
from kws.streaming.detector import detect
from kws.streaming.params import DetectorParams
from kws.streaming.posteriors import StreamFrontend, stream_posteriors

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


def compare(
    model: Int8File,
    on_device: Int8File,
    frontend: StreamFrontend,
    audio: np.ndarray,
    detector: DetectorParams,
) -> StreamParity:
    """Runs a stream through both, from the start.

    Args:
      model: in the runtime that judges models; see `kws.micro.load`.
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
