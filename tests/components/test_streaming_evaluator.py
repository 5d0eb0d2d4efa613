"""The component on streams of a few seconds, with a model that hears by level."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tfx import types
from tfx.types import standard_artifacts

from components.artifacts import AudioStreams, StreamingBlessing, StreamingEvaluation
from components.streaming_evaluator import executor, scoring
from components.streaming_evaluator.component import StreamingEvaluator
from kws.errors import KwsError
from kws.features.params import FeatureParams
from kws.gates import read_gates
from kws.scenes.ground_truth import GroundTruth, Word
from kws.streaming.params import (
    DetectorParams,
    OperatingPointParams,
    StreamingGateParams,
    StreamingParams,
)

LABELS = ["_silence_", "_unknown_", "yes", "no"]
LEVEL = {"yes": 2000, "no": 3000}
SECONDS = 60


class LevelFrontend:
    """A frame is the greatest level in it."""

    params = FeatureParams(clip_duration_ms=200)

    def compute(self, audio: np.ndarray) -> np.ndarray:
        hop = self.params.stride_samples
        frames = self.params.frame_count(audio.size)
        peaks = [np.abs(audio[i * hop : i * hop + hop]).max() for i in range(frames)]
        return np.repeat(np.array(peaks, np.uint16)[:, None], 40, axis=1)


class LevelModel:
    labels = LABELS

    def posteriors(self, features: np.ndarray) -> np.ndarray:
        return np.eye(4, dtype=np.float32)[features.max(axis=(1, 2)) // 1000]


@pytest.fixture(autouse=True)
def _stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "load", lambda folder: (LevelModel(), LevelFrontend()))


def _lay(folder: Path, stream_id: str, sounds: list[tuple[str, str, int]]) -> None:
    """A stream of a minute in which `(said, heard as, start)` sound for 500 ms each."""
    audio = np.zeros(SECONDS * 16000, np.int16)
    words = []
    for said, heard_as, start_ms in sounds:
        audio[start_ms * 16 : (start_ms + 500) * 16] = LEVEL[heard_as]
        if said:
            words.append((said, start_ms))
    truth = GroundTruth(
        stream_id=stream_id,
        kind="words" if words else "negatives",
        duration_ms=SECONDS * 1000,
        sample_rate=16000,
        words=tuple(
            Word(
                label=label,
                word=label,
                start_ms=start_ms,
                end_ms=start_ms + 500,
                speaker="someone",
                source="test",
                clip_id="",
            )
            for label, start_ms in words
        ),
    )
    folder.mkdir(parents=True, exist_ok=True)
    soundfile.write(folder / f"{stream_id}.wav", audio, truth.sample_rate, subtype="PCM_16")
    (folder / f"{stream_id}.json").write_text(truth.to_json())


@pytest.fixture
def artifacts(tmp_path: Path) -> tuple[dict, dict]:
    """Eval without a mistake; test with a wrong word and a false accept in the negatives."""
    model, streams = standard_artifacts.Model(), AudioStreams()
    evaluation, blessing = StreamingEvaluation(), StreamingBlessing()
    model.uri, streams.uri = str(tmp_path / "model"), str(tmp_path / "streams")
    evaluation.uri, blessing.uri = str(tmp_path / "evaluation"), str(tmp_path / "blessing")
    serving = tmp_path / "model" / "Format-Serving"
    serving.mkdir(parents=True)
    (serving / "labels.txt").write_text("\n".join(LABELS) + "\n")
    judged, tested = tmp_path / "streams" / "Split-eval", tmp_path / "streams" / "Split-test"
    _lay(judged, "words-0", [("yes", "yes", 5_000), ("no", "no", 20_000)])
    _lay(tested, "words-0", [("yes", "yes", 5_000), ("no", "yes", 20_000)])
    _lay(tested, "negatives-0", [("", "no", 30_000)])
    return (
        {"model": [model], "streams": [streams]},
        {"evaluation": [evaluation], "blessing": [blessing]},
    )


def _params(**gates: float) -> StreamingParams:
    return StreamingParams(
        detector=DetectorParams(suppression_ms=1500),
        operating_point=OperatingPointParams(candidates=9),
        gates=StreamingGateParams(**gates),
    )


def _run(artifacts: tuple[dict, dict], params: StreamingParams) -> tuple[Path, StreamingBlessing]:
    inputs, outputs = artifacts
    executor.Executor().Do(inputs, outputs, {"params": params.to_json()})
    return Path(outputs["evaluation"][0].uri), outputs["blessing"][0]


def test_a_model_that_fails_a_gate_is_judged_in_full_and_not_blessed(
    artifacts: tuple[dict, dict],
) -> None:
    folder, blessing = _run(artifacts, _params(max_miss_rate=0.25, max_wrong_word_rate=0.6))

    evaluation = json.loads((folder / "evaluation.json").read_text())
    total = evaluation["test"]["total"]
    assert (total["words"], total["hits"], total["wrong_words"]) == (2, 1, 1)
    assert total["false_accepts_by_cause"]["background"] == 1
    assert evaluation["test"]["hours"] == pytest.approx({"words": 1 / 60, "negatives": 1 / 60})
    assert evaluation["eval"]["total"]["misses"] == 0
    assert evaluation["operating_point"]["reached"] is True

    detector = DetectorParams.from_json((folder / "detector.json").read_text())
    assert detector.model_dump() == evaluation["operating_point"]["detector"]
    events = [json.loads(line) for line in (folder / "detections.jsonl").read_text().splitlines()]
    assert [(e["stream"], e["kind"]) for e in events] == [
        ("negatives-0", "false_accept"),
        ("words-0", "hit"),
        ("words-0", "wrong_word"),
    ]
    assert len(json.loads((folder / "det.json").read_text())) == 9
    stored = np.load(folder / "posteriors" / "Split-test" / "words-0.npz")
    assert stored["posteriors"].shape == (len(stored["times_ms"]), 4)

    assert blessing.get_int_custom_property("blessed") == 0
    assert blessing.get_string_custom_property("reasons") == (
        "streaming.miss_rate = 0.5, at most 0.25 required: failed by 0.25"
    )
    assert [gate.passed for gate in read_gates(blessing.uri)] == [True, False, True]


def test_a_model_that_passes_is_blessed(artifacts: tuple[dict, dict]) -> None:
    _, blessing = _run(artifacts, _params(max_miss_rate=0.5, max_false_accepts_per_hour=100))
    assert blessing.get_int_custom_property("blessed") == 1
    assert blessing.get_string_custom_property("reasons") == ""


def test_a_split_without_streams_is_refused_by_name(
    artifacts: tuple[dict, dict], tmp_path: Path
) -> None:
    for path in (tmp_path / "streams" / "Split-test").iterdir():
        path.unlink()
    with pytest.raises(KwsError, match="Split-test holds no stream"):
        _run(artifacts, _params())


def test_the_component_carries_its_params_and_names_its_channels(
    artifacts: tuple[dict, dict],
) -> None:
    inputs, _ = artifacts
    component = StreamingEvaluator(
        model=_channel(inputs["model"]), streams=_channel(inputs["streams"]), params=_params()
    )
    assert StreamingParams.from_json(component.exec_properties["params"]) == _params()
    assert component.outputs["evaluation"].type is StreamingEvaluation
    assert component.outputs["blessing"].type is StreamingBlessing


def _channel(artifacts: list[types.Artifact]) -> types.Channel:
    return types.Channel(type=type(artifacts[0])).set_artifacts(artifacts)
