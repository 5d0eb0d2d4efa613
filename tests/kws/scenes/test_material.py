"""What a split has to lay, read from a folder."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from kws.corpus.folders import Corpus
from kws.corpus.params import IngestParams
from kws.errors import KwsError
from kws.labels import UNKNOWN
from kws.scenes.material import gather, load, recordings_below, sections

RATE = 16000
PARAMS = IngestParams(keywords=("on",), speaker_salt_env="")


def write(path: Path, seconds: float, value: float = 0.1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    t = np.arange(int(seconds * RATE)) / RATE
    soundfile.write(path, value * np.sin(2 * np.pi * 440 * t), RATE, "PCM_16")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Corpus:
    folder = tmp_path_factory.mktemp("corpus")
    for speaker in range(6):
        write(folder / "on" / f"ann{speaker}_nohash_0.wav", 0.8)
        write(folder / "tree" / f"ann{speaker}_nohash_0.wav", 0.7)
    (folder / "on" / "ann9_nohash_0.wav").write_bytes(b"RIFF")
    write(folder / "_background_noise_" / "eval" / "rain.wav", 2)
    write(folder / "_background_noise_" / "eval" / "off.wav", 2, value=0)
    write(folder / "_negatives_" / "eval" / "talk.wav", 3)
    listed = [f"{word}/ann{i}_nohash_0.wav" for word in ("on", "tree") for i in (0, 1, 2, 9)]
    (folder / "validation_list.txt").write_text("\n".join(listed))
    return Corpus.of_folder(str(folder))


def test_words_are_the_splits_own_and_what_cannot_be_used_is_named(corpus):
    found = gather(corpus, "eval", PARAMS, 10)
    assert sorted((clip.label, clip.speaker) for clip in found.words) == sorted(
        (label, f"ann{i}") for label in ("on", UNKNOWN) for i in range(3)
    )
    assert all(len(clip.audio) == RATE for clip in found.words)
    assert list(found.unusable) == ["on/ann9_nohash_0.wav"]
    assert [len(audio) for audio in found.backgrounds] == [2 * RATE]  # the other one is silent
    (talk,) = found.negatives
    assert len(load(talk, 8000)) == 24_000


def test_no_more_words_are_read_than_asked_for(corpus):
    words = gather(corpus, "eval", PARAMS, 2).words
    assert sorted(clip.label for clip in words) == [UNKNOWN, UNKNOWN, "on", "on"]


def test_words_are_shared_out_among_streams_so_that_none_is_in_two(corpus):
    found = gather(corpus, "eval", PARAMS, 10)
    shares = [found.share(number, 2) for number in range(2)]
    assert [len(share) for share in shares] == [4, 2]  # of either kind two and one
    names = [clip.clip_id for share in shares for clip in share]
    assert sorted(names) == sorted(clip.clip_id for clip in found.words)


def test_sections_are_about_as_long_as_asked_and_each_recording_is_heard_once(corpus):
    negatives = gather(corpus, "eval", PARAMS, 10).negatives
    heard = list(sections(negatives, 2, 8000))
    assert [len(audio) for audio in heard] == [12_000, 12_000]  # three seconds in halves


def test_speakers_who_are_to_be_hashed_are_hashed_here_too(corpus, monkeypatch):
    monkeypatch.setenv("THE_SALT", "a long secret")
    hashed = PARAMS.model_copy(update={"speaker_salt_env": "THE_SALT"})
    words = gather(corpus, "eval", hashed, 10).words
    assert len({clip.speaker for clip in words}) == 3
    assert not any("ann" in clip.speaker for clip in words)
    monkeypatch.delenv("THE_SALT")
    with pytest.raises(KwsError, match="THE_SALT is not set"):
        gather(corpus, "eval", hashed, 10)


def test_a_split_without_background_and_a_folder_without_recordings_are_refused(corpus, tmp_path):
    with pytest.raises(KwsError, match=r"split test .* has no background"):
        gather(corpus, "test", PARAMS, 10)
    with pytest.raises(KwsError, match="holds no recordings"):
        recordings_below(tmp_path)


def test_long_recordings_are_listed_as_everywhere_and_what_is_left_out_is_named(corpus, tmp_path):
    day = tmp_path / "day"
    (day / ".Trashes").mkdir(parents=True)
    soundfile.write(day / "a.wav", np.ones(16000, np.int16), 8000)
    soundfile.write(day / ".Trashes" / "old.wav", np.ones(16000, np.int16), 8000)
    (tmp_path / "all").mkdir()
    (tmp_path / "all" / "linked").symlink_to(day)
    (tmp_path / "all" / "b.m4a").write_bytes(b"\0\0\0\x20ftypM4A cut off")
    pieces, left_out = recordings_below(tmp_path / "all")
    assert [(piece.path, piece.duration_ms) for piece in pieces] == [
        (str(tmp_path / "all" / "linked" / "a.wav"), 2000)
    ]
    assert set(left_out) == {"b.m4a"}
    (tmp_path / "all" / "b.m4a").write_bytes(b"\0\0\0\x20ftypM4A " + bytes(100_000))
    with pytest.raises(KwsError, match=r"minutes.*b\.m4a"):
        recordings_below(tmp_path / "all")
