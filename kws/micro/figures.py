"""What a model costs a device, as it was measured and estimated."""

from kws.micro.stream_parity import StreamParity
from kws.micro.targets import TargetCost
from kws.params import Params

MICRO_FILE = "micro.json"


class MicroFigures(Params):
    """`micro.json`.

    Attributes:
      flash_bytes: of `model.tflite`, which the device keeps in flash.
      arena_bytes: smallest arena in which TFLM runs the model, = head + tail.
      arena_head_bytes, arena_tail_bytes: see `kws.micro.tflm.TflmRun`.
      arena_recommended_bytes: with the margin, rounded up to 16.
      arena_margin: that margin.
      macs: multiply-accumulates of one inference.
      elements: other values that it computes, see `kws.micro.elements`.
      every_ms: time between two inferences: a streaming model's step, or the detector's stride.
      macs_per_second: what follows from the two.
      targets: device -> what the model would cost it, estimated; see `kws.micro.targets`.
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
