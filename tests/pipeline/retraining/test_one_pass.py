"""A pass that has nothing to train: what it says, and that it leaves everything as it was. Passes
that train are in tests/e2e/test_retrain.py."""

import fcntl
import io
import os
import subprocess
import sys

import pytest
from rich.console import Console

from pipeline.cli import main
from pipeline.retraining import record
from pipeline.retraining.input_fingerprint import look
from pipeline.retraining.one_pass import LOCK_FILE, Request, one_pass
from pipeline.retraining.record import RECORD_FILE, Begun, Judged, Record
from tests.e2e import spans


class Runs:
    """Recordings, and a run's folder with a record."""

    def __init__(self, folder):
        self.weeks = folder / "weeks [all]"  # no markup, whatever it looks like
        self.request = Request(
            preset="quickstart",
            set_=("keywords=[yes, no]", "data.span_folder='week-{SPAN}'",
                  "retraining.settle_seconds=0"),
            data=self.weeks,
            out=folder / "runs",
        )  # fmt: skip
        self.run = folder / "runs" / "quickstart"

    def found(self):
        return look(self.request.load())

    def note(self, **changed):
        found = self.found()
        values = {
            "quick": found.quick, "sure": found.sure, "span": found.span, "verdict": "refused",
            "at": "2026-01-31T03:12:45Z", **changed,
        }  # fmt: skip
        record.write(self.run, Record().with_judged(Judged(**values)))

    def says(self, **changed):
        console = Console(file=io.StringIO(), width=80)
        request = self.request
        if changed:
            request = Request(**{**vars(request), **changed})
        assert one_pass(request, console) is None
        return console.file.getvalue()


@pytest.fixture
def runs(tmp_path, monkeypatch):
    monkeypatch.setenv("KWS_CACHE", str(tmp_path / "cache"))
    made = Runs(tmp_path)
    spans.lay(made.weeks / "week-7", 2, 20, seed=1)
    return made


def test_nothing_new_is_one_line_and_the_record_stays_as_it_is(runs):
    runs.note()
    before = (runs.run / RECORD_FILE).stat()
    assert runs.says() == "nothing new: span 7 was judged on 2026-01-31 03:12 UTC (refused)\n"
    after = (runs.run / RECORD_FILE).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert {path.name for path in runs.run.iterdir()} == {RECORD_FILE}


def test_touched_recordings_are_read_and_found_to_be_the_same(runs):
    runs.note()
    for path in runs.weeks.rglob("*.wav"):
        os.utime(path, (1, 1))
    assert runs.says().startswith("nothing new: span 7 ")


def test_a_span_that_was_taken_away_again_leaves_what_was_judged_before(runs):
    runs.note(verdict="pushed", pushed_to="/runs/bundles/17")
    extra = runs.weeks / "week-8"
    spans.lay(extra, 1, 20, seed=2)
    known = record.read(runs.run)
    eighth = runs.found()
    other = Judged(
        quick=eighth.quick, sure=eighth.sure, span=8, verdict="refused", at="2026-02-07T03:12:45Z"
    )
    record.write(runs.run, known.with_judged(other))
    assert "span 8 was judged on 2026-02-07 03:12 UTC (refused)" in runs.says()
    extra.rename(runs.weeks / "wrong-8")
    assert "span 7 was judged on 2026-01-31 03:12 UTC (pushed as 17)" in runs.says()


def test_an_incomplete_span_is_told_by_its_whole_path_and_nothing_is_recorded(runs):
    settings = (*runs.request.set_, "retraining.complete_file=_SUCCESS")
    said = runs.says(set_=settings)
    assert said == f"not yet: {runs.weeks.resolve()}/week-7 has no _SUCCESS\n"
    assert not (runs.run / RECORD_FILE).exists()


def test_a_look_needs_neither_tfx_nor_tensorflow(runs):
    program = (
        "import sys, pipeline.cli, pipeline.retraining.one_pass\n"
        "import pipeline.runners.terminal_progress\n"
        "print([m for m in ('tensorflow', 'tfx', 'apache_beam') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_a_pass_at_work_ends_the_second_one_with_75(runs, capsys):
    given = [word for setting in runs.request.set_ for word in ("--set", setting)]
    given += ["--data", str(runs.weeks), "--out", str(runs.request.out)]
    runs.run.mkdir(parents=True, exist_ok=True)
    with (runs.run / LOCK_FILE).open("w") as held, pytest.raises(SystemExit) as stop:
        fcntl.flock(held, fcntl.LOCK_EX)  # as another process would
        main(["retrain", "quickstart", *given])
    assert stop.value.code == 75
    assert "a retraining of quickstart is in progress in" in capsys.readouterr().err


def test_what_began_and_came_to_no_verdict_is_still_to_do(runs):
    runs.note()
    known = record.read(runs.run)
    found = runs.found()
    begun = Begun(quick=found.quick, sure=found.sure, overrides=(), since="now", anew=True)
    record.write(runs.run, known.with_begun(begun))
    again = record.read(runs.run)
    assert again.find(found.quick) is None and again.find(found.sure) is None
