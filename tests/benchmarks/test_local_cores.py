"""The benchmark of local cores, end to end on something tiny: two worker processes write the same
files as this process alone."""

from pathlib import Path

import pytest

from benchmarks import local_cores
from benchmarks.scale import write_clips

TINY = (
    *("keywords=[yes,no]", "ingest.validation_list=eval", "streams.minutes=0.2"),
    *("ingest.rare_word_clips=0", "ingest.unknown_percentage=0"),
)


@pytest.mark.parametrize(
    "only",
    [
        ["AudioSynthesizer"],
        pytest.param(local_cores.COMPONENTS, marks=pytest.mark.nightly),
    ],
)
def test_two_worker_processes_write_the_files_of_one(only, tmp_path, capsys):
    write_clips(tmp_path / "words", 160)
    local_cores.main([str(tmp_path / "words"), "--clips=150", "--only", *only, "--set", *TINY])
    printed = capsys.readouterr().out
    assert printed.endswith("all wrote the same files, byte for byte\n")
    assert printed.count("would have 1 worker(s)") == 6


def test_files_that_differ_or_are_missing_are_named(tmp_path: Path):
    for name, content in (("one/same", "a"), ("one/other", "b"), ("one/gone", "c"),
                          ("two/same", "a"), ("two/other", "B"), ("two/more", "d")):  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    found = local_cores.differences(tmp_path / "one", tmp_path / "two")
    assert found == ["gone", "more", "other"]


def test_workers_that_wrote_something_else_end_it_with_an_error(tmp_path, monkeypatch):
    def write(root: Path, _words: Path, workers: int, *_rest: object) -> dict:
        root.mkdir()
        (root / "file").write_text(str(workers))
        return {"C": local_cores.Took(1.0, 1.0, 1.0, 1)}

    monkeypatch.setattr(local_cores, "run", write)
    with pytest.raises(SystemExit, match="2 workers wrote other files: file"):
        local_cores.measure(tmp_path, tmp_path, [1, 2], local_cores.Chosen())
