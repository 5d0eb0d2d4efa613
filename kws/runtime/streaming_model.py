"""Int8StreamingModel: an int8 file that keeps its state inside, run in Python as on the device.

TFLite's optimized kernels do not round as TensorFlow Lite Micro does where an activation may be
negative: posteriors of an untrained mixed_net differed by up to 11 of 255 steps. Its plain kernels
gave exactly TFLM's numbers on every model tried, so those are used, and of a single row, which is
all that a step is, the optimized ones are hardly faster. The first layers hear only the last few
frames: they take those of many steps at a time, on optimized kernels (see `leading_part`).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kws.errors import KwsError
from kws.export import flatbuffer
from kws.features.params import FeatureParams
from kws.labels import RESERVED
from kws.runtime import kernels, leading_part
from kws.runtime.int8_file import Int8File

_FIRST_VALUES = 1
"""The file's second graph, which CALL_ONCE runs before the first step: it sets the state."""


class Int8StreamingModel(Int8File):
    """int8 input `[1, frames_per_step, channels]`, and an output with one value a label.

    What it gives for a clip is its last step's output, from the start of a stream; of a clip that
    is longer than its context, that of the step at which a keyword is most probable (the first of
    equals). Of a clip or stream that is not a whole number of steps, a clip's first and a stream's
    last frames are left out. Other attributes: see `Int8File`.
    """

    kind = "streaming"

    def __init__(
        self,
        content: bytes,
        labels: Sequence[str],
        feature_params: FeatureParams,
        num_threads: int = 1,
    ):
        """Loads the model from the bytes of its file.

        Raises:
          KwsError: it is no int8 model, keeps no state, or is of another shape than the labels and
            the frontend.
        """
        super().__init__(content, labels, feature_params, num_threads)
        if "CALL_ONCE" not in flatbuffer.count_operators(content):
            raise KwsError(
                "the model keeps no state between steps: it is no streaming one",
                hint="a windowed model is loaded as kws.runtime.tflite_model.Int8Model",
            )
        self._fresh = True
        self._leading, self._rest = self._parts(content, num_threads)

    def _parts(
        self, content: bytes, num_threads: int
    ) -> tuple[leading_part.LeadingPart | None, Any]:
        """The first layers, if they can be had apart, and an interpreter of the other layers."""
        parts = leading_part.cut_leading_part(content)
        if parts is None or not leading_part.agrees(content, parts):
            return None, self._interpreter
        rest = kernels.interpreter(parts.rest, num_threads, reference=True)
        return leading_part.LeadingPart(parts, num_threads), rest

    @property
    def frames_per_step(self) -> int:
        """Frames that a step takes."""
        return self.input_shape[1]

    @property
    def frames_per_inference(self) -> int:
        """The same, by the name that windowed models have too."""
        return self.frames_per_step

    @property
    def warm_up_steps(self) -> int:
        """Steps until a stream's posteriors are what the model was trained for.

        One that gives posteriors of a clip was trained at the ends of clips only, so its first
        steps are not heeded; one that answers at every step of a clip has learnt to from the first.
        """
        answers_at_every_step = len(self.output_shape) > 2
        return 0 if answers_at_every_step else self._steps(self.feature_params.context_shape[0]) - 1

    @property
    def step_ms(self) -> float:
        """Time between two outputs."""
        return self.frames_per_step * self.feature_params.window_stride_ms

    def stream(self, features: np.ndarray, *, fresh: bool = True) -> np.ndarray:
        """Posteriors of all steps of a stream.

        Args:
          features: `[frames, channels]` in the frontend's own type; a rest shorter than a step is
            not used.
          fresh: begin a stream; else go on where the last call ended.

        Returns:
          float32 `[steps, labels]`; row k ends with frame `(k + 1) * frames_per_step - 1`.

        Raises:
          KwsError: features of another type or number of channels than the model's.
        """
        features = self._of_stream(features)
        count = self._steps(len(features))
        inputs = self._quantize(features[: count * self.frames_per_step])
        steps = inputs.reshape(count, self.frames_per_step, self.input_shape[2])
        return self.dequantize(self.run_steps(steps, fresh=fresh))

    def run_steps(self, inputs: np.ndarray, *, fresh: bool = True) -> np.ndarray:
        """int8 outputs `[steps, labels]` of the int8 steps `[steps, frames_per_step, channels]`."""
        if fresh:
            self.reset()
        outputs = np.zeros((len(inputs), *self.output_shape), np.int8)
        if len(inputs):
            self._fresh = False
        if self._leading is not None:
            inputs = self._leading.run(inputs)
        # Views of the tensors, not copies; the interpreter does not run while one is held.
        interpreter = self._rest
        (details,) = interpreter.get_input_details()
        source = interpreter.tensor(details["index"])
        sink = interpreter.tensor(self._output_index)
        for step, output in zip(inputs, outputs, strict=True):
            source()[0] = step
            interpreter.invoke()
            output[...] = sink()
        return outputs.reshape(len(inputs), len(self.labels))

    def reset(self) -> None:
        """Puts the model at the start of a stream."""
        if not self._fresh:
            self.start(self._rest)
            if self._leading is not None:
                self._leading.reset()
            self._fresh = True

    @staticmethod
    def _needs_reference_kernels(content: bytes) -> bool:
        return True

    @staticmethod
    def start(interpreter: Any) -> None:
        """Puts an interpreter at the start of a stream.

        TFLite's `reset_all_variables` passes over variables of this kind, so the graph that sets
        their first values is run again.
        """
        interpreter._interpreter.AllocateTensors(_FIRST_VALUES)
        interpreter._interpreter.Invoke(_FIRST_VALUES)

    def inferences(self, inputs: np.ndarray) -> np.ndarray:
        """int8 `[n, steps, frames_per_step, channels]`: the steps of clips."""
        count, frames, channels = inputs.shape
        surplus = frames % self.frames_per_step
        return inputs[:, surplus:].reshape(count, -1, self.frames_per_step, channels)

    def run_inferences(self, inputs: np.ndarray) -> np.ndarray:
        """int8 `[n, steps, labels]` of `inferences`' inputs, each clip as a stream of its own."""
        outputs = [self.run_steps(steps) for steps in inputs]
        shape = (len(inputs), inputs.shape[1], len(self.labels))
        return np.stack(outputs) if outputs else np.zeros(shape, np.int8)

    def run(self, inputs: np.ndarray) -> np.ndarray:
        """int8 outputs `[n, labels]` of clips `[n, frames, channels]`, see above."""
        outputs = self.run_inferences(self.inferences(inputs))
        context_frames = self.feature_params.context_frames
        if context_frames is None:
            return outputs[:, -1]
        # As in training, a step counts once the clip fills its whole context.
        first = -(-context_frames // self.frames_per_step) - 1
        return strongest_steps(outputs[:, first:])

    def _steps(self, frames: int) -> int:
        return frames // self.frames_per_step

    def _expected(self, what: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        if what == "input":
            channels = self.feature_params.feature_shape[1]
            step = shape[1] if len(shape) == 3 and shape[1] > 0 else 1
            return (1, step, channels)
        # `[1, labels]`, or `[1, 1, labels]` of a model that answers at every step of a clip.
        return (*(1 for _ in shape[:-1]), len(self.labels))


def strongest_steps(outputs: np.ndarray) -> np.ndarray:
    """`[n, labels]` of `[n, steps, labels]`: the step at which a keyword's output is highest."""
    strongest = outputs[:, :, len(RESERVED) :].max(axis=2).argmax(axis=1)
    return outputs[np.arange(len(outputs)), strongest]
