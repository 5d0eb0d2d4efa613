"""Versions of a destination: what is served changes only to something whole, and in one step."""

import dataclasses
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kws.bundle import publishing, versions
from kws.bundle.contents import BundleContents
from kws.bundle.destinations import bundle_folder
from kws.errors import KwsError
from pipeline.cli.bundle import app


@pytest.fixture
def destination(contents: BundleContents, tmp_path: Path) -> Path:
    for version in ("9", "10", "11"):
        publishing.push(dataclasses.replace(contents, version=version), tmp_path)
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


ODD_LATEST = [
    "/etc", "..", "../../x", "latest", "", "11\n10\n", "²", b"\xff\xfe1\x001\x00", "1" * 10**6,
]  # fmt: skip


@pytest.mark.parametrize("content", ODD_LATEST, ids=lambda content: repr(content[:8]))
def test_what_latest_must_not_hold_is_never_followed(destination: Path, content) -> None:
    latest = destination / "LATEST"
    latest.write_bytes(content if isinstance(content, bytes) else content.encode())
    for read in (versions.served, versions.rollback, bundle_folder):
        with pytest.raises(KwsError, match=r"LATEST holds .* not the name of a version") as refused:
            read(destination)
        assert len(str(refused.value)) < 400
    assert "LATEST holds" in (versions.broken(destination)["LATEST"] or "")
    assert not any(version.served for version in versions.list_versions(destination))
    versions.promote(destination, "10")
    assert versions.served(destination) == "10" and bundle_folder(destination).name == "10"


def test_a_latest_that_is_a_folder_or_names_what_is_not_there_is_said(destination: Path) -> None:
    (destination / "LATEST").write_text("12\n")
    assert "names '12', which is not there" in (versions.broken(destination)["LATEST"] or "")
    (destination / "LATEST").unlink()
    (destination / "LATEST").mkdir()
    with pytest.raises(KwsError, match="LATEST cannot be read: Is a directory"):
        versions.served(destination)


@pytest.mark.parametrize(
    ("add", "message"),
    [
        (lambda folder: (folder / "extra").symlink_to("/nowhere"), "extra is a link"),
        (lambda folder: (folder / "extra").symlink_to("model.tflite"), "extra is a link"),
        (lambda folder: (folder / "extra").mkdir(), "extra is an empty folder"),
        (lambda folder: os.mkfifo(folder / "extra"), "extra is not a file"),
        (lambda folder: (folder / "extra").touch(), "extra is not listed"),
        (lambda folder: (folder / "SHA256SUMS").write_text("what\n"), "line 1 is not a checksum"),
        (lambda folder: (folder / "SHA256SUMS").write_bytes(b"\xff"), "line 1 is not a checksum"),
        (
            lambda folder: (folder / "SHA256SUMS").write_text(
                (folder / "SHA256SUMS").read_text() * 2
            ),
            "names 'arena.h' again",
        ),
    ],
)
def test_whatever_was_not_pushed_with_a_bundle_breaks_it(destination: Path, add, message) -> None:
    add(destination / "10")
    found = versions.broken(destination)
    assert message in (found["10"] or "") and found["9"] is found["11"] is None


def test_a_version_that_is_a_link_to_nowhere_is_broken_and_not_overlooked(destination) -> None:
    (destination / "12").symlink_to("/nowhere")
    assert "it is no bundle" in (versions.broken(destination)["12"] or "")
    with pytest.raises(KwsError):
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
