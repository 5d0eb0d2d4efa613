"""Copies are found at any gain, strangers never; what is kept leaks nothing into another split."""

import io
import itertools

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from kws.audio.duplicates import Distinct, distinct, same_content
from kws.audio.examine import Finding, examine_word
from kws.audio.layout import Word
from kws.audio.params import IngestParams
from kws.splits import SPLITS

RATE_HZ = 16000
PARAMS = IngestParams(keywords=("yes", "no"))


def word_like(content: int, rms: float = 600.0) -> np.ndarray:
    """A burst of noise of the shape of speech in quieter noise: float64 `[8000]`."""
    rng = np.random.default_rng(content)
    noise = np.convolve(rng.standard_normal(8007), np.hanning(8), "valid")
    burst = 0.02 + np.exp(-0.5 * ((np.arange(8000) - rng.integers(2000, 6000)) / 900) ** 2)
    audio = noise * burst
    return audio * rms / audio.std()


def to_int16(audio: np.ndarray, gain_db: float = 0.0) -> np.ndarray:
    scaled = np.rint(audio * 10 ** (gain_db / 20))
    assert np.abs(scaled).max() < 32767, "a clipped copy is another story"
    return scaled.astype(np.int16)


def examine(audio: np.ndarray, name: str = "", params: IngestParams = PARAMS) -> Finding:
    """By way of a WAV file."""
    file = io.BytesIO()
    soundfile.write(file, audio, RATE_HZ, format="WAV", subtype="PCM_16")
    finding = examine_word(name, file, params)
    assert not finding.reason
    return finding


def judge(*files: tuple[str, str, np.ndarray]) -> Distinct:
    """Each is name, split and samples; the word is the name's folder."""
    words = [Word(name, name.split("/")[0], name, split) for name, split, _ in files]
    found = {name: examine(audio, name) for name, _, audio in files}
    return distinct(words, found, PARAMS.keywords)


@pytest.mark.parametrize("gain_db", [-20.0, -19.3, -6.0, -0.4, 0.9, 7.7, 12.0])
@pytest.mark.parametrize("rms", [20.0, 300.0, 600.0])
def test_a_copy_at_another_gain_is_found_down_to_the_quietest_clip_in_use(rms, gain_db):
    if rms * 10 ** (gain_db / 20) < 6:  # -75 dBFS: quarantined as silent.
        return
    for content in range(8):
        audio = word_like(content, rms)
        copies = [examine(to_int16(audio)), examine(to_int16(audio, gain_db))]
        copies.append(examine(-to_int16(audio, gain_db)))
        assert same_content(copies) == [[0, 1, 2]]


def test_strangers_are_no_copies_however_alike_they_sound():
    rng = np.random.default_rng(0)
    time = np.arange(8000) / RATE_HZ
    envelope = word_like(1)  # One envelope, one hum, one offset, one click: other noise in it.
    shape = np.abs(envelope)
    clips = []
    for _ in range(60):
        hum = 3000 * np.sin(2 * np.pi * 50 * time + rng.uniform(0, 0.3))
        clip = 0.1 * shape * rng.standard_normal(8000) + hum + 2000
        clip[rng.integers(100)] += 20000
        clips.append(examine(to_int16(clip)))
    assert same_content(clips) == []


def test_silences_and_offsets_are_no_copies_of_each_other():
    accept_all = PARAMS.model_copy(update={"silent_dbfs": -400.0})
    levels = [np.full(8000, level, np.int16) for level in (0, 0, 1, 100, 200)]
    assert same_content([examine(audio, params=accept_all) for audio in levels]) == []


def test_other_lengths_and_other_places_are_other_recordings():
    audio = to_int16(word_like(3))
    shifted, shorter = np.roll(audio, 1600), audio[:-160]
    assert same_content([examine(a) for a in (audio, shifted, shorter)]) == []


def test_the_held_out_copy_is_kept_and_the_leaks_are_counted_and_named():
    audio = word_like(5)
    found = judge(
        ("yes/a.wav", "train", to_int16(audio)),
        ("yes/b.wav", "eval", to_int16(audio, -6)),
        ("yes/c.wav", "test", to_int16(audio)),
        ("yes/d.wav", "test", to_int16(audio, 3)),
        ("yes/e.wav", "train", to_int16(word_like(6))),
    )
    assert [word.name for word in found.words] == ["yes/c.wav", "yes/e.wav"]
    assert [tuple(q) for q in found.quarantine] == [
        ("yes/d.wav", "duplicate_gain", "same content, +3.0 dB, as yes/c.wav"),
        (
            "yes/b.wav",
            "duplicate_gain",
            "same content, -6.0 dB, as yes/c.wav, which is in test: in eval it would leak",
        ),
        (
            "yes/a.wav",
            "duplicate",
            "same content as yes/c.wav, which is in test: in train it would leak",
        ),
    ]
    assert found.leaks == 2


def test_one_content_under_two_labels_is_used_under_none():
    audio = word_like(7)
    found = judge(
        ("yes/a.wav", "test", to_int16(audio)),
        ("no/b.wav", "train", to_int16(audio, -3)),
        ("yes/c.wav", "train", to_int16(audio)),
    )
    assert found.words == [] and found.leaks == 0
    assert {q.path for q in found.quarantine} == {"yes/a.wav", "no/b.wav", "yes/c.wav"}
    assert {q.reason for q in found.quarantine} == {"conflicting_label"}
    assert "no/b.wav (no) and yes/a.wav (yes)" in found.quarantine[0].detail


def test_two_words_that_are_no_keywords_share_a_label_and_cannot_conflict():
    audio = to_int16(word_like(8))
    found = judge(("sea/a.wav", "train", audio), ("see/b.wav", "train", audio))
    assert [word.name for word in found.words] == ["sea/a.wav"]
    assert [q.reason for q in found.quarantine] == ["duplicate"]
    assert judge(("sea/a.wav", "train", audio), ("no/b.wav", "train", audio)).words == []


copies = st.lists(
    st.tuples(
        st.integers(0, 3),  # Which content.
        st.floats(-20, 12, allow_nan=False),
        st.sampled_from(SPLITS),
        st.sampled_from(["yes", "no", "sea", "see"]),
    ),
    max_size=10,
)


@settings(max_examples=40, deadline=None)
@given(copies)
def test_whatever_the_gains_no_content_is_in_two_splits_or_twice(drawn):
    files = [
        (f"{word}/{i}.wav", split, to_int16(word_like(content), gain_db))
        for i, (content, gain_db, split, word) in enumerate(drawn)
    ]
    found = judge(*files)
    content_of = {file[0]: row[0] for file, row in zip(files, drawn, strict=True)}
    kept = [content_of[word.name] for word in found.words]
    assert len(kept) == len(set(kept))
    assert {w.name for w in found.words} | {q.path for q in found.quarantine} == set(content_of)
    for content, group in itertools.groupby(sorted(drawn), key=lambda row: row[0]):
        labels = {word if word in PARAMS.keywords else "_unknown_" for _, _, _, word in group}
        assert (content in kept) == (len(labels) == 1)
    assert judge(*files[::-1]) == found
