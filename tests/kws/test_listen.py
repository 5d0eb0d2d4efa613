"""Listening as sound comes in: the detections of the whole recording, in whatever pieces."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from kws import detect as detecting
from kws import features
from kws.bundle import publishing
from kws.bundle.contents import BundleContents
from kws.detect import Spotter
from kws.detection.detector import detect
from kws.detection.params import DetectorParams
from kws.detection.posteriors import stream_posteriors
from kws.errors import KwsError
from kws.features.live import LiveAsBatch
from kws.listen import Listener
from pipeline.cli import app
from tests.kws.runtime.conftest import *  # noqa: F403  the fixtures `contents`, `trial`, ...
from tests.kws.runtime.conftest import FEATURE_PARAMS, Trial
from tests.kws.runtime.test_streaming_model import (  # noqa: F401  a fixture
    StreamingTrial,
    streaming,
)

RATE = 16000
STRIDES_MS = {"windowed": 40, "sparse": 1100, "streaming": 60, "every other step": 120}


def _audio(seconds: float, seed: int = 3) -> np.ndarray:
    """Noise whose level and colour change every 300 ms, so that answers do."""
    rng = np.random.default_rng(seed)
    parts = []
    for _ in range(int(seconds / 0.3) + 1):
        white = rng.normal(0, 10 ** rng.uniform(0.5, 4), 4800)
        parts.append(np.convolve(white, np.ones(rng.integers(1, 9)), "same"))
    audio = np.concatenate(parts)[: int(seconds * RATE)]
    return np.clip(audio, -32768, 32767).astype(np.int16)


AUDIO = _audio(9)


@pytest.fixture(scope="module")
def spotters(
    trial: Trial,
    streaming: StreamingTrial,  # noqa: F811
) -> dict[str, Spotter]:
    """A windowed model and a streaming one, each heeded often and seldom."""
    models = {"windowed": trial.int8, "sparse": trial.int8}
    models |= {"streaming": streaming.int8, "every other step": streaming.int8}
    return {
        name: Spotter(
            folder=Path("nowhere"),
            model=model,
            frontend=LiveAsBatch(FEATURE_PARAMS),
            detector=DetectorParams(
                clip_stride_ms=STRIDES_MS[name],
                average_window_ms=3 * STRIDES_MS[name],
                minimum_count=2,
                detection_threshold=0.3,
                suppression_ms=400,
            ),
        )
        for name, model in models.items()
    }


@pytest.mark.parametrize("name", STRIDES_MS)
@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sizes=st.lists(st.integers(0, 30000), max_size=12))
def test_posteriors_and_detections_are_those_of_the_whole_stream(
    spotters: dict[str, Spotter], name: str, sizes: list[int]
) -> None:
    spotter = spotters[name]
    frontend = features.create(FEATURE_PARAMS)  # TensorFlow's op, over all of it
    times, posteriors = stream_posteriors(spotter.model, frontend, AUDIO, STRIDES_MS[name])
    expected = detect(times, posteriors, spotter.detector, spotter.model.labels)
    assert len(times) > 5 and (expected or name == "sparse")

    listener, moments, rest = Listener(spotter), [], AUDIO
    for size in sizes:
        moments += listener.feed(rest[:size])
        rest = rest[size:]
    moments += [*listener.feed(rest), *listener.finish()]
    assert [moment.time_ms for moment in moments] == list(times)
    np.testing.assert_array_equal([moment.posteriors for moment in moments], posteriors)
    assert [moment.detection for moment in moments if moment.detection] == expected
    assert listener.heard_ms == 9000


def test_a_stream_shorter_than_a_clip_is_followed_by_silence_as_by_detect(
    spotters: dict[str, Spotter], tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "short.wav", AUDIO[:5000], RATE)
    heard = detecting.listen_to(spotters["windowed"], tmp_path / "short.wav")
    listener = Listener(spotters["windowed"])
    moments = [*listener.feed(AUDIO[:5000]), *listener.finish()]
    assert len(moments) == 1
    np.testing.assert_array_equal([moments[0].posteriors], heard.posteriors)


@pytest.fixture
def pushed(contents: BundleContents, tmp_path: Path) -> Path:
    publishing.push(contents, tmp_path / "bundles")
    return tmp_path / "bundles"


def test_the_command_prints_what_detect_finds_as_json_from_a_pipe_at_any_rate(
    pushed: Path, tmp_path: Path
) -> None:
    audio = _audio(6)
    soundfile.write(tmp_path / "heard.wav", audio, RATE)
    command = [sys.executable, "-c", "from pipeline.cli import main; main()"]
    options = ["--bundle", str(pushed), "--threshold", "0.3", "--json"]

    def run(*arguments: str, given: bytes = b"") -> str:
        done = subprocess.run([*command, *arguments, *options], input=given, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        assert done.stderr == b""
        return done.stdout.decode()

    (whole,) = json.loads(run("detect", str(tmp_path / "heard.wav")))
    listened = run("listen", "-", given=audio.astype("<i2").tobytes() + b"\x00")
    assert [json.loads(line) for line in listened.splitlines()] == whole["detections"]
    assert whole["detections"]
    # At twice the rate, with every sample twice: other numbers, but it is heard at the right speed.
    doubled = run("listen", "-", "--rate", "32000", given=np.repeat(audio, 2).tobytes())
    last_ms = [json.loads(line)["end_ms"] for line in doubled.splitlines()][-1]
    assert 3000 < last_ms <= 6000


def test_what_cannot_be_listened_to_is_said(pushed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KwsError, match=r"source='word\.wav'.*kws detect"):
        CliRunner().invoke(
            app, ["listen", "word.wav", "--bundle", str(pushed)], catch_exceptions=False
        )
    monkeypatch.setitem(sys.modules, "sounddevice", None)  # as where it is not installed
    with pytest.raises(KwsError, match=r"sounddevice, which is not installed.*--extra microphone"):
        CliRunner().invoke(app, ["listen", "--bundle", str(pushed)], catch_exceptions=False)
