"""Notes on files that were used: all are counted, and the first are named."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from kws.audio.container import Note
from kws.corpus import quarantine
from kws.corpus.quarantine import NoteTally
from pipeline.runs import corpus_figures
from pipeline.runs.summary import print_data_notes


def tally(files: list[tuple[str, str]]) -> NoteTally:
    found = NoteTally()
    for path, note in files:
        found.add(path, [Note(note, "why")])
    return found


def test_the_sum_of_parts_is_that_of_the_whole_and_the_first_by_name_are_named(monkeypatch):
    monkeypatch.setattr(quarantine, "NAMED", 3)
    files = [(f"{number:02d}.wav", "one_channel") for number in range(9)]
    files.append(("z.wav", "repaired_header"))
    whole, parts = tally(files), NoteTally()
    for start in (6, 0, 3, 9):
        parts.merge(tally(files[start : start + 3][::-1]))
    assert parts == whole and whole.counts == {"one_channel": 9, "repaired_header": 1}
    lines = [json.loads(line) for line in whole.to_jsonl().splitlines()]
    assert [line["path"] for line in lines] == ["00.wav", "01.wav", "02.wav", "z.wav"]
    assert lines[-1] == {"path": "z.wav", "note": "repaired_header", "detail": "why"}


@pytest.fixture
def run(tmp_path: Path) -> SimpleNamespace:
    """A run whose ingestion noted four files and put none into quarantine."""
    noted = tally([(f"yes/[{i}].wav", "repaired_header") for i in range(4)])
    (tmp_path / "notes.jsonl").write_text(noted.to_jsonl())
    properties = {"notes": json.dumps(noted.counts), "quarantined": 0}
    step = SimpleNamespace(
        folder=lambda key: tmp_path,
        custom_property=lambda key, name: properties.get(name),
        outputs={},
        name="AudioExampleGen",
    )
    return SimpleNamespace(step=lambda name: step, steps=[], properties=properties)


def test_the_notes_of_a_run_are_said_with_some_names(run, tmp_path):
    said = corpus_figures.note_sentences(run)
    assert said == [
        "Read with a note: 4 files, repaired_header (yes/[0].wav, yes/[1].wav, yes/[2].wav, …), "
        f"see {tmp_path / 'notes.jsonl'}"
    ]
    console = Console(record=True, width=400)
    print_data_notes(console, run)
    assert said[0] in console.export_text()


def test_an_older_run_noted_nothing(run):
    run.properties.clear()
    assert corpus_figures.notes(run) == {} and corpus_figures.note_sentences(run) == []
