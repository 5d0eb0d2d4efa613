"""The report at the end of a run: written whole, and never the run's undoing."""

import pytest
from rich.console import Console

from kws.errors import KwsError
from pipeline import report


@pytest.fixture
def console():
    return Console(record=True, width=200)


def _render(monkeypatch, text):
    monkeypatch.setattr(report, "gather", lambda metadata: None)
    monkeypatch.setattr(report, "render_report", text)


def test_the_report_lies_beside_the_metadata_and_is_named(console, tmp_path, monkeypatch):
    _render(monkeypatch, lambda data: "<p>whole</p>")
    report.write_after_run(console, tmp_path / "metadata.json")
    assert (tmp_path / "report.html").read_text() == "<p>whole</p>"
    assert f"Report: {tmp_path / 'report.html'}" in console.export_text()
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


@pytest.mark.parametrize(
    ("error", "said"),
    [(KwsError("the streams are gone"), "the streams are gone"), (KeyError("det"), "KeyError")],
)
def test_what_goes_wrong_is_one_line_and_the_last_report_stays(
    console, tmp_path, monkeypatch, error, said
):
    def fails(data):
        raise error

    (tmp_path / "report.html").write_text("last week's")
    _render(monkeypatch, fails)
    report.write_after_run(console, tmp_path / "metadata.sqlite")
    text = console.export_text()
    assert text.startswith("No report: ") and said in text and text.count("\n") == 1
    assert (tmp_path / "report.html").read_text() == "last week's"
