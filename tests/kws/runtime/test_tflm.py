"""TFLM's process, the models that run in it, and parity over a stream."""

import numpy as np
import pytest

from kws import features
from kws.detection.params import DetectorParams
from kws.detection.posteriors import stream_posteriors
from kws.errors import KwsError
from kws.runtime import load, tflm, validate
from tests.kws.runtime.conftest import FEATURE_PARAMS, LABELS, Trial
from tests.kws.runtime.test_streaming_model import StreamingTrial, streaming

__all__ = ["streaming"]

SECONDS = 6
ANYTHING = DetectorParams(average_window_ms=120, clip_stride_ms=60, minimum_count=1)


def _audio(seconds: int = SECONDS) -> np.ndarray:
    """Noise that comes and goes."""
    rng = np.random.default_rng(5)
    level = 3000 * np.repeat(rng.uniform(0, 1, seconds * 4) ** 2, 4000)
    return (rng.normal(0, 1, seconds * 16000) * level).astype(np.int16)


@pytest.mark.parametrize("kind", ["windowed", "streaming"])
def test_a_stream_scored_through_tflm_has_the_posteriors_that_tflite_gives(
    kind: load.Kind, trial: Trial, streaming: StreamingTrial
) -> None:
    content = (trial if kind == "windowed" else streaming).conversion.model
    models = [
        load.of_content(content, LABELS, FEATURE_PARAMS, kind, runtime=runtime)
        for runtime in ("tflite", "tflm")
    ]
    frontend, audio = features.create(FEATURE_PARAMS), _audio()
    for _ in range(2):  # and again from the start, whatever was heard before
        here, there = (stream_posteriors(model, frontend, audio, 60)[1] for model in models)
        np.testing.assert_array_equal(here, there)
    assert len(np.unique(there, axis=0)) > 10
    clips = trial.judged.features[:5]
    np.testing.assert_array_equal(*(model.posteriors(clips) for model in models))


def test_a_stream_goes_on_in_tflm_where_it_ended(streaming: StreamingTrial) -> None:
    content = streaming.conversion.model
    model = load.of_content(content, LABELS, FEATURE_PARAMS, "streaming", runtime="tflm")
    stream = streaming.judged.features[:4].reshape(-1, 40)
    whole = model.stream(stream)
    pieces = [stream[:30], stream[30:30], stream[30:]]
    parts = [model.stream(part, fresh=not number) for number, part in enumerate(pieces)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_a_process_that_dies_says_what_it_said_last(trial: Trial) -> None:
    with pytest.raises(KwsError, match=r"arena of 100 bytes .*[Ff]ailed to allocate"):
        tflm.Tflm(trial.conversion.model, 100)
    with tflm.Tflm(trial.conversion.model) as interpreter:
        process = interpreter._process
        process.kill()
        with pytest.raises(KwsError, match="exit status -9"):
            interpreter.run(np.zeros((1, 49, 40), np.int8))
    assert process.poll() is not None


def test_closing_ends_the_process_and_so_does_forgetting_it(trial: Trial) -> None:
    with tflm.Tflm(trial.conversion.model) as interpreter:
        assert interpreter.run(np.zeros((2, 49, 40), np.int8)).shape == (2, 4)
        assert interpreter.run(np.zeros((0, 49, 40), np.int8)).size == 0
        process = interpreter._process
    assert process.poll() == 0
    interpreter = tflm.Tflm(trial.conversion.model)
    process = interpreter._process
    del interpreter
    assert process.poll() == 0


def test_parity_counts_rows_and_detections(streaming: StreamingTrial) -> None:
    frontend, audio = features.create(FEATURE_PARAMS), _audio()
    on_device = load.of_content(
        streaming.conversion.model, LABELS, FEATURE_PARAMS, "streaming", runtime="tflm"
    )
    found = validate.compare_streams(streaming.int8, on_device, frontend, audio, ANYTHING)
    assert (found.seconds, found.rows) == (SECONDS, 84)
    assert found.detections > 0
    assert (found.rows_differing, found.largest_difference_steps) == (0, 0)
    assert found.detections_differing == 0
    assert all(gate.passed for gate in validate.parity_gates(found, streaming=True))


def test_parity_sees_a_model_that_is_two_steps_off_and_one_that_hears_otherwise(
    trial: Trial,
) -> None:
    class Off:
        """The same model, `steps` off at some windows."""

        labels, output_scale = trial.int8.labels, trial.int8.output_scale

        def __init__(self, steps: int):
            self._steps = steps

        def posteriors(self, windows: np.ndarray) -> np.ndarray:
            found = trial.int8.posteriors(windows)
            found[10:13, LABELS.index("yes")] += self._steps * self.output_scale
            return found

    frontend, audio = features.create(FEATURE_PARAMS), _audio()
    near, far = (
        validate.compare_streams(trial.int8, Off(steps), frontend, audio, ANYTHING)  # type: ignore[arg-type]
        for steps in (2, 200)
    )
    assert (near.rows_differing, near.largest_difference_steps) == (3, 2)
    assert far.largest_difference_steps == 200 and far.detections_differing > 0
    one = near.model_copy(update={"largest_difference_steps": 1, "detections_differing": 0})
    passed = [
        [gate.passed for gate in validate.parity_gates(one, streaming=kind)]
        for kind in (True, False)
    ]
    assert passed == [[True, True], [True, False]], "one step is allowed to streaming models only"
