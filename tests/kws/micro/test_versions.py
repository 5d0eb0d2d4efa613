"""Versions of a destination: what is served changes only to something whole, and in one step."""

import dataclasses
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kws.cli.bundle import app
from kws.errors import KwsError
from kws.micro import bundle, versions
from kws.micro.contents import BundleContents


@pytest.fixture
def destination(contents: BundleContents, tmp_path: Path) -> Path:
    for version in ("9", "10", "11"):
        bundle.push(dataclasses.replace(contents, version=version), tmp_path)
    return tmp_path


def test_versions_are_listed_in_order_with_the_served_one_marked(destination: Path) -> None:
    (destination / ".tmp-12-left-over").mkdir()
    found = versions.list_versions(destination)
    assert [(version.name, version.served) for version in found] == [
        ("9", False),
        ("10", False),
        ("11", True),
    ]
    assert found[0].model_bytes == (destination / "9" / "model.tflite").stat().st_size


def test_rolling_back_serves_the_version_before_until_there_is_none(destination: Path) -> None:
    assert versions.rollback(destination) == "10"
    assert versions.rollback(destination) == "9"
    with pytest.raises(KwsError, match="no version before 9"):
        versions.rollback(destination)
    versions.promote(destination, "11")
    assert versions.served(destination) == "11"


def test_a_broken_or_unknown_version_is_never_served(destination: Path) -> None:
    (destination / "10" / "labels.txt").write_text("yes\n")
    with pytest.raises(KwsError, match=r"labels.txt is not the file that was pushed"):
        versions.rollback(destination)
    with pytest.raises(KwsError, match="has no version '12'"):
        versions.promote(destination, "12")
    assert versions.served(destination) == "11"


def test_the_commands_tell_what_they_did(destination: Path) -> None:
    runner = CliRunner()
    assert (
        "serves 10 again, no longer 11" in runner.invoke(app, ["rollback", str(destination)]).output
    )
    assert runner.invoke(app, ["list", str(destination)]).output.count("*") == 1
    assert runner.invoke(app, ["verify", str(destination)]).output.count(": whole") == 3
    (destination / "9" / "model.tflite").unlink()
    result = runner.invoke(app, ["verify", str(destination)])
    assert "model.tflite is missing" in result.output and result.exit_code == 1
