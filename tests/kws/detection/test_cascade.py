"""A cascade: what the second stage hears, that both forms agree, what it costs, what is refused."""

import dataclasses

import numpy as np
import pytest

from kws.detection.cascade import Cascade, CascadeStream, Stage, check, hear, listen, spans
from kws.detection.detector import detect
from kws.detection.params import DetectorParams
from kws.errors import KwsError
from kws.features.params import FeatureParams

SHORT = FeatureParams(clip_duration_ms=210)  # 10 frames of 30 ms every 20 ms
LONG = FeatureParams(clip_duration_ms=610)  # 30 frames


@dataclasses.dataclass(frozen=True)
class Frontend:
    params: FeatureParams

    def compute(self, audio: np.ndarray) -> np.ndarray:
        raise AssertionError("features are given")


class Windowed:
    """Hears "yes" as loud as the loudest frame of its window."""

    labels = ("_silence_", "yes", "no")

    def __init__(self, frames: int):
        self._frames = frames

    def posteriors(self, features: np.ndarray) -> np.ndarray:
        assert features.shape[1:] == (self._frames, 40)
        loud = features.max(axis=(1, 2)) / np.float32(100)
        last = features[:, -1, 0] / np.float32(1000)
        return np.stack([1 - loud, loud - last, last], axis=1).astype(np.float32)


class Streaming:
    """Remembers all that it was given since it was fresh: another beginning, other posteriors."""

    labels = ("_silence_", "yes")
    frames_per_step = 3
    warm_up_steps = 4

    def __init__(self) -> None:
        self._sum = 0.0

    def stream(self, features: np.ndarray, *, fresh: bool = True) -> np.ndarray:
        self._sum = 0.0 if fresh else self._sum
        rows = []
        for step in range(len(features) // 3):
            loud = features[step * 3 : step * 3 + 3].max() / 100
            self._sum = 0.8 * self._sum + 0.2 * loud
            rows.append([1 - self._sum, self._sum])
        return np.array(rows, np.float32).reshape(-1, 2)


def stage(model, params, stride_ms, macs, **detector) -> Stage:
    settings = {"average_window_ms": 4 * stride_ms, "minimum_count": 2, "suppression_ms": 300}
    return Stage(
        model=model,
        frontend=Frontend(params),
        detector=DetectorParams(clip_stride_ms=stride_ms, **{**settings, **detector}),
        macs=macs,
    )


FIRST = {
    "windowed": lambda: stage(Windowed(10), SHORT, 40, 10),
    "streaming": lambda: stage(Streaming(), SHORT, 60, 5),
    "microWakeWord": lambda: stage(Streaming(), SHORT, 60, 5, rule="sliding_mean"),
}
SECOND = {
    "windowed": lambda: stage(Windowed(30), LONG, 20, 1000),
    "streaming": lambda: stage(Streaming(), LONG, 120, 700),
}


def sounds(*at: int, frames: int = 400, level: int = 90) -> np.ndarray:
    """Features of quiet frames with 12 loud ones from each of the frames given."""
    features = np.full((frames, 40), 5, np.uint16)
    for start in at:
        features[start : start + 12] = level
    return features


def by_frame(first: Stage, second: Stage, features: np.ndarray, **settings):
    cascade = Cascade(first, second, **settings)
    heard = [cascade.step(frame) for frame in features]
    return cascade, [detection for detection in heard if detection is not None]


def detected(second: Stage, heard: CascadeStream):
    return detect(heard.times_ms, heard.posteriors, second.detector, second.model.labels)


@pytest.mark.parametrize("second_kind", SECOND)
@pytest.mark.parametrize("first_kind", FIRST)
def test_both_forms_agree_on_any_stream(first_kind: str, second_kind: str) -> None:
    rng = np.random.default_rng(3)
    detections = 0
    for _ in range(12):
        starts = rng.integers(0, 380, rng.integers(1, 7))
        features = sounds(*starts, frames=int(rng.integers(20, 420)), level=int(rng.integers(70)))
        features = features + rng.integers(0, 30, features.shape).astype(np.uint16)
        settings = {
            "threshold": float(rng.uniform(0.2, 0.7)),
            "hold_ms": int(rng.integers(240, 900)),
        }
        first = FIRST[first_kind]()
        second = SECOND[second_kind]()
        second = dataclasses.replace(
            second, detector=second.detector.model_copy(update={"detection_threshold": 0.5})
        )
        whole = hear(first, second, features, **settings)
        cascade, found = by_frame(FIRST[first_kind](), second, features, **settings)
        assert found == detected(second, whole)
        assert cascade.awake_frames == whole.awake.sum()
        assert cascade.first_inferences == first.rows.always_on(len(features))
        assert cascade.second_inferences == second.rows.inferences(whole.awake)
        detections += len(found)
    assert detections


def test_the_second_stage_hears_from_the_waking_row_on_and_for_the_hold_after_the_last() -> None:
    first, second = FIRST["windowed"](), SECOND["windowed"]()
    heard = hear(first, second, sounds(100), threshold=0.5, hold_ms=400)
    # Rows of the first stage end with frames 9, 11, 13, ...; four of them are averaged. The sound
    # is in rows 101 to 119 (its window of 10 frames): from the second row on, half of the average
    # is loud (0.9), at the last one still three quarters, and half of it two rows later.
    (span,) = spans(heard.awake)
    # averages: 103 -> (5+5+90+90)/4 = 47.5, 105 -> 68.75; ... 121 -> 68.75, 123 -> 47.5.
    assert span == (105, 121 + 20)
    assert heard.times_ms.tolist() == [frame * 20 + 30 for frame in range(105, 141)]
    # Its window of 30 frames holds the whole sound, which began before it woke.
    assert heard.posteriors[0, 1] == pytest.approx(0.9 - 0.09)


def test_what_the_first_stage_does_not_let_through_is_not_heard() -> None:
    first, second = FIRST["windowed"](), SECOND["windowed"]()
    heard = hear(first, second, sounds(100), threshold=0.95, hold_ms=400)
    assert not heard.awake.any() and len(heard.times_ms) == 0
    assert heard.posteriors.shape == (0, 3) and detected(second, heard) == []
    assert second.rows.inferences(heard.awake) == 0


def test_a_first_stage_that_lets_all_through_changes_nothing() -> None:
    first, second = FIRST["windowed"](), SECOND["windowed"]()
    features = sounds(100, 250)
    heard = hear(first, second, features, threshold=0.01, hold_ms=400)
    expected = [second.model.posteriors(features[last - 29 : last + 1][None])[0]
                for last in range(29, 400)]  # fmt: skip
    assert heard.awake[11:].all()
    np.testing.assert_array_equal(heard.posteriors, np.stack(expected))


def test_a_streaming_stage_that_is_always_awake_is_a_model_on_its_own() -> None:
    second, features = SECOND["streaming"](), sounds(30, 100)
    _, posteriors = listen(second, features, np.ones(len(features), bool))
    np.testing.assert_array_equal(posteriors, Streaming().stream(features)[4::2])


def test_a_streaming_second_stage_warms_up_on_what_came_before_it_woke() -> None:
    first, second = FIRST["windowed"](), SECOND["streaming"]()
    features = sounds(100)
    heard = hear(first, second, features, threshold=0.5, hold_ms=400)
    # Awake from frame 105; it answers with frames 14, 20, 26, ..., each after steps of 3 frames.
    # The first answer is frame 110's, for which it needs 5 steps: frames 96 to 110.
    assert heard.times_ms.tolist() == [frame * 20 + 30 for frame in range(110, 141, 6)]
    expected = Streaming().stream(features[96:141])[4::2]
    np.testing.assert_array_equal(heard.posteriors, expected)
    assert second.rows.inferences(heard.awake) == (141 - 96) // 3


def test_stages_of_two_frontends_are_refused_by_the_parameter_that_differs() -> None:
    other = LONG.model_copy(update={"window_stride_ms": 10})
    with pytest.raises(KwsError, match=r"first stage has window_stride_ms=10.*share one frontend"):
        check(stage(Windowed(10), other, 40, 1), SECOND["windowed"](), 500)


def test_a_hold_in_which_nothing_could_be_detected_is_refused() -> None:
    with pytest.raises(KwsError, match=r"hold_ms=30 is shorter than the 2 rows, 20 ms apart"):
        check(FIRST["windowed"](), SECOND["windowed"](), 30)


@pytest.mark.parametrize("detector", [{"rule": "steps"}, {"rule": "sliding_mean"}])
def test_a_detector_that_counts_rows_is_refused_behind_a_stage_that_leaves_rows_out(
    detector: dict,
) -> None:
    with pytest.raises(KwsError, match="only rule average without rearm"):
        check(FIRST["windowed"](), stage(Windowed(30), LONG, 20, 1, **detector), 500)
