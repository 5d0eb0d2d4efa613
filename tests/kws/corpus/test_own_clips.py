"""One person's recordings: what is read, what is kept back, what is said if something is wrong."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from kws.corpus import layout
from kws.corpus.folders import Corpus, Folder
from kws.corpus.own_clips import MANIFEST, read_clips
from kws.corpus.params import IngestParams
from kws.errors import KwsError

RATE = 16000
WORDS = ("yes", "no")


def record(folder, count, seconds=0.8, seed=0, level=0.1):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        audio = np.random.default_rng([seed, number]).normal(0, level, int(seconds * RATE))
        soundfile.write(folder / f"{number}.wav", audio, RATE, "PCM_16")


def read(folder, keyword="", keywords=WORDS, share=0.3):
    return read_clips(folder, keyword, IngestParams(keywords=keywords), share)


def test_ten_clips_of_a_keyword_are_seven_to_learn_from_and_three_to_judge_by(tmp_path):
    record(tmp_path, 10)
    clips = read(tmp_path, "yes")
    assert (len(clips.train), len(clips.held_out), clips.keyword_clips) == (7, 3, 10)
    assert {len(clip.audio) for clip in (*clips.train, *clips.held_out)} == {RATE}
    ids = [clip.clip_id for clip in (*clips.train, *clips.held_out)]
    assert len(set(ids)) == 10
    # The model has one keyword: nothing needs to be said. The names of the files decide nothing.
    for path in sorted(tmp_path.iterdir()):
        path.rename(path.with_name(f"x{path.name}"))
    again = read(tmp_path, keywords=("yes",))
    assert [c.clip_id for c in again.held_out] == [c.clip_id for c in clips.held_out]


def test_folders_of_words_say_what_is_said_and_other_words_are_learned_as_unknown(tmp_path):
    record(tmp_path / "yes", 5, seed=1)
    record(tmp_path / "no", 1, seed=2)
    record(tmp_path / "yesterday", 3, seed=3)
    clips = read(tmp_path)
    assert {clip.label for clip in clips.held_out} == {"yes"}  # of one clip none is kept back
    labels = [clip.label for clip in clips.train]
    assert (labels.count("yes"), labels.count("no"), labels.count("_unknown_")) == (3, 1, 3)


def test_what_cannot_be_used_is_named_and_the_rest_is_taken(tmp_path):
    record(tmp_path, 6)
    (tmp_path / "7.wav").write_bytes(b"RIFF")
    record(tmp_path / "short", 1, seconds=0.1, seed=1)
    record(tmp_path / "quiet", 1, seed=2, level=1e-4)
    (tmp_path / "8.wav").write_bytes((tmp_path / "0.wav").read_bytes())
    clips = read(tmp_path, "no")
    assert clips.keyword_clips == 6
    reasons = {name: reason.split(":")[0] for name, reason in clips.unusable.items()}
    assert reasons.pop("7.wav") in ("truncated", "malformed", "not_audio")
    assert reasons == {
        "short/0.wav": "too_short", "quiet/0.wav": "silent", "8.wav": "duplicate",
    }  # fmt: skip


def test_each_mistake_gets_a_sentence_of_its_own(tmp_path):
    def refused(pattern, *arguments):
        with pytest.raises(KwsError, match=pattern) as error:
            read(*arguments)
        return error.value.hint

    (tmp_path / "empty").mkdir()
    assert "ten clips" in refused(r"empty holds no recordings", tmp_path / "empty")
    refused(r"nowhere is no folder", tmp_path / "nowhere")
    record(tmp_path / "flat", 3)
    assert "yes, no" in refused(r"which keyword is said in .*0\.wav", tmp_path / "flat")
    assert "new keyword" in refused(r"'stop' is none of .*: yes, no", tmp_path / "flat", "stop")
    assert "at least 4" in refused(r"3 usable clips", tmp_path / "flat", "yes")
    record(tmp_path / "words" / "stop", 5)
    assert "yes, no" in refused(r"folders of stop, none of a keyword", tmp_path / "words")
    (tmp_path / "flat" / "3.wav").write_bytes(b"")
    refused(
        r"3 usable clips of keywords; 1 could not be used, 3\.wav: empty", tmp_path / "flat", "no"
    )


def test_a_word_that_looks_like_a_keyword_is_refused_and_one_in_another_form_is_it(tmp_path):
    record(tmp_path / "cased" / "yes", 5)
    record(tmp_path / "cased" / "No", 1, seed=1)
    with pytest.raises(KwsError, match=r"'No' is not the keyword 'no'.*did you mean 'no'"):
        read(tmp_path / "cased")
    record(tmp_path / "flat", 5)
    with pytest.raises(KwsError, match=r"keyword: 'YES' is not .* did you mean 'yes'"):
        read(tmp_path / "flat", "YES")
    record(tmp_path / "forms" / "o\u0308ffnen", 5)
    keywords = ("\u00f6ffnen",)
    assert {clip.label for clip in read(tmp_path / "forms", keywords=keywords).train} == {
        "\u00f6ffnen"
    }
    assert read(tmp_path / "flat", "o\u0308ffnen", keywords).keyword_clips == 5


def test_what_is_written_is_ingested_with_its_split_and_its_sound(tmp_path):
    record(tmp_path / "clips" / "yes", 10, seed=1)
    record(tmp_path / "clips" / "yesterday", 3, seed=2)
    clips = read(tmp_path / "clips")
    folder = clips.write(tmp_path / "written", RATE)
    corpus = Corpus((Folder(path=str(folder), kind="manifest", manifest=MANIFEST, prefix="me"),))
    params = IngestParams(keywords=WORDS)
    found = layout.understand_corpus(
        corpus, layout.list_files, lambda path: Path(path).read_text("utf-8"), params
    )
    splits = {Path(word.name).stem: (word.word, word.split) for word in found.words}
    assert splits == {
        **{clip.clip_id: (clip.word, "train") for clip in clips.train},
        **{clip.clip_id: (clip.word, "test") for clip in clips.held_out},
    }
    assert len(clips.held_out) == 3 and len(clips.train) == 10 and not found.misplaced
    one = clips.held_out[0]
    np.testing.assert_array_equal(
        soundfile.read(folder / f"{one.clip_id}.wav", dtype="int16")[0], one.audio
    )
    # The same clips are the same corpus, so that nothing is ingested again.
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert read(tmp_path / "clips").write(tmp_path / "written", RATE) == folder
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_where_nothing_could_be_kept_back_or_silence_is_said_to_be_a_word_it_is_refused(tmp_path):
    for number, word in enumerate("abcd"):
        record(tmp_path / "each" / word, 1, seed=number)
    with pytest.raises(KwsError, match="one clip of each keyword") as error:
        read(tmp_path / "each", keywords=("a", "b", "c", "d"))
    assert "at least twice" in error.value.hint
    record(tmp_path / "quiet" / "yes", 5)
    record(tmp_path / "quiet" / "_silence_", 1, seed=9)
    with pytest.raises(KwsError, match="has a folder _silence_"):
        read(tmp_path / "quiet")


def test_links_are_followed_and_what_is_left_out_is_named(tmp_path):
    record(tmp_path / "elsewhere", 5)
    clips = tmp_path / "clips"
    (clips / "no").mkdir(parents=True)
    (clips / "yes").symlink_to(tmp_path / "elsewhere")
    (clips / "no" / "up").symlink_to(clips)
    (clips / "notes.doc").touch()
    (clips / "._yes.wav").touch()
    found = read(clips)
    assert found.keyword_clips == 5
    assert {name: why.split(":")[0] for name, why in found.unusable.items()} == {
        "no/up/": "link_cycle",
        "notes.doc": "not_audio_name",
    }


def test_a_keyword_that_loses_most_of_its_clips_is_refused(tmp_path):
    record(tmp_path / "yes", 9)
    record(tmp_path / "no", 1, seed=1)
    for number in range(5):
        (tmp_path / "no" / f"{number}.m4a").write_bytes(b"\0\0\0\x20ftypM4A cut off")
    with pytest.raises(KwsError, match=r"clips of 'no' loses 5 of 6 files.*0\.m4a"):
        read(tmp_path)
