"""Copies are found at any gain, strangers never; what is kept leaks nothing into another split."""

import dataclasses
import io
import itertools

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from kws.corpus.clip_table import ClipTable, gather
from kws.corpus.duplicates import find_distinct, same_content
from kws.corpus.inspect import FileReport, inspect_word
from kws.corpus.layout import Word
from kws.corpus.params import IngestParams
from kws.corpus.quarantine import Quarantined
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


def inspect(audio: np.ndarray, name: str = "", params: IngestParams = PARAMS) -> FileReport:
    """By way of a WAV file."""
    file = io.BytesIO()
    soundfile.write(file, audio, RATE_HZ, format="WAV", subtype="PCM_16")
    report = inspect_word(name, file, params)
    assert not report.reason
    return report


def groups(*reports: FileReport) -> list[list[int]]:
    """Which of the reports are of the same content, as places in the arguments."""
    named = [dataclasses.replace(one, name=f"{i:04d}") for i, one in enumerate(reports)]
    words = [Word(one.name, "yes", "", "train") for one in named]
    return [group.tolist() for group in same_content(gather([(words, named)]).clips)]


def table(*files: tuple[str, str, np.ndarray]) -> ClipTable:
    """Each is name, split and samples; the word is the name's folder."""
    words = [Word(name, name.split("/")[0], name, split) for name, split, _ in files]
    return gather([(words, [inspect(audio, name) for name, _, audio in files])]).clips


def judge(*files: tuple[str, str, np.ndarray]) -> tuple[list[str], list[Quarantined], int]:
    """The names that are kept, the quarantine in the order of names, and the leaks."""
    clips = table(*files)
    found = find_distinct(clips, PARAMS.keywords)
    kept = clips.names_of_rows(np.flatnonzero(found.kept))
    return kept, sorted(found.dropped.values()), found.leaks


@pytest.mark.parametrize("gain_db", [-20.0, -19.3, -6.0, -0.4, 0.9, 7.7, 12.0])
@pytest.mark.parametrize("rms", [20.0, 300.0, 600.0])
def test_a_copy_at_another_gain_is_found_down_to_the_quietest_clip_in_use(rms, gain_db):
    if rms * 10 ** (gain_db / 20) < 6:  # -75 dBFS: quarantined as silent.
        return
    for content in range(8):
        audio = word_like(content, rms)
        copies = [to_int16(audio), to_int16(audio, gain_db), -to_int16(audio, gain_db)]
        assert groups(*map(inspect, copies)) == [[0, 1, 2]]


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
        clips.append(inspect(to_int16(clip)))
    assert groups(*clips) == []


def test_silences_and_offsets_are_no_copies_of_each_other():
    accept_all = PARAMS.model_copy(update={"silent_dbfs": -400.0})
    levels = [np.full(8000, level, np.int16) for level in (0, 0, 1, 100, 200)]
    assert groups(*(inspect(audio, params=accept_all) for audio in levels)) == []


def test_other_lengths_and_other_places_are_other_recordings():
    audio = to_int16(word_like(3))
    shifted, shorter = np.roll(audio, 1600), audio[:-160]
    assert groups(*map(inspect, (audio, shifted, shorter))) == []


def test_the_held_out_copy_is_kept_and_the_leaks_are_counted_and_named():
    audio = word_like(5)
    kept, quarantine, leaks = judge(
        ("yes/a.wav", "train", to_int16(audio)),
        ("yes/b.wav", "eval", to_int16(audio, -6)),
        ("yes/c.wav", "test", to_int16(audio)),
        ("yes/d.wav", "test", to_int16(audio, 3)),
        ("yes/e.wav", "train", to_int16(word_like(6))),
    )
    assert kept == ["yes/c.wav", "yes/e.wav"]
    assert [tuple(q) for q in quarantine] == [
        (
            "yes/a.wav",
            "duplicate",
            "same content as yes/c.wav, which is in test: in train it would leak",
        ),
        (
            "yes/b.wav",
            "duplicate_gain",
            "same content, -6.0 dB, as yes/c.wav, which is in test: in eval it would leak",
        ),
        ("yes/d.wav", "duplicate_gain", "same content, +3.0 dB, as yes/c.wav"),
    ]
    assert leaks == 2


def test_one_content_under_two_labels_is_used_under_none():
    audio = word_like(7)
    kept, quarantine, leaks = judge(
        ("yes/a.wav", "test", to_int16(audio)),
        ("no/b.wav", "train", to_int16(audio, -3)),
        ("yes/c.wav", "train", to_int16(audio)),
    )
    assert kept == [] and leaks == 0
    assert {q.path for q in quarantine} == {"yes/a.wav", "no/b.wav", "yes/c.wav"}
    assert {q.reason for q in quarantine} == {"conflicting_label"}
    assert "no/b.wav (no) and yes/a.wav (yes)" in quarantine[0].detail


def test_two_words_that_are_no_keywords_share_a_label_and_cannot_conflict():
    audio = to_int16(word_like(8))
    kept, quarantine, _ = judge(("sea/a.wav", "train", audio), ("see/b.wav", "train", audio))
    assert kept == ["sea/a.wav"]
    assert [q.reason for q in quarantine] == ["duplicate"]
    assert judge(("sea/a.wav", "train", audio), ("no/b.wav", "train", audio))[0] == []


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
    names, quarantine, _ = found = judge(*files)
    content_of = {file[0]: row[0] for file, row in zip(files, drawn, strict=True)}
    kept = [content_of[name] for name in names]
    assert len(kept) == len(set(kept))
    assert {*names} | {q.path for q in quarantine} == set(content_of)
    for content, group in itertools.groupby(sorted(drawn), key=lambda row: row[0]):
        labels = {word if word in PARAMS.keywords else "_unknown_" for _, _, _, word in group}
        assert (content in kept) == (len(labels) == 1)
    assert judge(*files[::-1]) == found


def test_the_search_finds_exactly_the_pairs_that_comparing_all_with_all_finds():
    """At many levels, of two lengths, with copies inverted and with noise of rounding."""
    rng = np.random.default_rng(1)
    lengths_ms, rows = [], []
    for number in range(300):
        fingerprint = rng.normal(0, 10 ** rng.uniform(0, 3), 32)
        factors = (1.0, -0.5, 0.9) if number % 10 == 0 else (1.0,)
        noise = rng.normal(0, 0.3, (len(factors), 32)) * (np.array(factors)[:, None] != 1)
        rows += list(np.outer(factors, fingerprint) + noise)
        lengths_ms += [1000.0 + number % 2] * len(factors)
    fingerprints = np.array(rows, np.float32)
    reports = [
        FileReport("", length, number.to_bytes(16, "big"), fingerprint=one.tobytes())
        for number, (length, one) in enumerate(zip(lengths_ms, fingerprints, strict=True))
    ]

    # The rule as the module states it, without a search, and whatever it joins in a chain.
    power = np.square(fingerprints, dtype=np.float64).mean(axis=1)
    reach = np.minimum(0.245, np.sqrt(0.045**2 + 8 * (1 / 12) / power))
    directions = fingerprints / np.linalg.norm(fingerprints.astype(np.float64), axis=1)[:, None]
    cosines = np.abs(directions @ directions.T)
    near = np.sqrt(np.maximum(0, 2 - 2 * cosines)) <= reach[:, None]
    near &= np.equal.outer(lengths_ms, lengths_ms)
    joined = np.linalg.matrix_power((near | near.T).astype(float), 8) > 0
    expected = {tuple(np.flatnonzero(row)) for row in joined if row.sum() > 1}
    assert len(expected) > 20  # Some copies are too noisy to be recognised.
    assert {tuple(group) for group in groups(*reports)} == expected
