"""What was judged is known again; what only began, or failed, is not."""

import os

import pytest

from kws.errors import KwsError
from pipeline.retraining import record
from pipeline.retraining.record import RECORD_FILE, Begun, Judged, Record


def judged(of="a", span=7, verdict="refused", **more):
    return Judged(
        quick=f"{of}-quick", sure=of, span=span, verdict=verdict, at="2026-01-31T03:12:45Z", **more
    )


def begun(of="a"):
    return Begun(quick=f"{of}-quick", sure=of, overrides=("training.epochs=4",), since="now")


def test_where_nothing_was_judged_nothing_is_known(tmp_path):
    assert record.read(tmp_path) == Record()
    assert record.read(tmp_path).find("a") is None
    assert list(tmp_path.iterdir()) == []


def test_a_verdict_is_found_by_either_fingerprint_pushed_or_refused(tmp_path):
    pushed = judged("b", verdict="pushed", pushed_to="/runs/bundles/20260131031245")
    record.write(tmp_path, Record().with_judged(judged()).with_judged(pushed))
    known = record.read(tmp_path)
    assert known.find("a") == known.find("a-quick") == judged()
    assert known.find("b").sentence() == (
        "span 7 was judged on 2026-01-31 03:12 UTC (pushed as 20260131031245)"
    )
    assert known.find("c") is None
    assert [path.name for path in tmp_path.iterdir()] == [RECORD_FILE]


def test_a_pass_that_began_and_crashed_has_no_verdict_and_keeps_its_settings(tmp_path):
    record.write(tmp_path, Record().with_begun(begun()))
    known = record.read(tmp_path)
    assert known.find("a") is None and known.begun.overrides == ("training.epochs=4",)
    over = known.with_judged(judged())
    assert over.begun is None and over.find("a") is not None


def test_what_was_judged_and_then_forced_to_begin_anew_has_to_come_to_its_end():
    known = Record().with_judged(judged()).with_begun(begun())
    assert known.find("a") is None and known.find("a-quick") is None
    assert known.with_begun(begun("b")).find("a") == judged()


def test_a_verdict_of_another_version_is_known_as_such():
    assert not Record().is_other_code("0.2")
    known = Record().with_judged(judged(code="0.1"))
    assert known.is_other_code("0.2") and not known.is_other_code("0.1")


def test_a_broken_file_is_named_with_what_to_do(tmp_path):
    (tmp_path / RECORD_FILE).write_text('{"judged": 3}')
    with pytest.raises(KwsError, match=r"retraining\.json is no record .*move it away"):
        record.read(tmp_path)


def test_a_crash_while_writing_leaves_the_old_record(tmp_path, monkeypatch):
    record.write(tmp_path, Record().with_judged(judged()))

    def crash(descriptor):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(OSError, match="no space"):
        record.write(tmp_path, Record())
    assert record.read(tmp_path).find("a") == judged()
