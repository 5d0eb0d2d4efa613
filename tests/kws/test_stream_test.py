"""A labelled recording through a bundle: the tutorial's count and ours, from one run."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from kws import stream_test
from kws.bundle import publishing
from kws.bundle.contents import BundleContents
from kws.detect import Spotter, listen_to
from kws.detection.params import DetectorParams, MatchParams
from kws.errors import KwsError
from kws.features.live import LiveAsBatch
from pipeline.cli import app
from tests.kws.runtime.conftest import *  # noqa: F403  the fixtures `contents`, `trial`, ...
from tests.kws.runtime.conftest import FEATURE_PARAMS, Trial
from tests.kws.test_listen import RATE, _audio


@pytest.fixture(scope="module")
def spotter(trial: Trial) -> Spotter:
    return Spotter(
        folder=Path("nowhere"),
        model=trial.int8,
        frontend=LiveAsBatch(FEATURE_PARAMS),
        detector=DetectorParams(detection_threshold=0.3),
    )


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stream") / "stream.wav"
    soundfile.write(path, _audio(20), RATE)
    return path


def test_labels_laid_where_it_fires_are_all_hits_and_all_but_one_leave_one_false_accept(
    spotter: Spotter, recording: Path, tmp_path: Path
) -> None:
    found = listen_to(spotter, recording).detections
    assert len(found) >= 3
    lines = [f"{one.label}, {one.end_ms - 1000}\n" for one in found]
    (tmp_path / "all.txt").write_text("".join(lines))
    exact = stream_test.run(spotter, recording, tmp_path / "all.txt", MatchParams(), 10)
    assert exact.tutorial.correct == exact.tutorial.matched == exact.tutorial.words == len(found)
    assert exact.figures.hits == len(found) and exact.figures.false_accepts == 0
    assert not exact.word_ends_known

    (tmp_path / "less.txt").write_text("".join(lines[1:]))
    less = stream_test.run(spotter, recording, tmp_path / "less.txt", MatchParams(after_ms=0), 10)
    assert less.tutorial.false_positives == 1 and less.figures.false_accepts == 1
    assert less.figures.false_accepts_per_hour.estimate == pytest.approx(3600 / 20)
    assert less.figures.miss_rate.high == pytest.approx(1 - 0.025 ** (1 / (len(found) - 1)))
    assert sum(event["kind"].startswith("false_accept") for event in less.events()) == 1


def test_the_command_prints_the_tutorial_s_line_and_bounds_or_clean_json(
    contents: BundleContents, recording: Path, tmp_path: Path
) -> None:
    place = publishing.push(contents, tmp_path / "bundles").parent
    (tmp_path / "labels.csv").write_text("label,start_ms,end_ms\nyes,3000,3500\nhouse,9000,9600\n")
    command = ["stream-test", str(recording), str(tmp_path / "labels.csv")]
    options = ["--bundle", str(place), "--threshold", "0.999"]
    printed = CliRunner().invoke(app, [*command, *options, "--events"]).output
    assert "0.0% matched, 0.0% correctly, 0.0% wrongly, 0.0% false positives" in printed
    assert "100.0% (95 %: 2.5% to 100.0%; 1 of 1)" in printed
    assert "0.00 /h (95 %: 0.00 to 664.00; 0 in 0.01 h)" in printed
    done = json.loads(CliRunner().invoke(app, [*command, *options, "--json"]).stdout)
    assert done["duration_ms"] == 20_000 and done["figures"]["misses"] == 1
    assert [event["said"] for event in done["events"]] == ["yes"]
    assert np.isclose(done["figures"]["miss_rate"]["high"], 1)


def test_a_label_that_only_looks_like_the_model_s_is_refused(
    spotter: Spotter, recording: Path, tmp_path: Path
) -> None:
    keyword = spotter.model.labels[2]
    (tmp_path / "labels.txt").write_text(f"{keyword.upper()}, 1000\n")
    with pytest.raises(KwsError, match=rf"labels\.txt: .* did you mean '{keyword}'"):
        stream_test.run(spotter, recording, tmp_path / "labels.txt", MatchParams())
