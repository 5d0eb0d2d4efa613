"""A run's report data on a small scale, with real judgements; two runs, and TFDV's statistics."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from kws.detection.evaluate import evaluate_streams
from kws.detection.params import DetectorParams, MatchParams
from kws.detection.posteriors import StreamPosteriors
from kws.gates import Gate
from kws.report.confusion import ConfusionMatrix
from kws.report.data_statistics import ALL, Figures
from kws.report.report_data import ReportData, ScoredClip, StepData
from tests.kws.detection.drawing import LABELS, row, said, truth

RATE = 16_000
SECONDS = 60
NASTY = '<script>alert("1")</script>'
"""What a folder of recordings may be called."""
ROWS = {
    "level": [-30.0, -20.0, -20.0, -10.0],
    "label": ["yes", "yes", "no", "<b>"],
    "clip_id": ["a1", "b2", "c3", "d4"],
}
"""From which the statistics are computed."""


def stream() -> StreamPosteriors:
    """ "yes" is said five times, surer each time; once "no" is heard where nothing was said."""
    posteriors = np.stack([row()] * (10 * SECONDS))
    for i, score in enumerate(np.linspace(0.1, 0.99, 5)):
        posteriors[100 * i + 10 : 100 * i + 18] = row(yes=score)
    posteriors[550:558] = row(no=0.97)
    words = [said("yes", 10_000 * i + 1_000, 10_000 * i + 1_800) for i in range(5)]
    return StreamPosteriors(
        truth=truth(*words, stream_id="words-test-00"),
        times_ms=100 * np.arange(10 * SECONDS),
        posteriors=posteriors,
    )


def write(folder: Path, one: StreamPosteriors) -> None:
    """The files of a stream, as AudioSynthesizer and StreamingEvaluator leave them."""
    name = one.truth.stream_id
    time = np.arange(RATE * SECONDS) / RATE
    tone = (9_000 * np.sin(2 * np.pi * 440 * time) * (np.sin(time) > 0)).astype(np.int16)
    soundfile.write(folder / f"{name}.wav", tone, RATE)
    (folder / f"{name}.json").write_text(one.truth.to_json())
    np.savez(folder / f"{name}.npz", times_ms=one.times_ms, posteriors=one.posteriors)


def epoch(number: int) -> dict:
    return {
        "epoch": number, "accuracy": 0.5 + number / 20, "eval_accuracy": 0.5 + number / 25,
        "cross_entropy": 2 / number, "eval_cross_entropy": 2.2 / number,
        "learning_rate": 0.004 / number,
    }  # fmt: skip


@pytest.fixture
def data(tmp_path) -> ReportData:
    """Of a refused model."""
    one = stream()
    write(tmp_path, one)
    detector = DetectorParams(clip_stride_ms=100, detection_threshold=0.6)
    report = evaluate_streams([one], LABELS, detector, MatchParams())
    counts = np.diag([20] * len(LABELS))
    counts[0, 1] = 3
    clips = Figures(clips=60, minutes=1.0, rms_dbfs=-24.0, silence_ratio=0.4)
    return ReportData(
        name="tiny",
        run_id="2026-01-02T03:04:05",
        pushed_to=None,
        gates=(
            Gate(name="clips.accuracy", value=0.95, limit=0.9, at_most=False, detail="80 clips"),
            Gate(name="clips.recall/yes", value=1.0, limit=0.5, at_most=False),
            Gate(name="streaming.miss_rate", value=0.6, limit=0.25, at_most=True),
        ),
        labels=tuple(LABELS),
        matrix=ConfusionMatrix(labels=list(LABELS), counts=counts),
        confusion_examples={
            (0, 1): (
                ScoredClip(
                    word="", speaker=NASTY, source="background", augmentation="noisy", score=0.9,
                    audio=np.zeros(RATE, np.int16), sample_rate=RATE,
                ),
            )
        },
        clip_slices={"source": {NASTY: (0.8, 40), "background": (1.0, 40)}},
        scene_sentences=(),
        streaming=json.loads(
            json.dumps(
                {
                    "test": report.to_dict(),
                    "operating_point": {"reason": "threshold 0.6 on the eval streams"},
                }
            )
        ),
        events=tuple(report.events()),
        posteriors=tmp_path,
        streams=tmp_path,
        training={
            "model": {"name": "tiny_conv"},
            "parameters": 16_652,
            "label_counts": {"yes": 20},
            "history": {
                "epochs": [epoch(n) for n in range(1, 9)],
                "best_epoch": 7, "steps": 80, "seconds": 3.0,
            },
        },
        conversion={
            "model_bytes": 18_784, "float_accuracy": 0.8, "int8_accuracy": 0.79,
            "eval_examples": 20,
        },
        device={
            "flash_bytes": 18_784,
            "arena_bytes": 9_776, "arena_recommended_bytes": 10_768, "arena_margin": 0.1,
            "macs": 336_000, "every_ms": 40.0, "macs_per_second": 8.4e6,
            "operators": {"CONV_2D": 1}, "test_vectors": 10, "tflm_mismatch_steps": 0,
            "targets": {
                "esp32": {
                    "latency_ms": 17.8, "latency_high_ms": 35.7, "duty_cycle": 0.45,
                    "duty_cycle_high": 0.9,
                }
            },
        },
        ingest={
            "files": 138, "quarantined": 1, "quarantine_reasons": {"too_short": 1},
            "clips": {"train": {"yes": 26}, "eval": {"yes": 2}, "test": {"yes": 2}},
            "seconds": {"train": 26.0, "eval": 2.0, "test": 2.0},
            "speakers": {"train": 2, "eval": 1, "test": 1},
        },
        figures={"train": {ALL: {ALL: clips}, "label": {"yes": clips}, "source": {}}},
        shifts={
            "drift": [
                {"what": "train since the last run", "feature": "rms_dbfs", "distance": 0.3,
                 "limit": 0.2}
            ],
            "skew": [],
        },
        quarantine=({"path": f"yes/{NASTY}.wav", "reason": "too_short", "detail": "12 ms"},),
        steps=(
            StepData(
                name="Trainer", state="done", seconds=3.0, inputs=("examples #7",),
                outputs=("model #8",), folders=("artifacts/Trainer/model/8",),
                settings={"training": {"epochs": 8}},
            ),
        ),
        earlier=None,
    )  # fmt: skip


def run(number: int, accuracy: float, state: str = "pushed") -> dict:
    rate = {"value": 2.0, "low": 0.4, "high": 5.8}
    return {
        "run": f"tiny#{number}", "run_id": f"2026-01-0{number}T10:00:00", "pipeline": "tiny",
        "folder": "runs/tiny", "started": f"2026-01-0{number}T10:00:00+00:00", "state": state,
        "version": f"2026010{number}" if state == "pushed" else None,
        "gates": [
            {"name": "clips.accuracy", "value": accuracy, "limit": 0.8, "at_most": False,
             "unit": "", "detail": "", "passed": accuracy >= 0.8},
        ],
        "figures": {
            "accuracy": {"value": accuracy, "low": accuracy - 0.1, "high": accuracy + 0.05},
            "false_accepts_per_hour": rate,
            "flash_bytes": {"value": 18784, "low": None, "high": None},
        },
    }  # fmt: skip


@pytest.fixture
def runs() -> list[dict]:
    """Newest first."""
    return [run(2, 0.7, "refused"), run(1, 0.9)]


@pytest.fixture(scope="session")
def content() -> bytes:
    """Of `ROWS`, with a second dataset for the clips of "yes"."""
    import pandas as pd
    import tensorflow_data_validation as tfdv

    frame = pd.DataFrame(ROWS)
    whole = tfdv.generate_statistics_from_dataframe(frame)
    whole.datasets[0].name = "All Examples"
    part = tfdv.generate_statistics_from_dataframe(frame[frame.label == "yes"])
    part.datasets[0].name = "label_yes"
    whole.datasets.extend(part.datasets)
    return whole.SerializeToString()
