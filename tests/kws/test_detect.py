"""A bundle listens to recordings: what it says is what model and detector say of the stream."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import soundfile

from kws import detect as detecting
from kws.bundle import publishing
from kws.bundle.contents import BundleContents
from kws.detection.detector import detect
from kws.errors import KwsError
from tests.kws.runtime.conftest import *  # noqa: F403  the fixtures `contents`, `trial`, ...
from tests.kws.runtime.conftest import sensitivities_at


@pytest.fixture(scope="module")
def noise(tmp_path_factory) -> Path:
    """Four seconds of stereo at another rate, with bursts."""
    rng = np.random.default_rng(0)
    audio = rng.normal(0, 0.02, (4 * 44100, 2))
    for second in (1, 2, 3):
        audio[second * 44100 : second * 44100 + 20000] *= 15
    path = tmp_path_factory.mktemp("heard") / "noise.wav"
    soundfile.write(path, np.clip(audio, -1, 1), 44100, subtype="PCM_24")
    return path


def test_detections_are_those_of_the_bundle_s_model_and_detector(
    contents: BundleContents, tmp_path: Path, noise: Path
) -> None:
    publishing.push(contents, tmp_path)
    spotter = detecting.load(tmp_path, threshold=0.05)
    heard = detecting.listen_to(spotter, noise)
    assert spotter.folder == tmp_path / "17" and len(heard.audio) == 4 * 16000
    expected = detect(heard.times_ms, heard.posteriors, spotter.detector, contents.labels)
    assert heard.detections == expected


def test_a_sensitivity_is_the_threshold_that_the_bundle_names_so(
    contents: BundleContents, tmp_path: Path
) -> None:
    named = sensitivities_at(low=0.9, medium=0.7, high=0.4)
    folder = publishing.push(dataclasses.replace(contents, sensitivities=named), tmp_path)

    def threshold(**options) -> tuple[float, str | None]:
        spotter = detecting.load(folder, **options)
        return spotter.detector.detection_threshold, spotter.sensitivity

    assert threshold() == (0.7, "medium")
    assert threshold(sensitivity="low") == (0.9, "low")
    assert threshold(sensitivity="high") == (0.4, "high")
    assert threshold(threshold=0.6) == (0.6, None)
    with pytest.raises(KwsError, match=r"sensitivity='loud' is not one of .*low, medium, high"):
        detecting.load(folder, sensitivity="loud")
    with pytest.raises(KwsError, match=r"threshold=0.6 and sensitivity='low': .* one of the two"):
        detecting.load(folder, threshold=0.6, sensitivity="low")


def test_a_bundle_without_sensitivities_is_heard_and_says_that_it_names_none(
    contents: BundleContents, tmp_path: Path
) -> None:
    folder = publishing.push(contents, tmp_path)
    assert detecting.load(folder).sensitivity is None
    with pytest.raises(KwsError, match=r"sensitivity='low', and .* names none"):
        detecting.load(folder, sensitivity="low")


def test_a_short_recording_is_heard_and_a_broken_one_named(
    contents: BundleContents, tmp_path: Path
) -> None:
    spotter = detecting.load(publishing.push(contents, tmp_path))
    soundfile.write(tmp_path / "short.wav", np.zeros(1600, np.int16), 16000)
    assert len(detecting.listen_to(spotter, tmp_path / "short.wav").posteriors) == 1
    soundfile.write(tmp_path / "crashed.wav", np.ones(16000, np.int16), 16000)
    content = bytearray((tmp_path / "crashed.wav").read_bytes())
    content[40:44] = bytes(4)
    (tmp_path / "crashed.wav").write_bytes(content)
    crashed = detecting.listen_to(spotter, tmp_path / "crashed.wav").to_dict(16000)
    assert crashed["duration_ms"] == 1000
    assert crashed["notes"] == ["repaired_header: its data chunk says 0 bytes, and 32000 are there"]
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    with pytest.raises(KwsError, match=r"broken\.wav"):
        detecting.listen_to(spotter, tmp_path / "broken.wav")
