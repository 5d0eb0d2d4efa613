"""Labels of a recording, in the formats that people have."""

import json
from pathlib import Path

import pytest

from kws.errors import KwsError
from kws.scenes.ground_truth import GroundTruth, Span, Word
from kws.scenes.label_files import audacity_labels, read_labels, tutorial_labels, tutorial_time_ms

LABELS = ("_silence_", "_unknown_", "yes", "no")


def _word(label: str, start_ms: int, end_ms: int, word: str = "") -> Word:
    return Word(label=label, word=word or label, start_ms=start_ms, end_ms=end_ms,
                speaker="s", source="x", clip_id="c")  # fmt: skip


TRUTH = GroundTruth(
    stream_id="one",
    kind="words",
    duration_ms=60_000,
    sample_rate=16000,
    words=(
        _word("yes", 2000, 2600),
        _word("_unknown_", 5000, 5400, "bed"),
        _word("no", 9000, 9500),
    ),
    negatives=(Span(start_ms=20_000, end_ms=30_000),),
)


def _read(path: Path, text: str) -> list[tuple[str, int, int]]:
    path.write_text(text)
    truth = read_labels(path, LABELS, 60_000, 16000, 1000)
    assert truth.duration_ms == 60_000
    return [(word.label, word.start_ms, word.end_ms) for word in truth.words]


EXACT = [("yes", 2000, 2600), ("_unknown_", 5000, 5400), ("no", 9000, 9500)]


def test_every_format_that_synth_writes_is_read(tmp_path: Path) -> None:
    assert _read(tmp_path / "a.json", TRUTH.to_json()) == EXACT
    assert _read(tmp_path / "b.txt", audacity_labels(TRUTH)) == EXACT
    clips = _read(tmp_path / "c.txt", tutorial_labels(TRUTH, 1000))
    assert clips == [("yes", 1800, 2800), ("_unknown_", 4700, 5700), ("no", 8750, 9750)]
    assert [tutorial_time_ms(word, 1000) for word in TRUTH.words] == [1800, 4700, 8750]


def test_csv_with_bounds_a_header_and_any_order_is_read(tmp_path: Path) -> None:
    text = "label,start_ms,end_ms\n\nno, 9000, 9500\nyes,2000,2600\nhouse,5000,5400\n"
    assert _read(tmp_path / "a.csv", text) == EXACT


def test_lines_of_audacity_s_spectral_selections_are_passed_over(tmp_path: Path) -> None:
    text = "2.0\t2.6\tyes\n\\\t1200.5\t3400.0\n9.0\t9.5\tno\n\\\t-1.0\t-1.0\n"
    assert _read(tmp_path / "a.txt", text) == [("yes", 2000, 2600), ("no", 9000, 9500)]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("end_ms", 1000, "'yes' at 2 s ends before it starts, at 1 s"),
        ("start_ms", -1, "'yes' at -0.001 s is outside"),
        ("start_ms", float("inf"), "words.0.start_ms: "),
    ],
)
def test_ground_truth_that_cannot_be_is_named(tmp_path, key, value, message) -> None:
    truth = json.loads(TRUTH.to_json())
    truth["words"][0][key] = value
    with pytest.raises(KwsError, match=message) as refused:
        _read(tmp_path / "a.json", json.dumps(truth))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("yes, 2000\nno at 3\n", r"labels.txt:2: 'no at 3' is no label .*Audacity"),
        ("yes, 61000\n", "'yes' at 61 s is outside the recording of 60 s"),
        ("yes, 2000, 1000\n", "labels.txt:1: 'yes' ends before it starts"),
        ('{"words": 3}', "is no ground truth of a stream"),
        ("yes, nan\n", "labels.txt:1: 'yes, nan': 'nan' is not a time"),
        ("label,start_ms\nyes, inf\n", "labels.txt:2: 'yes, inf': 'inf' is not a time"),
        ("yes, 2000, -Infinity\n", "'-Infinity' is not a time"),
        ("2.0\tnan\tyes\n", "'nan' is not a time"),
        ("yes, 1_000\n", "'yes, 1_000' is no label"),
        ("yes, 1e300\n", "'yes, 1e300' is no label"),
        ("yes, -5\n", "'yes' at -0.005 s is outside the recording"),
        ("-1.5\t2.0\tyes\n", "'yes' at -1.5 s is outside the recording"),
        ("2.6\t2.0\tyes\n", "labels.txt:1: .* ends before it starts"),
        ("yes, 2000, 99000\n", "'yes' at 99 s is outside the recording"),
        ("2.0\t2.6\t\n", "has no label"),
    ],
)
def test_what_is_no_label_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(KwsError, match=message):
        _read(tmp_path / "labels.txt", text)
