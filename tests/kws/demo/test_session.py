"""A page's stream: the detections of the whole recording, and what the pictures need."""

import numpy as np
import pytest

from kws import detect as detecting
from kws.bundle import publishing
from kws.bundle.contents import BundleContents
from kws.demo.session import MOST_CHANNELS, Session, _for_the_picture, describe
from tests.kws.runtime.conftest import *  # noqa: F403  the fixtures `contents`, `trial`, ...
from tests.kws.test_listen import RATE, _audio

AUDIO = _audio(6)


@pytest.fixture
def spotter(contents: BundleContents, tmp_path) -> detecting.Spotter:
    publishing.push(contents, tmp_path / "bundles")
    return detecting.load(tmp_path / "bundles", threshold=0.3)


def fed(session: Session, audio: np.ndarray, size: int) -> list[dict]:
    parts = [audio[begin : begin + size] for begin in range(0, len(audio), size)]
    return [*map(session.feed, parts), session.finish()]


def test_a_stream_in_pieces_is_detected_as_the_whole_file_is(spotter, tmp_path):
    import soundfile

    soundfile.write(tmp_path / "a.wav", AUDIO, RATE)
    whole = detecting.listen_to(spotter, tmp_path / "a.wav")
    updates = fed(Session(spotter), AUDIO, 777)
    found = [found for update in updates for found in update["detections"]]
    assert found == whole.to_dict(RATE)["detections"] and found
    rows = [row for update in updates for row in update["rows"]]
    assert [row[0] for row in rows] == whole.times_ms.tolist()
    keywords = [spotter.model.labels.index(word) for word in describe(spotter)["keywords"]]
    np.testing.assert_allclose([row[1] for row in rows], whole.posteriors[:, keywords], atol=6e-4)


def test_the_thick_line_is_the_mean_over_the_detectors_window(spotter):
    rows = [row for update in fed(Session(spotter), AUDIO, 4000) for row in update["rows"]]
    times = np.array([row[0] for row in rows])
    raw = np.array([row[1] for row in rows])
    window_ms = describe(spotter)["window_ms"]
    assert window_ms == spotter.detector.average_window_ms
    expected = [raw[(times > at - window_ms) & (times <= at)].mean(axis=0) for at in times]
    np.testing.assert_allclose([row[2] for row in rows], expected, atol=2e-3)


def test_sound_of_another_rate_is_brought_to_the_bundles(spotter):
    import soxr

    at_48k = soxr.resample(AUDIO, RATE, 48_000)
    update = fed(Session(spotter, 48_000), at_48k, 1920)[-1]
    assert update["heard_ms"] == pytest.approx(6000, abs=2)


def test_a_sound_shorter_than_a_clip_is_followed_by_silence(spotter):
    assert len(fed(Session(spotter), AUDIO[:3000], 1000)[-1]["rows"]) == 1


def test_a_wide_spectrogram_is_averaged_to_what_a_picture_shows():
    wide = np.arange(2 * 257).reshape(2, 257)
    picture = _for_the_picture(wide)
    assert picture.shape == (2, 51) and picture.shape[1] <= MOST_CHANNELS
    assert picture[0, 0] == wide[0, :5].mean()
    assert _for_the_picture(np.zeros((0, 40))).shape == (0, 40)
