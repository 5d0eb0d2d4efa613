"""What a folder holds, whoever asks: links, litter, pipes and names that are not text."""

import os
from pathlib import Path

import pytest

from kws.corpus import archive
from kws.corpus.listing import (
    MAX_VISITS,
    RECORDING_SUFFIXES,
    escape,
    find_recordings,
    list_files,
    of_names,
    read_text,
)
from kws.errors import KwsError


def fill(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"?")
    return root


def test_hidden_files_and_what_systems_leave_behind_are_not_there_and_are_counted(tmp_path):
    litter = (
        *("._rec.wav", ".hidden.wav", ".Trashes/old.wav", "__MACOSX/yes/._a.wav", "yes/.DS_Store"),
        *("Thumbs.db", "yes/desktop.ini", "yes/@eaDir/a.wav", "$RECYCLE.BIN/a.wav", "yes/Icon\r"),
    )
    found = list_files(fill(tmp_path, "yes/b.wav", "yes/a.wav", *litter))
    assert found.files == ["yes/a.wav", "yes/b.wav"]
    assert (found.left_out, found.hidden) == ({}, len(litter))
    assert of_names(["yes/b.wav", "yes/a.wav", *litter]) == found


def test_files_are_in_one_order_whatever_the_file_system_says(tmp_path):
    names = [f"{folder}/{file}.wav" for folder in "zay" for file in ("10", "9", "a")]
    assert list_files(fill(tmp_path, *names)).files == sorted(names)


def test_links_to_files_and_folders_are_followed_also_where_two_lead_to_one(tmp_path):
    fill(tmp_path, "store/1.wav", "words/no/2.wav")
    words = tmp_path / "words"
    (words / "yes").symlink_to(tmp_path / "store")
    (words / "also").symlink_to("yes")
    (words / "no" / "3.wav").symlink_to(tmp_path / "store" / "1.wav")
    found = list_files(words)
    assert found.files == ["also/1.wav", "no/2.wav", "no/3.wav", "yes/1.wav"]
    assert found.left_out == {}


def test_a_link_that_leads_back_is_refused_by_name_and_the_rest_is_listed(tmp_path):
    fill(tmp_path, "words/yes/1.wav", "other/2.wav")
    words = tmp_path / "words"
    (words / "yes" / "up").symlink_to(words)
    (words / "itself").symlink_to(".")
    (words / "above").symlink_to(tmp_path)
    (words / "away").symlink_to(tmp_path / "other")
    (tmp_path / "other" / "back").symlink_to(words / "yes")
    found = list_files(words)
    assert found.files == ["away/2.wav", "away/back/1.wav", "yes/1.wav"]
    assert {name: why.reason for name, why in found.left_out.items()} == dict.fromkeys(
        ("above/", "away/back/up/", "itself/", "yes/up/"), "link_cycle"
    )
    (words / "x").symlink_to("y")  # a link that no system can follow is a file that cannot be read
    (words / "y").symlink_to("x")
    assert "x" in list_files(words).files


def test_links_that_multiply_come_to_an_end(tmp_path):
    for level in range(30):  # 2 ** 30 ways to the last
        folder = tmp_path / str(level)
        folder.mkdir()
        for name in "ab":
            (folder / name).symlink_to(tmp_path / str(level + 1))
    fill(tmp_path, "30/1.wav")
    found = list_files(tmp_path / "0")
    assert 1 <= len(found.files) <= 2 * MAX_VISITS
    assert any("links to" in why.detail for why in found.left_out.values())


def test_pipes_and_devices_are_left_out_by_name_and_broken_links_are_not(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "to_pipe.wav").symlink_to("pipe.wav")
    (tmp_path / "null.wav").symlink_to(os.devnull)
    (tmp_path / "broken.wav").symlink_to("nothing")
    found = list_files(tmp_path)
    assert found.files == ["broken.wav"]
    assert {name: why.reason for name, why in found.left_out.items()} == dict.fromkeys(
        ("null.wav", "pipe.wav", "to_pipe.wav"), "not_a_file"
    )


def test_a_name_that_is_not_utf8_is_left_out_and_escaped_so_that_it_can_be_written(tmp_path):
    fill(tmp_path, "yes/a.wav", "öffnen/ü.wav")
    for name in (b"yes/caf\xe9.wav", b"gr\xfcn"):
        path = os.fsencode(tmp_path) + b"/" + name
        Path(os.fsdecode(path)).write_bytes(b"?") if name.endswith(b"wav") else os.mkdir(path)
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/gr\xfcn/1.wav")).touch()
    found = list_files(tmp_path)
    assert found.files == ["yes/a.wav", "öffnen/ü.wav"]
    assert {name: why.reason for name, why in found.left_out.items()} == {
        "gr\\xfcn": "name_not_utf8",
        "yes/caf\\xe9.wav": "name_not_utf8",
    }
    "\n".join(found.left_out).encode("utf-8")
    assert escape("\ud800") == "\\ud800"
    with pytest.raises(KwsError, match=r"caf\\xe9\.wav: the name is not UTF-8"):
        find_recordings(Path(os.fsdecode(os.fsencode(tmp_path) + b"/yes/caf\xe9.wav")))


def test_a_folder_that_cannot_be_read_is_named_and_the_rest_is_listed(tmp_path, monkeypatch):
    fill(tmp_path, "locked/1.wav", "open/2.wav")
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = list_files(tmp_path)
    assert found.files == ["open/2.wav"]
    assert str(found.left_out["locked/"]) == "io_error: Permission denied"
    with pytest.raises(KwsError, match=r"locked cannot be listed: Permission denied"):
        list_files(tmp_path / "locked")


def test_recordings_of_all_kinds_are_listed_companions_are_silent_and_others_named(tmp_path):
    recordings = sorted(f"{suffix[1:]}{suffix.upper()}" for suffix in RECORDING_SUFFIXES)
    fill(tmp_path, *recordings, "README", "list.txt", "notes.doc", "no_suffix")
    found = find_recordings(tmp_path)
    assert [path.name for path in found.paths] == recordings
    assert {"m4a.M4A", "aac.AAC", "webm.WEBM", "amr.AMR", "wma.WMA"} <= set(recordings)
    assert {name: str(why) for name, why in found.left_out.items()} == {
        "no_suffix": "not_audio_name: suffix missing",
        "notes.doc": "not_audio_name: suffix .doc",
    }
    assert find_recordings(tmp_path / "notes.doc").paths == [tmp_path / "notes.doc"]


def test_a_folder_without_recordings_says_what_was_left_out(tmp_path):
    with pytest.raises(KwsError, match=r"nowhere does not exist"):
        find_recordings(tmp_path / "nowhere")
    with pytest.raises(KwsError, match=r"holds no recording; left out: 1, a\.xyz \(not_audio_name"):
        find_recordings(fill(tmp_path, "a.xyz", ".b.wav"))


def test_a_list_that_is_not_utf8_is_named_with_the_byte(tmp_path):
    (tmp_path / "list.txt").write_bytes("öffnen/1.wav".encode("latin-1"))
    with pytest.raises(KwsError, match=r"list\.txt is not UTF-8 text: .* at byte 0"):
        read_text(tmp_path / "list.txt")


def test_the_litter_of_an_archive_does_not_hide_its_one_folder(tmp_path):
    fill(tmp_path, "words/yes/1.wav", "words/no/1.wav", "Thumbs.db", "__MACOSX/._words")
    assert archive.corpus_folder(tmp_path) == tmp_path / "words"
