"""480 damaged archives: each is unpacked whole and right, or refused and nothing of it is there.

A plain tar has no checksum of its content: there, what differs is what differs in its bytes, and it
has the same files of the same length.
"""

import io
import random
import tarfile
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from kws.corpus.archive import unpack
from kws.errors import KwsError

ARCHIVES_OF_EACH = 80
FILES = 20
TARS = {".tar": "w", ".tar.gz": "w:gz", ".tar.bz2": "w:bz2", ".tar.xz": "w:xz"}
ZIPS = {".stored.zip": zipfile.ZIP_STORED, ".deflated.zip": zipfile.ZIP_DEFLATED}


def contents() -> dict[str, bytes]:
    """Files that pack a little, as sound does."""
    rng = random.Random(1)
    return {
        f"{'yes' if number % 2 else 'no'}/{number}.wav": bytes(
            rng.choice(b"abcdefgh") for _ in range(500 + 37 * number)
        )
        for number in range(FILES)
    }


def packed(suffix: str) -> bytes:
    file = io.BytesIO()
    if suffix in ZIPS:
        with zipfile.ZipFile(file, "w", ZIPS[suffix]) as zipped:
            for name, content in contents().items():
                zipped.writestr(name, content)
    else:
        with tarfile.open(fileobj=file, mode=TARS[suffix]) as tar:
            for name, content in contents().items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return file.getvalue()


def damaged(whole: bytes, rng: random.Random) -> bytes:
    content = bytearray(whole)
    at = rng.randrange(len(content))
    kind = rng.randrange(6)
    if kind == 0:
        return bytes(content[:at])
    if kind in (1, 2):
        for _ in range(rng.randrange(1, 4)):
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    elif kind == 3:
        length = min(rng.choice([1, 512, 1536]), len(content) - at)
        start = at // 512 * 512 if length > 1 else at
        content[start : start + length] = bytes(min(length, len(content) - start))
    elif kind == 4:
        start = at // 512 * 512
        del content[start : start + rng.choice([1, 512, 1024])]
    else:
        content[at:at] = rng.randbytes(rng.randrange(1, 600))
    return bytes(content)


def files_below(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.nightly
def test_every_damaged_archive_is_unpacked_right_or_not_at_all(tmp_path):
    expected = contents()
    counts: Counter[str] = Counter()
    wrong = []
    for suffix in (*TARS, *ZIPS):
        whole, rng = packed(suffix), random.Random(suffix)
        (tmp_path / f"whole{suffix}").write_bytes(whole)
        assert files_below(unpack(tmp_path / f"whole{suffix}", tmp_path / "whole")) == expected
        for number in range(ARCHIVES_OF_EACH):
            content = damaged(whole, rng)
            path, into = tmp_path / f"{number}{suffix}", tmp_path / f"{number}{suffix}.out"
            path.write_bytes(content)
            into.mkdir()
            try:
                found = files_below(unpack(path, into))
            except KwsError as error:
                assert path.name in error.message
                counts[f"{suffix} refused"] += 1
                if list(into.iterdir()):
                    wrong.append(f"{path.name}: something is left")
                continue
            if found == expected:
                counts[f"{suffix} unpacked right"] += 1
            elif suffix == ".tar" and all(
                len(found.get(name, b"")) == len(sound) and found[name] in content
                for name, sound in expected.items()
            ):
                counts[f"{suffix} unpacked, its content is damaged"] += 1
            else:
                lost = [name for name in expected if found.get(name) != expected[name]]
                wrong.append(f"{path.name}: {len(found)} files, {len(lost)} lost or other: {lost}")
    print(f"{sum(counts.values())} damaged archives:")
    for outcome, count in sorted(counts.items()):
        print(f"{count:6} {outcome}")
    assert not wrong, "\n".join(wrong[:40])
