"""A laid stream and its ground truth, held against the sound itself."""

import dataclasses
import itertools

import numpy as np
import pytest

from kws.audio.clip import Clip
from kws.augment.seed import generator
from kws.errors import KwsError
from kws.labels import SILENCE, UNKNOWN
from kws.scenes.ground_truth import GroundTruth
from kws.scenes.params import StreamParams
from kws.scenes.stream import lay_stream

RATE = 16000
PARAMS = StreamParams(minutes=2.0)


def clip(number: int, label: str, hz: float) -> Clip:
    """A tone of 300 ms somewhere in a padded second."""
    audio = np.zeros(RATE, np.int16)
    start = 2000 + 37 * number
    t = np.arange(4800) / RATE
    audio[start : start + 4800] = np.rint(8000 * np.sin(2 * np.pi * hz * t))
    return Clip(
        audio=audio, sample_rate=RATE, label=label, word=label, speaker=f"s{number}", source="t",
        clip_id=f"{label}{number}", novelty="keyword",
    )  # fmt: skip


KEYWORDS = [clip(i, "yes", 1000) for i in range(30)]
OTHERS = [clip(i, UNKNOWN, 2000) for i in range(30)]
HUM = [
    np.rint(2000 * np.sin(2 * np.pi * hz * np.arange(40 * RATE) / RATE)).astype(np.int16)
    for hz in (100, 200)
]


def lay(clips=None, params=PARAMS, backgrounds=HUM, name="words-eval-00"):
    clips = KEYWORDS + OTHERS if clips is None else clips
    return lay_stream(clips, backgrounds, params, name, generator(params.seed, name))


@pytest.fixture(scope="module")
def stream() -> tuple[np.ndarray, GroundTruth]:
    return lay()


def power_at(audio: np.ndarray, hz: float) -> np.ndarray:
    """RMS of one frequency in each 10 ms."""
    blocks = audio[: len(audio) // 160 * 160].reshape(-1, 160).astype(float)
    turn = np.exp(-2j * np.pi * hz * np.arange(160) / RATE)
    return np.abs(blocks @ turn) / 160 * np.sqrt(2)


def test_it_is_as_long_as_asked_and_as_its_ground_truth_says(stream):
    audio, truth = stream
    assert audio.dtype == np.int16
    assert len(audio) == truth.duration_ms * RATE // 1000
    assert 120_000 <= truth.duration_ms < 130_000


def test_words_are_where_the_ground_truth_says_and_nowhere_else(stream):
    audio, truth = stream
    for label, hz in (("yes", 1000), (UNKNOWN, 2000)):
        spoken = np.zeros(len(audio) // 160, bool)
        near = spoken.copy()
        for word in truth.words:
            inside = slice(word.start_ms // 10 + 2, word.end_ms // 10 - 2)
            if word.label == label:
                spoken[inside] = True
            # The steps of any word's edges have all frequencies.
            near[word.start_ms // 10 - 2 : word.end_ms // 10 + 3] |= True
            near[inside] = word.label == label
        level = power_at(audio, hz)
        assert level[spoken].min() > 10 * level[~near].max()


def test_words_do_not_overlap_and_are_as_long_as_the_speech_in_their_clips(stream):
    words = stream[1].words
    assert len(words) > 5
    assert all(a.end_ms < b.start_ms for a, b in itertools.pairwise(words))
    assert all(word.end_ms - word.start_ms == pytest.approx(300, abs=20) for word in words)


def test_every_clip_is_laid_before_one_comes_again(stream):
    said = [word.clip_id for word in stream[1].words]
    keywords = [name for name in said if name.startswith("yes")]
    assert len(set(keywords[:30])) == min(30, len(keywords))
    few = [word.clip_id for word in lay(KEYWORDS[:4])[1].words]
    assert all(len(set(few[i : i + 4])) == 4 for i in range(0, len(few) - 4, 4))


def test_the_share_of_other_words_is_as_configured():
    words = lay(params=StreamParams(minutes=10, unknown_share=0.25))[1].words
    share = sum(word.label == UNKNOWN for word in words) / len(words)
    assert share == pytest.approx(0.25, abs=0.1)


def test_snr_and_level_of_each_word_are_in_their_ranges(stream):
    audio, truth = stream
    hum = np.hypot(power_at(audio, 100), power_at(audio, 200))
    assert {word.label for word in truth.words} >= {"yes", "_unknown_"}
    for word in truth.words:
        inside = slice(word.start_ms // 10 + 2, word.end_ms // 10 - 2)
        level = np.median(power_at(audio, 1000 if word.label == "yes" else 2000)[inside])
        assert -32.1 <= 20 * np.log10(level / 32768) <= -15.9
        assert 5 <= word.snr_db <= 25
        assert 20 * np.log10(level / np.mean(hum[inside])) == pytest.approx(word.snr_db, abs=0.5)


def test_the_order_of_clips_changes_nothing(stream):
    audio, truth = lay((KEYWORDS + OTHERS)[::-1])
    assert audio.tobytes() == stream[0].tobytes()
    assert truth == stream[1]


def test_another_stream_or_seed_says_other_words(stream):
    said = [word.clip_id for word in stream[1].words]
    for other in (lay(name="words-eval-01"), lay(params=PARAMS.model_copy(update={"seed": 1}))):
        assert [word.clip_id for word in other[1].words] != said


def test_copies_and_silence_are_not_laid():
    noisy = [dataclasses.replace(c, augmentation="noisy", clip_id="n") for c in KEYWORDS]
    quiet = [dataclasses.replace(c, label=SILENCE, clip_id="q") for c in KEYWORDS]
    words = lay([*noisy, *quiet, KEYWORDS[0]])[1].words
    assert {word.clip_id for word in words} == {"yes0"}


def test_loud_words_do_not_clip():
    audio, _ = lay(params=StreamParams(minutes=0.5, level_dbfs=(-1, 0), snr_db=(0, 1)))
    assert np.abs(audio.astype(int)).max() <= 32767
    assert np.count_nonzero(np.abs(audio.astype(int)) >= 32766) < 10


def test_the_ground_truth_survives_json(stream):
    assert GroundTruth.from_json(stream[1].to_json()) == stream[1]


def test_a_stream_without_words_or_without_background_is_refused():
    with pytest.raises(KwsError, match="words-eval-00 has 0 clips"):
        lay([])
    silent = dataclasses.replace(KEYWORDS[0], audio=np.zeros(RATE, np.int16))
    with pytest.raises(KwsError, match="no word to lay among 1 clips"):
        lay([silent])
    with pytest.raises(KwsError, match="no background"):
        lay(backgrounds=[])
