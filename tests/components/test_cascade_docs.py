"""docs/cascade.md as a user follows it, with two small int8 models that were pushed."""

import contextlib
import dataclasses
import io
import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml
from tfx.types import standard_artifacts

from components.artifacts import AudioStreams, StreamingBlessing, StreamingEvaluation
from components.streaming_evaluator import executor
from kws.bundle import publishing
from kws.bundle.contents import BundleContents
from kws.cascade import CascadeTrial, try_cascade
from kws.detection.params import StreamingParams
from kws.errors import KwsError
from kws.features import files
from pipeline import cli
from pipeline.config import load as load_config
from pipeline.resolve import streaming_params
from tests.kws.runtime.conftest import Trial, contents, figures, trial  # noqa: F401

PAGE = Path(__file__).parents[2] / "docs" / "cascade.md"
WAKE_LABELS = ("_silence_", "_unknown_", "computer", "jarvis")


@pytest.fixture
def place(
    contents: BundleContents,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """The folder in which the page's commands are typed."""
    loose = contents.detector.model_copy(update={"detection_threshold": 0.4})
    publishing.push(
        dataclasses.replace(contents, name="wake", labels=WAKE_LABELS),
        tmp_path / "runs/wake/bundles",
    )
    publishing.push(
        dataclasses.replace(contents, detector=loose), tmp_path / "runs/commands/bundles"
    )
    rng = np.random.default_rng(5)
    level = np.repeat(rng.uniform(0, 1, 40) ** 3, 8000)  # another level every half second
    noise = (rng.normal(0, 6000, len(level)) * level).astype(np.int16)
    soundfile.write(tmp_path / "kitchen.wav", noise, 16000, subtype="PCM_16")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return found


def command() -> list[str]:
    (line,) = re.findall(r"^    kws (cascade .*)$", PAGE.read_text(), re.MULTILINE)
    return shlex.split(line)


def trial_of_the_page() -> CascadeTrial:
    return try_cascade("runs/wake/bundles", "runs/commands/bundles", [Path("kitchen.wav")],
                       threshold=0.3, hold_ms=1000)  # fmt: skip


def test_the_command_prints_what_the_cascade_costs(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([*command(), "--json"])
    assert not ended.value.code
    printed = json.loads(capsys.readouterr().out)
    expected = trial_of_the_page()
    assert printed == {**json.loads(json.dumps(expected.to_dict())), "left_out": {}}
    (recording,) = printed["recordings"]
    assert 0 < recording["awake"] < 1 and recording["detections"]
    # The two models are the same here: always awake would cost twice as much.
    cost = printed["cost"]
    assert cost["first_macs_per_second"] == cost["second_alone_macs_per_second"] > 0

    with pytest.raises(SystemExit):
        cli.main(command())
    text = capsys.readouterr().out
    assert "0.3 *" in text and "second stage awake" in text


def test_the_loop_detects_what_the_command_detects(place: Path) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(block("python"), str(PAGE), "exec"), {})
    lines = printed.getvalue().splitlines()
    (heard,) = trial_of_the_page().heard
    assert lines[:-1] == [
        f"{found.end_ms / 1000:.2f} s: {found.label} ({found.score:.2f})"
        for found in heard.detections
    ]
    awake, frames = map(int, re.findall(r"\d+", lines[-1]))
    assert awake / frames == pytest.approx(heard.awake)


def test_a_run_with_the_page_s_section_is_judged_as_a_cascade(
    place: Path,
    trial: Trial,  # noqa: F811
) -> None:
    params = StreamingParams(**yaml.safe_load(block("yaml"))["streaming"])
    artifacts = {
        "model": standard_artifacts.Model(),
        "streams": AudioStreams(),
        "evaluation": StreamingEvaluation(),
        "blessing": StreamingBlessing(),
    }
    for name, artifact in artifacts.items():
        artifact.uri = str(place / name)
    serving = place / "model" / "Format-Serving"
    serving.mkdir(parents=True)
    (serving / "model.tflite").write_bytes(trial.conversion.model)
    (serving / "conversion.json").write_text(trial.conversion.figures.to_json())
    files.write(serving, trial.int8.feature_params)
    files.write_labels(serving, trial.int8.labels)
    for split in ("eval", "test"):
        folder = place / "streams" / f"Split-{split}"
        folder.mkdir(parents=True)
        (folder / "words-0.wav").write_bytes((place / "kitchen.wav").read_bytes())
        (folder / "words-0.json").write_text(json.dumps(_truth()))
    executor.Executor().Do(
        {key: [artifacts[key]] for key in ("model", "streams")},
        {key: [artifacts[key]] for key in ("evaluation", "blessing")},
        {"params": params.to_json()},
    )
    evaluation = json.loads((place / "evaluation" / "evaluation.json").read_text())
    cascade = evaluation["cascade"]
    assert (cascade["first_stage"]["name"], cascade["first_stage"]["version"]) == ("wake", "17")
    assert cascade["test"]["duty_cycle"] == pytest.approx(trial_of_the_page().cost.duty_cycle)
    assert cascade["test"]["let_through"]["exposure"] == 1
    stored = json.loads(artifacts["blessing"].get_string_custom_property("gates"))
    assert {"streaming.cascade_duty_cycle", "streaming.cascade_macs_per_second"} <= set(stored)


def test_the_pipeline_pins_the_version_that_is_served_and_refuses_another_frontend(
    place: Path,
) -> None:
    def config(*overrides: str):
        first = "streaming.cascade.first_stage=runs/wake/bundles"
        return load_config("quickstart", [first, *overrides])

    cascade = streaming_params(config()).cascade
    assert cascade is not None
    assert cascade.first_stage == str((place / "runs/wake/bundles/17").resolve())
    with pytest.raises(KwsError, match=r"first_stage: .*window_stride_ms=20.*window_stride_ms=10"):
        streaming_params(config("features.window_stride_ms=10"))
    with pytest.raises(KwsError, match=r"streaming\.cascade\.first_stage: .* is no bundle"):
        streaming_params(config("streaming.cascade.first_stage=nowhere"))


def _truth() -> dict:
    word = {"label": "yes", "word": "yes", "start_ms": 5000, "end_ms": 5500, "speaker": "",
            "source": "", "clip_id": ""}  # fmt: skip
    return {
        "stream_id": "words-0",
        "kind": "words",
        "duration_ms": 20_000,
        "sample_rate": 16000,
        "words": [word],
    }
