"""What a user may name as recordings, and how several folders become one corpus."""

import re

import pytest

from kws.corpus import layout
from kws.corpus.folders import Corpus, Folder
from kws.corpus.listing import of_names
from kws.corpus.params import IngestParams
from kws.corpus.sources import SourceParams, names_of
from kws.corpus.splits import Part, pseudonym, salt_of, split_speakers
from kws.errors import KwsError

PARAMS = IngestParams(keywords=("yes",))


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({}, "this has none of them"),
        ({"voices": True, "manifest": "a.csv"}, "this has manifest and voices"),
        ({"voices": True, "unknown": "words"}, "this has voices and unknown"),
        ({"url": "https://example.com/a.zip"}, "url and sha256 belong together"),
        ({"url": "https://example.com/a.exe", "sha256": "0" * 64}, "is no archive"),
        ({"url": "ftp://example.com/a.zip", "sha256": "0" * 64}, "url"),
        ({"corpus": "musan", "voices": True}, "this has corpus and voices"),
        ({"negatives": "talk", "uses": ["negatives"]}, "is of a corpus: name the folders"),
        ({"corpus": "musan", "terms": "research-only"}, "brings its own licence"),
        ({"corpus": "musan", "uses": ["music"]}, "uses"),
        ({"manifest": "list.xlsx"}, r"a manifest ends in \.csv"),
        ({"positives": {"_unknown_": "words"}}, "go to `unknown`"),
        ({"speech_commands": "a.zip", "span_folder": "day-{SPAN}"}, "needs a folder"),
        ({"speech_commands": "data", "span_folder": "day"}, "no pattern of spans"),
        ({"speech_commands": "data", "last_spans": 3}, "last_spans=3 needs span_folder"),
        ({"name": "a b", "voices": True}, "name"),
        ({"voices": True, "keyword": "yes"}, "keyword='yes' is of own_clips"),
        ({"own_clips": "mine", "voices": True}, "this has voices and own_clips"),
        ({"own_clips": "mine", "held_out_share": 0}, "greater than 0"),
    ],
)
def test_a_source_that_is_not_one_thing_is_refused_in_a_sentence(keys, sentence):
    with pytest.raises(ValueError, match=sentence):
        SourceParams(**keys)


def test_every_source_has_a_name_of_its_own():
    sources = [
        SourceParams(speech_commands="/data/My words.tar.gz"),
        SourceParams(corpus="speech-commands-v0.02"),
        SourceParams(backgrounds="/noise/a"),
        SourceParams(backgrounds="/noise/b"),
        SourceParams(name="mine", manifest="x.csv"),
        SourceParams(voices=True),
    ]
    assert names_of(sources) == [
        "My_words", "speech-commands-v0_02", "backgrounds", "backgrounds-2", "mine", "voices",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="two sources have the name 'mine'"):
        names_of([sources[4], sources[4]])


FILES = {
    "/sc": [
        "testing_list.txt", "yes/t_nohash_0.wav", "no/t_nohash_0.wav", "yes/u_nohash_0.wav",
        "_background_noise_/rain.wav", "_negatives_/train/talk.wav", "yes/odd.doc",
    ],
    "/mine": ["t/1.wav", "ben/2.wav", "loose_nohash_7.wav", "eval/eve/3.wav", "a/b/4.wav"],
    "/noise": ["deep/er/rain.flac", "wind.wav", "test/hall.wav"],
    "/list": ["list.csv"],
}  # fmt: skip
TEXTS = {
    "/sc/testing_list.txt": "yes/t_nohash_0.wav\n",
    "/list/list.csv": "path,label,speaker,start_ms,end_ms\nlong.wav,yes,t,0,900\n",
}
CORPUS = Corpus(
    (
        Folder(path="/sc", prefix="sc", source="sc"),
        Folder(path="/mine", kind="clips", prefix="own.yes", source="own", word="yes"),
        Folder(path="/noise", kind="backgrounds", prefix="own.bg", source="own"),
        Folder(path="/list", kind="manifest", prefix="list", source="list", manifest="list.csv"),
    )
)


def test_folders_of_all_kinds_become_one_layout():
    found = layout.understand_corpus(
        CORPUS, lambda path: of_names(FILES[path]), TEXTS.__getitem__, PARAMS
    )
    assert {word.name: (word.word, word.speaker, word.source) for word in found.words} == {
        "sc/no/t_nohash_0.wav": ("no", "t", "sc"),
        "sc/yes/t_nohash_0.wav": ("yes", "t", "sc"),
        "sc/yes/u_nohash_0.wav": ("yes", "u", "sc"),
        "own.yes/t/1.wav": ("yes", "t", "own"),
        "own.yes/ben/2.wav": ("yes", "ben", "own"),
        "own.yes/loose_nohash_7.wav": ("yes", "loose", "own"),
        "own.yes/eval/eve/3.wav": ("yes", "eve", "own"),
        "list/long.wav#t=0,0.9": ("yes", "t", "list"),
    }
    assert {name: why for name, (why, _) in found.misplaced.items()} == {
        "sc/yes/odd.doc": "not_audio_name",
        "own.yes/a/b/4.wav": "too_deep",
    }
    assert Part("own.bg/test/hall.wav") in found.backgrounds["test"]
    assert found.negatives["train"] == [Part("sc/_negatives_/train/talk.wav")]
    # A list in one folder speaks for its speakers in all.
    assert {word.split for word in found.words if word.speaker == "t"} == {"test"}
    assert {word.split for word in found.words if word.speaker == "eve"} == {"eval"}


def test_a_name_leads_to_its_file_also_where_it_is_a_part_and_after_json():
    corpus = Corpus.from_json(CORPUS.to_json())
    assert corpus == CORPUS
    assert corpus.path_of("list/deep/long.wav#t=0,0.9") == "/list/deep/long.wav"
    assert corpus.path_of("own.yes/t/1.wav") == "/mine/t/1.wav"
    assert Corpus.of_folder("/sc").path_of("yes/u_nohash_0.wav") == "/sc/yes/u_nohash_0.wav"
    with pytest.raises(KeyError, match="nowhere"):
        corpus.path_of("nowhere/1.wav")


def test_noise_of_the_same_name_in_two_folders_is_in_one_split_alone():
    corpus = Corpus(
        (
            Folder(path="/a", kind="backgrounds", prefix="a"),
            Folder(path="/b", kind="backgrounds", prefix="b"),
        )
    )
    names = {"/a": ["1.wav", "2.wav", "3.wav", "4.wav"], "/b": ["3.flac", "4.flac", "5.flac"]}
    found = layout.understand_corpus(
        corpus, lambda path: of_names(names[path]), TEXTS.__getitem__, PARAMS
    )
    placed = [{p.path[2] for p in parts} for parts in found.backgrounds.values()]
    assert all(placed) and sum(map(len, placed)) == len(set.union(*placed)) == 5


def test_a_speaker_who_would_train_in_one_folder_and_be_tested_in_another_is_tested():
    many = {f"yes/{i:03d}_nohash_0.wav": f"{i:03d}" for i in range(400)}
    alone = split_speakers([(many, {})])
    tested = {speaker for speaker, split in alone.items() if split == "test"}
    # In a folder whose lists are full everybody else trains; the other folder draws all the same.
    full = {"yes/x_nohash_0.wav": "eval", "yes/y_nohash_0.wav": "test"}
    both = split_speakers([(many, {}), (many, full)])
    assert tested and {s for s, split in both.items() if split == "test"} >= tested
    listed = split_speakers([(many, {}), ({"a.wav": min(tested)}, {"a.wav": "train"})])
    assert listed[min(tested)] == "train"


def test_pseudonyms_need_a_secret_and_do_not_show_it(monkeypatch):
    assert pseudonym("anna", "salt of mine") == pseudonym("anna", "salt of mine")
    seen = {pseudonym(s, salt) for s in ("anna", "ben") for salt in ("salt of mine", "another one")}
    assert len(seen) == 4 and all(re.fullmatch("[0-9a-f]{16}", name) for name in seen)
    monkeypatch.delenv("KWS_SALT", raising=False)
    with pytest.raises(KwsError, match="environment variable KWS_SALT is not set"):
        salt_of("KWS_SALT")
    monkeypatch.setenv("KWS_SALT", "short")
    with pytest.raises(KwsError, match="has 5 characters"):
        salt_of("KWS_SALT")
