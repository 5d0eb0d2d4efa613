"""An archive is unpacked whole and inside its folder, or not at all."""

import gzip
import io
import random
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest

from kws.corpus.archive import member_name, unpack
from kws.errors import KwsError


def tar(path: Path, members: list[tarfile.TarInfo | tuple[str, bytes]]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                archive.addfile(info, io.BytesIO(member[1]))
    return path


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def test_both_kinds_give_the_folder_of_the_corpus_once(tmp_path):
    tarred = tar(tmp_path / "a.tar.gz", [("./yes/1.wav", b"one"), ("./no/2.wav", b"two")])
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("corpus/yes/1.wav", b"one")
        archive.writestr("corpus/LICENSE", b"free")
        archive.writestr("__MACOSX/corpus/._1.wav", b"junk")
    for path in (tarred, tmp_path / "b.zip"):
        folder = unpack(path, tmp_path / "out")
        assert (folder / "yes" / "1.wav").read_bytes() == b"one"
        (folder / "mark").touch()
        assert (unpack(path, tmp_path / "out") / "mark").exists()
    assert not list((tmp_path / "out").glob(".*.part"))


@pytest.mark.parametrize(
    ("member", "complaint"),
    [
        (("../evil.wav", b"x"), "outside"),
        (("/tmp/evil.wav", b"x"), "outside"),
        (("yes\\..\\..\\evil.wav", b"x"), "outside"),
        (special("yes/evil.wav", tarfile.SYMTYPE, "/etc/passwd"), "a link"),
        (special("yes/evil.wav", tarfile.LNKTYPE, "yes/1.wav"), "a link"),
        (special("yes/evil.wav", tarfile.CHRTYPE), "no ordinary file"),
        (special("yes/evil.wav", tarfile.FIFOTYPE), "no ordinary file"),
    ],
)
def test_a_member_that_reaches_out_is_named_and_nothing_stays(tmp_path, member, complaint):
    path = tar(tmp_path / "a.tar.gz", [("yes/1.wav", b"one"), member])
    with pytest.raises(KwsError, match=complaint) as refused:
        unpack(path, tmp_path / "out")
    assert "evil.wav" in refused.value.message
    assert list((tmp_path / "out").iterdir()) == []


def test_a_link_in_a_zip_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        info = zipfile.ZipInfo("yes/evil.wav")
        info.create_system, info.external_attr = 3, 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(KwsError, match=r"yes/evil\.wav is a link"):
        unpack(tmp_path / "a.zip", tmp_path / "out")


def test_bombs_stop_at_the_bounds(tmp_path):
    path = tar(tmp_path / "a.tar.gz", [("yes/1.wav", b"0" * 5000), ("yes/2.wav", b"0" * 5000)])
    with pytest.raises(KwsError, match=r"more than 6000 bytes unpacked, at member yes/2\.wav"):
        unpack(path, tmp_path / "out", max_total_bytes=6000)
    with pytest.raises(KwsError, match="more than 1 files"):
        unpack(path, tmp_path / "out", max_files=1)


def test_a_broken_archive_is_a_sentence(tmp_path):
    whole = tar(tmp_path / "a.tar.gz", [("yes/1.wav", bytes(range(256)) * 400)]).read_bytes()
    (tmp_path / "cut.tar.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.zip").write_text("no archive")
    for name in ("cut.tar.gz", "text.zip"):
        with pytest.raises(KwsError, match=f"{name} cannot be unpacked"):
            unpack(tmp_path / name, tmp_path / "out")
    with pytest.raises(KwsError, match="is not a file"):
        unpack(tmp_path / "missing.zip", tmp_path / "out")


KINDS = {".tar": "w", ".tar.gz": "w:gz", ".tar.bz2": "w:bz2", ".tar.xz": "w:xz"}


def whole_tar(suffix: str) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode=KINDS[suffix]) as archive:
        for number in range(20):
            info = tarfile.TarInfo(f"yes/{number}.wav")
            sound = random.Random(number).randbytes(700 + number)
            info.size = len(sound)
            archive.addfile(info, io.BytesIO(sound))
    return content.getvalue()


def refused(path: Path, content: bytes, into: Path) -> str:
    """The sentence; nothing may be there."""
    path.write_bytes(content)
    with pytest.raises(KwsError) as error:
        unpack(path, into)
    assert list(into.iterdir()) == []
    return error.value.message


@pytest.mark.parametrize("suffix", [".tar.gz", ".tar.bz2", ".tar.xz"])
def test_no_flipped_bit_of_a_packed_archive_gives_other_sound(suffix, tmp_path):
    whole = whole_tar(suffix)
    (tmp_path / f"whole{suffix}").write_bytes(whole)
    expected = files_below(unpack(tmp_path / f"whole{suffix}", tmp_path / "whole"))
    rng = random.Random(suffix)
    found = 0
    for number in range(60):
        damaged = bytearray(whole)
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        path = tmp_path / f"{number}{suffix}"
        path.write_bytes(damaged)
        try:
            # Some bits mean nothing: the time of packing, the program that packed.
            assert files_below(unpack(path, tmp_path / "out" / str(number))) == expected
        except KwsError:
            found += 1
            assert list((tmp_path / "out" / str(number)).iterdir()) == []
    assert found >= 55


def files_below(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_tar_that_ends_between_two_members_is_not_whole(tmp_path):
    whole = whole_tar(".tar")
    (tmp_path / "out").mkdir()
    for members in (0, 7, 20):
        cut = whole[: members * 1536]  # A header and two blocks of content each.
        message = refused(tmp_path / "cut.tar", cut, tmp_path / "out")
        assert message.endswith("its end mark is missing") or members == 0
    packed = gzip.compress(whole[: 7 * 1536])
    assert "end mark" in refused(tmp_path / "cut.tar.gz", packed, tmp_path / "out")
    one_mark = tmp_path / "one.tar"
    one_mark.write_bytes(whole[: 20 * 1536 + 512])
    assert len(files_below(unpack(one_mark, tmp_path / "one"))) == 20


def test_a_damaged_header_inside_a_tar_is_not_its_end(tmp_path):
    whole = bytearray(whole_tar(".tar"))
    (tmp_path / "out").mkdir()
    whole[5 * 1536 + 10] ^= 1
    assert "a header is damaged" in refused(tmp_path / "a.tar", bytes(whole), tmp_path / "out")
    whole[5 * 1536 : 5 * 1536 + 512] = bytes(512)  # A hole where a disk lost a block.
    message = refused(tmp_path / "a.tar", bytes(whole), tmp_path / "out")
    assert "there is more behind its end mark" in message


def test_a_zip_whose_list_lacks_members_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number in range(5):
            archive.writestr(f"yes/{number}.wav", bytes([number]) * 100)
    content = bytearray((tmp_path / "a.zip").read_bytes())
    end = content.rindex(b"PK\5\6")
    content[end + 8 : end + 12] = struct.pack("<HH", 6, 6)
    (tmp_path / "out").mkdir()
    message = refused(tmp_path / "a.zip", bytes(content), tmp_path / "out")
    assert "5 members are listed, 6 by its end record" in message


def zipped(path: Path, members: dict[bytes, bytes]) -> Path:
    """A zip whose names are just these bytes, without the flag of UTF-8."""
    stand_ins = {name: b"ABC"[i : i + 1] * len(name) for i, name in enumerate(members)}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(stand_ins[name].decode(), content)
    data = path.read_bytes()
    for name, stand_in in stand_ins.items():
        assert data.count(stand_in) == 2  # in the member's header and in the directory
        data = data.replace(stand_in, name)
    path.write_bytes(data)
    return path


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_backslashes_of_windows_are_folders(tmp_path):
    path = zipped(tmp_path / "a.zip", {b"words\\yes\\1.wav": b"one", b"words\\no\\2.wav": b"two"})
    assert files(unpack(path, tmp_path / "out")) == {"yes/1.wav": b"one", "no/2.wav": b"two"}


def test_a_folder_s_own_entry_with_a_backslash_is_not_a_file(tmp_path):
    path = zipped(tmp_path / "a.zip", {b"words\\yes\\": b"", b"words\\yes\\1.wav": b"one"})
    assert files(unpack(path, tmp_path / "out")) == {"yes/1.wav": b"one"}


@pytest.mark.parametrize(
    "name",
    [b"..\\evil.wav", b"yes\\..\\..\\evil.wav", b"\\evil.wav", b"C:\\evil.wav", b"C:evil.wav"],
)
def test_backslashes_do_not_lead_out_of_the_folder(tmp_path, name):
    path = zipped(tmp_path / "a.zip", {b"yes/1-------.wav": b"one", name: b"x"})
    with pytest.raises(KwsError, match="outside the folder"):
        unpack(path, tmp_path / "out")
    assert not [file for file in tmp_path.rglob("*.wav")]


@pytest.mark.parametrize("text", ["öffnen", "日本語", "o\u0308ffnen"])
def test_names_in_utf8_without_its_flag_are_read_as_such(tmp_path, text):
    path = zipped(tmp_path / "a.zip", {f"{text}/ü.wav".encode(): b"one", b"yes/some-2.wav": b"two"})
    assert files(unpack(path, tmp_path / "out")) == {
        f"{text}/ü.wav": b"one",
        "yes/some-2.wav": b"two",
    }


def test_names_that_are_not_utf8_are_of_code_page_437(tmp_path):
    path = zipped(
        tmp_path / "a.zip", {"öffnen/ü.wav".encode("cp437"): b"1", b"yes/some-2.wav": b"2"}
    )
    assert files(unpack(path, tmp_path / "out")) == {"öffnen/ü.wav": b"1", "yes/some-2.wav": b"2"}
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:  # as Python writes it: with the flag
        archive.writestr("öffnen/ü.wav", b"3")
        archive.writestr("yes/1.wav", b"4")
    assert "öffnen/ü.wav" in files(unpack(tmp_path / "b.zip", tmp_path / "out"))


def test_info_zip_s_own_field_for_a_name_is_read_where_it_is_of_this_name(tmp_path):
    raw, name = "öffnen/1.wav".encode("cp437"), "öffnen/日.wav"
    info = zipfile.ZipInfo(raw.decode("cp437"))
    for crc, expected in ((zlib.crc32(raw), name), (zlib.crc32(raw) ^ 1, "öffnen/1.wav")):
        content = struct.pack("<BL", 1, crc) + name.encode()
        info.extra = struct.pack("<HH", 1, 1) + b"?" + struct.pack("<HH", 0x7075, len(content))
        info.extra += content
        assert member_name(info) == expected
    info.extra = struct.pack("<HH", 0x7075, 999) + b"cut"
    assert member_name(info) == "öffnen/1.wav"


def test_two_members_of_one_name_are_refused_and_not_one_lost(tmp_path):
    path = zipped(tmp_path / "a.zip", {b"yes\\1.wav": b"one", b"yes/1.wav": b"two"})
    with pytest.raises(KwsError, match=r"two members are named yes/1\.wav"):
        unpack(path, tmp_path / "out")
