"""A manifest says what is said where; a wrong row is named by its line and costs nothing else."""

import json

import pytest

from kws.corpus.contents import Contents
from kws.corpus.fragment import Fragment, parse, to_name
from kws.corpus.manifest import read_manifest
from kws.errors import KwsError

CSV = """\
path,label,speaker,start_ms,end_ms,split,age
talk.wav,yes,anna,1200,2050.5,,33
talk.wav,no,ben,3000,,,
clips/a_nohash_0.flac,_unknown_,,,,,
clips/b.flac,yes,,,,test,
"""


def rows(found: Contents) -> dict[str, tuple[str, str]]:
    return {name: tuple(spoken) for name, spoken in found.words.items()}


def test_words_of_a_long_recording_and_clips_of_their_own():
    found = read_manifest(CSV, "list.csv")
    assert rows(found) == {
        "talk.wav#t=1.2,2.0505": ("yes", "anna"),
        "talk.wav#t=3,": ("no", "ben"),
        "clips/a_nohash_0.flac": ("_unknown_", "a"),
        "clips/b.flac": ("yes", "clips/b"),
    }
    assert found.listed == {"clips/b.flac": "test"}
    assert not found.misplaced


def test_jsonl_tsv_and_a_byte_order_mark_say_the_same():
    header, *lines = [line.split(",") for line in CSV.splitlines()]
    jsonl = "\n".join(
        json.dumps({k: v for k, v in zip(header, line, strict=True) if v}) for line in lines
    )
    expected = read_manifest(CSV, "list.csv")
    assert read_manifest(jsonl, "list.jsonl") == expected
    assert read_manifest("\ufeff" + CSV.replace(",", "\t"), "list.tsv") == expected
    numbers = '{"path": "talk.wav", "label": "yes", "start_ms": 1200, "end_ms": 2050.5}'
    assert [*read_manifest(numbers, "list.jsonl").words] == ["talk.wav#t=1.2,2.0505"]


@pytest.mark.parametrize(
    ("row", "reason", "detail"),
    [
        ("../secret.wav,yes,,,,", "path_escapes", "../secret.wav is not below"),
        ("/etc/passwd,yes,,,,", "path_escapes", "/etc/passwd is not below"),
        ("a\\..\\..\\b.wav,yes,,,,", "path_escapes", "not below"),
        ("C:/b.wav,yes,,,,", "path_escapes", "not below"),
        ("http://x.org/b.wav,yes,,,,", "path_escapes", "not below"),
        (",yes,,,,", "manifest_row", "path is missing"),
        ("b.wav,,,,,", "manifest_row", "label is missing"),
        ("b.wav,_noise_,,,,", "manifest_row", "label '_noise_' is no word"),
        ("b.wav,yes,,2000,1000,", "manifest_row", "end_ms=1000 is not after start_ms=2000"),
        ("b.wav,yes,,-5,,", "manifest_row", "start_ms=-5 is not a time"),
        ("b.wav,yes,,nan,,", "manifest_row", "start_ms=nan is not a time"),
        ("b.wav,yes,,1:30,,", "manifest_row", "start_ms='1:30' is no number of milliseconds"),
        ("b.wav,yes,,,,dev", "manifest_row", "split 'dev' is none of train, eval, test"),
        ("b.wav,yes,,,,,x,y", "manifest_row", "2 values more than the header names"),
        ("good.wav,no,,,,", "manifest_row", "the same part of good.wav as line 2"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_by_its_line(row, reason, detail):
    text = f"path,label,speaker,start_ms,end_ms,split\ngood.wav,yes,,,,\n{row}\n"
    found = read_manifest(text, "list.csv")
    assert [*found.words] == ["good.wav"]
    ((place, why),) = found.misplaced.items()
    assert place == "list.csv:3" and why[0] == reason and detail in why[1]


def test_lines_that_are_no_json_are_named():
    text = '{"path": "a.wav", "label": "yes"}\n\n{oops\n["b.wav"]\n'
    found = read_manifest(text, "list.jsonl")
    assert [*found.words] == ["a.wav"]
    assert [*found.misplaced] == ["list.jsonl:3", "list.jsonl:4"]


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ("file,label", r"list\.csv has no column path: its first line is file, label"),
        ("path,label,start", "column 'start' would be passed over"),
        ("path,label,end_s", "column 'end_s' would be passed over"),
        ("", "its first line is empty"),
    ],
)
def test_a_header_that_would_be_misunderstood_is_refused(header, sentence):
    with pytest.raises(KwsError, match=sentence):
        read_manifest(f"{header}\nx,y,z\n", "list.csv")


@pytest.mark.parametrize(
    "part",
    [
        Fragment("a/b.wav"),
        Fragment("a/b.wav", 0.0, 950.0),
        Fragment("a/b.wav", 1234.5),
        Fragment("a#t=1,2.wav", 3_600_000.0, 3_601_000.25),
    ],
)
def test_a_part_of_a_recording_has_a_name_that_means_it(part):
    assert parse(to_name(part)) == part


@pytest.mark.parametrize(
    "text",
    ["path,label\n" + "x" * 200_000 + ",y\n", "x" * 200_000, 'path,label\n"' + "x\n" * 90_000],
)
def test_a_cell_without_an_end_is_named(text):
    with pytest.raises(KwsError, match=r"list\.csv, line \d+: field larger than field limit"):
        read_manifest(text, "list.csv")


def test_brackets_within_brackets_cost_a_row_and_not_the_run():
    found = read_manifest("[" * 200_000 + "\n", "list.jsonl")
    assert found.misplaced["list.jsonl:1"][0] == "manifest_row"


@pytest.mark.parametrize("time", ["nan", "inf", "1e999", "-inf"])
def test_a_time_that_is_none_is_named(time):
    found = read_manifest(f"path,label,start_ms,end_ms\na.wav,yes,{time},9\n", "list.csv")
    assert found.misplaced["list.csv:2"][0] == "manifest_row"


def test_labels_and_speakers_are_in_nfc_and_what_is_not_text_is_a_bad_row():
    text = "path,label,speaker\na.wav,o\u0308ffnen,ju\u0308\n"
    assert read_manifest(text, "m.csv").words == {"a.wav": ("\u00f6ffnen", "j\u00fc")}
    bad = read_manifest('{"path": "\\ud800.wav", "label": "yes"}\n', "m.jsonl")
    assert bad.words == {} and bad.misplaced["m.jsonl:1"][0] == "manifest_row"
    bad.misplaced["m.jsonl:1"][1].encode()
