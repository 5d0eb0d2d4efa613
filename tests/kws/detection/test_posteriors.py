"""Windows over a stream: when each ends, what is in it, and that the state carries on."""

import numpy as np
import pytest

from kws.detection import posteriors as posteriors_module
from kws.detection.posteriors import stream_posteriors, stride_steps
from kws.errors import KwsError
from kws.features.params import FeatureParams


class RampFrontend:
    """Frame k holds k in every channel: a window tells which frames it was given."""

    params = FeatureParams(clip_duration_ms=1000, window_size_ms=30, window_stride_ms=20)

    def __init__(self) -> None:
        self.calls = 0

    def compute(self, audio: np.ndarray) -> np.ndarray:
        self.calls += 1
        frames = np.arange(self.params.frame_count(audio.size), dtype=np.uint16)
        return np.repeat(frames[:, None], self.params.feature_bin_count, axis=1)


class FirstAndLastFrame:
    """A model whose "posteriors" are the first and the last frame's numbers."""

    def __init__(self) -> None:
        self.labels = ["first", "last"]

    def posteriors(self, features: np.ndarray) -> np.ndarray:
        assert features.shape[1:] == (49, 40) and features.dtype == np.uint16
        return features[:, [0, -1], 0].astype(np.float32)


def test_windows_begin_every_stride_and_end_with_their_last_frame() -> None:
    frontend = RampFrontend()
    times_ms, rows = stream_posteriors(
        FirstAndLastFrame(), frontend, np.zeros(2 * 16000, np.int16), clip_stride_ms=40
    )
    # 2 s are 99 frames; 49 of them (990 ms) make a window; it moves by 2 frames.
    assert times_ms.tolist() == list(range(990, 2000, 40))
    assert rows[:, 0].tolist() == list(range(0, 51, 2))
    assert (rows[:, 1] == rows[:, 0] + 48).all()
    assert rows.dtype == np.float32 and times_ms.dtype == np.int64
    assert frontend.calls == 1


def test_batches_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    audio = np.zeros(5 * 16000, np.int16)
    _, whole = stream_posteriors(FirstAndLastFrame(), RampFrontend(), audio, 20)
    monkeypatch.setattr(posteriors_module, "BATCH_WINDOWS", 7)
    _, pieces = stream_posteriors(FirstAndLastFrame(), RampFrontend(), audio, 20)
    np.testing.assert_array_equal(pieces, whole)


@pytest.mark.parametrize(("samples", "windows"), [(0, 0), (15839, 0), (15840, 1)])
def test_a_stream_shorter_than_a_window_has_no_posteriors(samples: int, windows: int) -> None:
    times_ms, rows = stream_posteriors(
        FirstAndLastFrame(), RampFrontend(), np.zeros(samples, np.int16), 40
    )
    assert times_ms.shape == (windows,) and rows.shape == (windows, 2)


@pytest.mark.parametrize("clip_stride_ms", [30, 10])
def test_a_stride_between_frames_is_refused(clip_stride_ms: int) -> None:
    with pytest.raises(KwsError, match=f"clip_stride_ms={clip_stride_ms} is no multiple"):
        stream_posteriors(
            FirstAndLastFrame(), RampFrontend(), np.zeros(16000, np.int16), clip_stride_ms
        )


class LastFrameAndCalls:
    """A streaming model whose "posteriors" are a step's last frame and the steps so far."""

    labels = ("last", "steps")
    frames_per_step = 3
    warm_up_steps = 15

    def stream(self, features: np.ndarray, *, fresh: bool = True) -> np.ndarray:
        self._steps = 0 if fresh else self._steps
        assert len(features) % self.frames_per_step == 0
        last = features[self.frames_per_step - 1 :: self.frames_per_step, 0]
        counted = self._steps + 1 + np.arange(len(last))
        self._steps += len(last)
        return np.stack([last, counted], axis=1).astype(np.float32)


@pytest.mark.parametrize(("clip_stride_ms", "every"), [(60, 1), (180, 3)])
def test_a_streaming_model_runs_at_every_step_and_is_heeded_every_stride(
    clip_stride_ms: int, every: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posteriors_module, "BATCH_STEPS", 7)
    times_ms, rows = stream_posteriors(
        LastFrameAndCalls(), RampFrontend(), np.zeros(4 * 16000, np.int16), clip_stride_ms
    )
    # 4 s are 199 frames and 66 steps of 3; the 16th is the first that ends a whole clip.
    assert rows[:, 1].tolist() == list(range(16, 67, every))
    assert (rows[:, 0] == 3 * rows[:, 1] - 1).all()
    assert (times_ms == 20 * rows[:, 0] + 30).all()
    assert rows.dtype == np.float32 and times_ms.dtype == np.int64


def test_a_stream_shorter_than_the_warm_up_has_no_posteriors() -> None:
    times_ms, rows = stream_posteriors(
        LastFrameAndCalls(), RampFrontend(), np.zeros(15000, np.int16), 60
    )
    assert times_ms.shape == (0,) and rows.shape == (0, 2)


def test_a_stride_between_steps_is_refused() -> None:
    with pytest.raises(KwsError, match=r"clip_stride_ms=40 is no multiple .* 60 ms .* 60, 120"):
        stream_posteriors(LastFrameAndCalls(), RampFrontend(), np.zeros(16000, np.int16), 40)


def test_steps_of_no_whole_milliseconds_are_counted_to_the_nearest() -> None:
    assert stride_steps(29, frames_per_step=4, window_stride_ms=320 / 44.1) == 1
    assert stride_steps(58, frames_per_step=4, window_stride_ms=320 / 44.1) == 2
    with pytest.raises(KwsError, match="29, 58, 87"):
        stride_steps(40, frames_per_step=4, window_stride_ms=320 / 44.1)
