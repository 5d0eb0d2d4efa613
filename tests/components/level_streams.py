"""Streams of sounds that a model tells apart by their level, and the StreamingEvaluator on them."""

from pathlib import Path

import numpy as np
import soundfile
from tfx.types import standard_artifacts

from components.artifacts import AudioStreams, StreamingBlessing, StreamingEvaluation
from components.streaming_evaluator import executor
from kws.detection.params import (
    DetectorParams,
    OperatingPointParams,
    StreamingGateParams,
    StreamingParams,
)
from kws.features.params import FeatureParams
from kws.scenes.ground_truth import GroundTruth, Word

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
    """Hears the label of the level."""

    labels = LABELS

    def posteriors(self, features: np.ndarray) -> np.ndarray:
        return np.eye(4, dtype=np.float32)[features.max(axis=(1, 2)) // 1000]


def lay(folder: Path, stream_id: str, sounds: list[tuple[str, str, int]]) -> None:
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


def artifacts_in(root: Path) -> tuple[dict, dict]:
    """Eval without a mistake; test with a wrong word and a false accept in the negatives."""
    model, streams = standard_artifacts.Model(), AudioStreams()
    evaluation, blessing = StreamingEvaluation(), StreamingBlessing()
    model.uri, streams.uri = str(root / "model"), str(root / "streams")
    evaluation.uri, blessing.uri = str(root / "evaluation"), str(root / "blessing")
    serving = root / "model" / "Format-Serving"
    serving.mkdir(parents=True)
    (serving / "labels.txt").write_text("\n".join(LABELS) + "\n")
    judged, tested = root / "streams" / "Split-eval", root / "streams" / "Split-test"
    lay(judged, "words-0", [("yes", "yes", 5_000), ("no", "no", 20_000)])
    lay(tested, "words-0", [("yes", "yes", 5_000), ("no", "yes", 20_000)])
    lay(tested, "negatives-0", [("", "no", 30_000)])
    return (
        {"model": [model], "streams": [streams]},
        {"evaluation": [evaluation], "blessing": [blessing]},
    )


def params(**gates: float) -> StreamingParams:
    """With few thresholds to try."""
    return StreamingParams(
        detector=DetectorParams(suppression_ms=1500),
        operating_point=OperatingPointParams(candidates=9),
        gates=StreamingGateParams(**gates),
    )


def run(artifacts: tuple[dict, dict], settings: StreamingParams) -> tuple[Path, StreamingBlessing]:
    """The evaluation's folder and the blessing."""
    inputs, outputs = artifacts
    executor.Executor().Do(inputs, outputs, {"params": settings.to_json()})
    return Path(outputs["evaluation"][0].uri), outputs["blessing"][0]
