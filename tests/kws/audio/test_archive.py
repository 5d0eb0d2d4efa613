"""An archive is unpacked whole and inside its folder, or not at all."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from kws.audio.archive import unpack
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
