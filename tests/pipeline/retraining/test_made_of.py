"""The same recordings are the same, touched or moved; other ones, settings or versions are not."""

import os
import shutil

import pytest

import kws
from pipeline.config import load
from pipeline.retraining.input_fingerprint import look
from tests.e2e import spans


@pytest.fixture
def weeks(tmp_path, monkeypatch):
    monkeypatch.setenv("KWS_CACHE", str(tmp_path / "cache"))
    spans.lay(tmp_path / "weeks" / "week-1", 2, 20, seed=1)
    return tmp_path / "weeks"


def made_of(weeks, *settings):
    chosen = ["keywords=[yes, no]", "data.span_folder='week-{SPAN}'", *settings]
    return look(load("quickstart", chosen, weeks))


def test_a_new_span_is_something_new_and_named(weeks):
    first = made_of(weeks)
    assert first.span == 1 and made_of(weeks) == first
    shutil.copytree(weeks / "week-1", weeks / "week-2")
    second = made_of(weeks)
    assert second.span == 2 and second.quick != first.quick
    # One that holds the very clips of the span before is a span more nevertheless.
    assert second.sure != first.sure


def test_touched_and_moved_recordings_are_the_same_to_who_reads_them(weeks, tmp_path):
    before = made_of(weeks)
    quick, sure = before.quick, before.sure
    for path in weeks.rglob("*.wav"):
        os.utime(path)
    touched = made_of(weeks)
    assert touched.quick != quick and touched.sure == sure
    shutil.move(weeks, tmp_path / "elsewhere" / "weeks")
    moved = made_of(tmp_path / "elsewhere" / "weeks")
    assert moved.sure == sure


def test_one_changed_byte_in_a_file_of_the_same_size_and_time_is_seen_when_it_is_read(weeks):
    before = made_of(weeks).sure
    path = next(weeks.rglob("*.wav"))
    state = path.stat()
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert made_of(weeks).sure != before


def test_a_clip_under_another_word_is_something_new(weeks):
    before = made_of(weeks).sure
    path = next((weeks / "week-1" / "yes").iterdir())
    path.rename(weeks / "week-1" / "no" / f"again-{path.name}")
    assert made_of(weeks).sure != before


def test_settings_and_the_product_s_version_count_where_they_change_the_model(weeks, monkeypatch):
    before = made_of(weeks).sure
    for same in ("beam_pipeline_args=[]", "retraining.settle_seconds=5"):
        assert made_of(weeks, same).sure == before
    for other in ("training.epochs=3", "evaluation.min_accuracy=0.1", "retraining.epochs_share=1"):
        assert made_of(weeks, other).sure != before
    monkeypatch.setattr(kws, "__version__", "99")
    assert made_of(weeks).sure != before


def test_a_folder_without_spans_grows_itself(weeks):
    def plain():
        return look(load("quickstart", ["keywords=[yes, no]"], weeks / "week-1"))

    before = plain().sure
    assert plain().span is None
    spans.lay(weeks / "week-1", 1, 20, seed=5)
    assert plain().sure != before
