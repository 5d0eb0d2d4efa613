"""Names alone say what a file is, who speaks and which split it belongs to."""

import hashlib
import re
from pathlib import Path

import pytest

from kws.corpus import contents, layout
from kws.corpus.folders import Corpus, Folder
from kws.corpus.listing import of_names
from kws.corpus.params import IngestParams
from kws.corpus.splits import Part, speaker_of, split_recordings, split_words

PARAMS = IngestParams(keywords=("yes",))


def which_set(file_name: str, validation_percentage: float, testing_percentage: float) -> str:
    """The rule as Speech Commands' README describes it, written independently."""
    speaker = re.sub("_nohash_.*", "", file_name)
    digest = hashlib.sha1(speaker.encode("utf-8")).hexdigest()
    percentage = (int(digest, 16) % 134217728) * 100.0 / 134217727
    if percentage < validation_percentage:
        return "eval"
    return "test" if percentage < validation_percentage + testing_percentage else "train"


def speakers(split: str, placed: dict[str, str]) -> set[str]:
    return {speaker_of(name) for name, found in placed.items() if found == split}


def test_without_lists_the_split_is_that_of_speech_commands():
    names = [f"yes/{i:08x}_nohash_{i % 3}.wav" for i in range(0, 1 << 31, 1 << 22)]
    placed = split_words(names, {}, 10, 15)
    assert placed == {name: which_set(Path(name).name, 10, 15) for name in names}
    assert set(placed.values()) == {"train", "eval", "test"}


def test_one_list_moves_its_speakers_out_of_training_and_leaves_the_other_split_to_the_hash():
    names = [f"{word}/{i:04x}_nohash_0.wav" for i in range(600) for word in ("yes", "no")]
    by_hash = split_words(names, {})
    listed = [n for n in names if by_hash[n] == "eval" and n.startswith("yes")]
    placed = split_words(names, {"test": listed})
    assert speakers("test", placed) == {speaker_of(name) for name in listed}
    assert 0.05 < len(speakers("eval", placed)) / 600 < 0.15
    assert not speakers("train", placed) & (speakers("eval", placed) | speakers("test", placed))


def test_with_both_lists_everybody_else_trains():
    names = [f"yes/{i}_nohash_0.wav" for i in range(100)]
    placed = split_words(names, {"eval": names[:3], "test": names[3:5]})
    assert [n for n in names if placed[n] != "train"] == names[:5]


def test_the_validation_list_means_what_the_params_say():
    names = ["validation_list.txt", "testing_list.txt", "yes/a_nohash_0.wav", "yes/b_nohash_0.wav"]
    texts = {"validation_list.txt": "yes/a_nohash_0.wav\n", "testing_list.txt": ""}
    for meaning in ("eval", "test"):
        params = IngestParams(keywords=("yes",), validation_list=meaning)
        found = layout.understand(names, texts.__getitem__, params)
        assert {w.speaker: w.split for w in found.words}["a"] == meaning


def test_every_name_is_a_word_a_long_recording_a_companion_or_misplaced():
    found = layout.understand(
        [
            "README.md", "LICENSE", "yes/b.wav", "yes/a_nohash_1.flac", "yes/notes.docx",
            "yes/.hidden.wav", "__MACOSX/yes/._b.wav", "loose.wav", "yes/deep/c.wav",
            "_unknown_/d.mp3", "_silence_/e.wav", "_background_noise_/rain.wav",
            "_negatives_/eval/talk.wav",
        ],
        lambda name: "",
        PARAMS,
    )  # fmt: skip
    assert [(w.name, w.word, w.speaker) for w in found.words] == [
        ("_unknown_/d.mp3", "_unknown_", "d"),
        ("yes/a_nohash_1.flac", "yes", "a"),
        ("yes/b.wav", "yes", "b"),
    ]
    assert {name: why for name, (why, _) in found.misplaced.items()} == {
        "yes/notes.docx": "not_audio_name",
        "loose.wav": "no_word_folder",
        "yes/deep/c.wav": "too_deep",
        "_silence_/e.wav": "reserved_folder",
    }
    assert found.negatives["eval"] == [Part("_negatives_/eval/talk.wav")]


@pytest.mark.parametrize("count", [3, 4, 12])
def test_every_split_gets_its_own_background(count):
    names = [f"_background_noise_/{i}.wav" for i in range(count)]
    parts = split_recordings(names, 0, 0)
    assert all(parts[split] for split in ("train", "eval", "test"))
    assert sorted(p.path for found in parts.values() for p in found) == sorted(names)


def test_one_or_two_recordings_are_cut_three_fifths_for_training():
    parts = split_recordings(["n/a.wav", "n/b.wav"])
    assert parts["eval"] == [Part("n/a.wav", 0.6, 0.8), Part("n/b.wav", 0.6, 0.8)]
    assert parts["test"][0] == Part("n/a.wav", 0.8, 1.0)


def test_each_folder_is_divided_by_itself_so_that_all_splits_have_some_of_it():
    """A user's one long recording beside voices whose folders say their split: as an hour of it
    goes to training, eval and test hear twelve minutes each."""
    corpus = Corpus(
        (
            Folder(path="/voices", prefix="voices", source="voices"),
            Folder(path="/hour", kind="negatives", prefix="hour", source="hour"),
            Folder(path="/many", kind="negatives", prefix="many", source="many"),
        )
    )
    names = {
        "/voices": [f"_negatives_/{split}/talk.wav" for split in ("train", "eval", "test")],
        "/hour": ["hour.wav"],
        "/many": [f"{number:03d}.wav" for number in range(400)],
    }
    found = layout.understand_corpus(
        corpus, lambda folder: of_names(names[folder]), lambda _: "", PARAMS
    ).negatives
    hour = {s: [p for p in parts if p.path == "hour/hour.wav"] for s, parts in found.items()}
    assert hour["train"] == [Part("hour/hour.wav", 0.0, 0.6)]
    assert hour["eval"] == [Part("hour/hour.wav", 0.6, 0.8)]
    assert hour["test"] == [Part("hour/hour.wav", 0.8, 1.0)]
    many = {s: sum(p.path.startswith("many") for p in parts) for s, parts in found.items()}
    # A fifth each for eval and test: thresholds and gates on false accepts rest on them.
    assert many["eval"] == pytest.approx(80, abs=20) and many["test"] == pytest.approx(80, abs=20)


def test_recordings_of_one_group_stay_together_and_few_groups_are_divided_by_recording():
    names = [f"n/{speaker}-{number}.wav" for speaker in "abcdefgh" for number in range(5)]
    groups = {name: name[2] for name in names}
    parts = split_recordings(names, 20, 20, groups=groups)
    where = {s: {p.path[2] for p in found} for s, found in parts.items()}
    assert all(where.values()) and sum(map(len, where.values())) == 8
    assert sorted(p.path for found in parts.values() for p in found) == names
    few = split_recordings(names[:10], 20, 20, groups=groups)
    assert {s: [p.path for p in found] for s, found in few.items()} == {
        "train": [f"n/{speaker}-{number}.wav" for speaker in "ab" for number in (0, 1, 2)],
        "eval": ["n/a-3.wav", "n/b-3.wav"],
        "test": ["n/a-4.wav", "n/b-4.wav"],
    }


def test_a_recording_of_two_kinds_or_in_two_folders_keeps_its_split_or_its_division():
    assigned: dict = {}
    first = split_recordings(["n/a.wav"], assigned=assigned)
    again = split_recordings([f"b/{title}.flac" for title in "abcd"], assigned=assigned)
    shares = [(0.0, 0.6), (0.6, 0.8), (0.8, 1.0)]
    for parts, name in ((first, "n/a.wav"), (again, "b/a.flac")):
        found = [p for s in ("train", "eval", "test") for p in parts[s] if p.path == name]
        assert [(p.start_share, p.end_share) for p in found] == shares


def test_the_next_component_finds_the_same_parts_in_the_folder(tmp_path):
    for name in ("_background_noise_/a.wav", "_negatives_/train/t.wav", "_negatives_/eval/e.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = layout.backgrounds(tmp_path, "test")
    assert found == [Part(str(tmp_path / "_background_noise_/a.wav"), 0.8, 1.0)]
    assert layout.negatives(tmp_path, "eval") == [Part(str(tmp_path / "_negatives_/eval/e.wav"))]
    assert layout.negatives(tmp_path, "test") == []
    assert layout.backgrounds(tmp_path / "none", "train") == []


NFC, NFD = "\u00f6ffnen", "o\u0308ffnen"


def test_words_speakers_and_lists_are_compared_in_one_unicode_form():
    names = [f"{NFD}/j\u00fc_nohash_0.wav", f"{NFC}/ju\u0308_nohash_1.wav", "testing_list.txt"]
    texts = {"testing_list.txt": f"{NFC}/j\u00fc_nohash_0.wav\n"}
    found = layout.understand(names, texts.__getitem__, PARAMS)
    assert {(word.word, word.speaker, word.split) for word in found.words} == {
        (NFC, "j\u00fc", "test")
    }
    assert {word.name for word in found.words} == set(names[:2])  # as the file system has them


@pytest.mark.parametrize("folder", ["Train", "TEST", "eval "])
def test_a_folder_that_looks_like_a_split_s_is_not_taken_for_a_speaker(folder):
    clips = contents.clips([f"{folder}/1.wav", f"{folder}/ben/2.wav", "train/3.wav"], "yes")
    assert set(clips.words) == {"train/3.wav"}
    assert clips.misplaced[f"{folder}/1.wav"][0] == "split_folder"
    assert "did you mean" in clips.misplaced[f"{folder}/1.wav"][1]
    long = contents.recordings([f"{folder}/1.wav", "day/test/2.wav"], "negatives")
    assert long.negatives == ["day/test/2.wav"]
    assert long.misplaced[f"{folder}/1.wav"][0] == "split_folder"
