"""An archive from elsewhere is unpacked within bounded memory and disk, or is refused."""

import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest

from kws.corpus.archive import directory_bytes, unpack
from tests.kws.audio.bounded import outcomes

MEGABYTES = 150
BLOCK = 512
LARGE = 300 << 20
"""Of what a header claims and a stream of zeros delivers: packed, it is 1,000 times smaller."""


def header(name: str, kind: bytes, size: int, **changes: bytes) -> bytes:
    """A tar header whose size may be any."""
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    for at, value in changes.items():
        position = int(at[1:])
        block[position : position + len(value)] = value
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def packed(path: Path, *parts: bytes) -> None:
    """A gzip of these, and then of zeros: one stream after another, so that it is made at once."""
    zeros = gzip.compress(bytes(10 << 20))
    path.write_bytes(gzip.compress(b"".join(parts)) + zeros * (LARGE // (10 << 20)))


def sparse(extended: int) -> bytes:
    """An old GNU map of a sparse file that goes on and on: 21 parts a block, and more to come."""
    entry = b"00000000001\0" + b"00000000001\0"
    first = header("hole", tarfile.GNUTYPE_SPARSE, 0, a386=entry * 4, a482=b"\1")
    more = (entry * 21 + b"\1").ljust(BLOCK, b"\0") * 2048
    return first + more * extended


def zip_bomb(path: Path) -> None:
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("yes/1.wav", "w", force_zip64=True) as file,
    ):
        for _ in range(LARGE >> 20):
            file.write(bytes(1 << 20))


def zip_that_lists_much(path: Path, claims: int) -> None:
    """An end record that claims a directory of many bytes, and a file that has them, as a hole."""
    with path.open("wb") as file:
        file.truncate(claims)
        file.seek(claims)
        file.write(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, claims, 0, 0))


def zip_packed_by(path: Path, method: int) -> None:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("yes/1.wav", bytes(1000))


def xz_that_asks_for_much(path: Path) -> None:
    """A dictionary of 1.5 GiB, which its reader must be ready to keep."""
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 1, "dict_size": 1 << 20}]
    content = bytearray(lzma.compress(bytes(20 * BLOCK), lzma.FORMAT_XZ, filters=filters))
    # The block header's filter properties: one byte, the dictionary's size (section 5.3.1 of the
    # .xz format), and the checksum of the header after it.
    at = 12
    length = (content[at] + 1) * 4
    position = content.index(b"\x21\x01", at, at + length) + 2
    content[position] = 40
    content[at + length - 4 : at + length] = struct.pack(
        "<I", zlib.crc32(bytes(content[at : at + length - 4]))
    )
    path.write_bytes(content)


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("archives")
    good = header("yes/1.wav", tarfile.REGTYPE, 3) + b"one".ljust(BLOCK, b"\0")
    packed(folder / "bomb.tar.gz", header("a.wav", tarfile.REGTYPE, LARGE))
    packed(folder / "long_name.tar.gz", header("n", tarfile.GNUTYPE_LONGNAME, LARGE))
    packed(folder / "pax.tar.gz", header("n", tarfile.XHDTYPE, LARGE))
    packed(folder / "global_pax.tar.gz", good, header("n", tarfile.XGLTYPE, LARGE))
    packed(folder / "sparse.tar.gz", sparse(60))
    record = b"26 size=-00000000000001024\n"
    packed(
        folder / "backwards.tar.gz",
        header("n", tarfile.XHDTYPE, len(record)) + record.ljust(BLOCK, b"\0"),
        header("yes/1.wav", tarfile.REGTYPE, 3) + bytes(BLOCK),
    )
    zip_bomb(folder / "bomb.zip")
    zip_that_lists_much(folder / "list.zip", 300 << 20)
    zip_packed_by(folder / "lzma.zip", zipfile.ZIP_LZMA)
    xz_that_asks_for_much(folder / "memory.tar.xz")
    paths = sorted(folder.iterdir())
    names = [path.name for path in paths]
    return dict(zip(names, outcomes("archive", paths, MEGABYTES), strict=True))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("bomb.tar.gz", "IT: more than"),
        ("bomb.zip", "IT: more than"),
        ("long_name.tar.gz", "IT: a member's header is larger than"),
        ("pax.tar.gz", "IT: a member's header is larger than"),
        ("global_pax.tar.gz", "IT: a member's header is larger than"),
        ("sparse.tar.gz", "IT: a member's header is larger than"),
        ("backwards.tar.gz", "IT: "),
        ("list.zip", "IT: its list of members has 314572800 bytes"),
        ("lzma.zip", "IT: member yes/1.wav is packed by method 14"),
        ("memory.tar.xz", "IT cannot be unpacked: Memory usage limit exceeded"),
    ],
)
def test_what_an_archive_asks_for_is_not_given(found, name, sentence):
    assert found[name].startswith(sentence), found[name]


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz", ".tar.bz2", ".tar.xz"])
def test_archives_of_every_kind_are_unpacked_in_little_memory(tmp_path, suffix):
    path = tmp_path / f"good{suffix}"
    mode = {".tar": "w", ".tar.gz": "w:gz", ".tar.bz2": "w:bz2", ".tar.xz": "w:xz"}[suffix]
    with tarfile.open(path, mode, format=tarfile.PAX_FORMAT) as archive:
        for number in range(300):
            info = tarfile.TarInfo(f"yes/{'ü' * 60}{number}.wav")
            info.size = 1000
            archive.addfile(info, io.BytesIO(bytes([number % 256]) * 1000))
    assert outcomes("archive", [path], MEGABYTES) == ["unpacked 300"]


def test_an_xz_of_several_streams_is_one_archive(tmp_path):
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        info = tarfile.TarInfo("yes/1.wav")
        info.size = 5000
        archive.addfile(info, io.BytesIO(bytes(range(250)) * 20))
    half = len(whole.getvalue()) // 2
    parts = (whole.getvalue()[:half], whole.getvalue()[half:])
    path = tmp_path / "two.tar.xz"
    path.write_bytes(lzma.compress(parts[0]) + bytes(8) + lzma.compress(parts[1]))
    folder = unpack(path, tmp_path / "out")
    assert (folder / "yes" / "1.wav").read_bytes() == bytes(range(250)) * 20
    path.write_bytes(path.read_bytes()[:-60])
    assert "cannot be unpacked" in outcomes("archive", [path], MEGABYTES)[0]


def test_the_size_of_a_zip_s_list_is_what_python_reads(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(20):
            archive.writestr(f"{number}.wav", b"x")
    with path.open("rb") as file:
        start = path.read_bytes().index(b"PK\1\2")
        end = path.read_bytes().rindex(b"PK\5\6")
        assert directory_bytes(file) == end - start
    (tmp_path / "none").write_bytes(b"no zip")
    with (tmp_path / "none").open("rb") as file:
        assert directory_bytes(file) == 0
