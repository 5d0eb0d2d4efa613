"""`kws report` of a run as a user has made it."""

import re

SECTIONS = (
    "verdict", "classes", "confusion", "curves", "listen", "slices", "comparison", "training",
    "data", "device", "lineage", "configuration",
)  # fmt: skip


def test_a_run_has_a_page_with_every_section_and_its_sounds(pipeline, first_run):
    made = pipeline.kws("report", str(pipeline.out / "tiny"))
    assert made.returncode == 0, made.stderr
    file = pipeline.out / "tiny" / "report.html"
    assert made.stdout.startswith(str(file))
    text = file.read_text(encoding="utf-8")
    assert re.findall('<section id="([a-z]+)"', text) == list(SECTIONS)
    assert "<strong>Pushed</strong>" in text or "<strong>Not pushed</strong>" in text
    # What the run recorded, from one end to the other.
    for words in ("AudioExampleGen", "MicroPusher", "streaming.miss_rate", "Levels by label"):
        assert words in text
    assert text.count("data:audio/flac") >= 1
    assert file.stat().st_size < 8_000_000


def test_a_run_ends_with_its_report(pipeline, first_run):
    file = pipeline.out / "tiny" / "report.html"
    assert f"Report: {file}" in first_run.stdout
    assert file.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_where_no_run_has_been_there_is_one_line(pipeline, tmp_path):
    made = pipeline.kws("report", str(tmp_path))
    assert made.returncode == 1
    assert "no run has been here" in made.stderr and "Traceback" not in made.stderr
