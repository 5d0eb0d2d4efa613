"""Windows over a stream: when each ends, what is in it, and that the state carries on."""

import numpy as np
import pytest

from kws.errors import KwsError
from kws.features.params import FeatureParams
from kws.streaming import posteriors as posteriors_module
from kws.streaming.posteriors import stream_posteriors


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
