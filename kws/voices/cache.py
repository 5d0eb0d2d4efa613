"""Clips on disk by the content of their request, so that nothing is said twice."""

import hashlib
import io
from pathlib import Path

import numpy as np

from kws import storage
from kws.voices.trim import SAMPLE_RATE


def default_folder() -> Path:
    """`voices/` of the cache."""
    return storage.cache_root() / "voices"


class ClipCache:
    """int16 clips at 16 kHz under a hexadecimal key, one file each.

    A file is 32 bytes of SHA-256 over the FLAC stream that follows, so that a damaged file is
    noticed whatever the damage; it then counts as missing. Files appear by rename: several
    processes may share a folder.
    """

    def __init__(self, folder: Path | str):
        self.folder = Path(folder)

    def path(self, key: str) -> Path:
        """Where the clip is or would be."""
        return self.folder / key[:2] / f"{key}.clip"

    def get(self, key: str) -> np.ndarray | None:
        """The clip, int16 `[samples]`, or None where it is missing or damaged."""
        import soundfile

        try:
            stored = self.path(key).read_bytes()
        except FileNotFoundError:
            return None
        if hashlib.sha256(stored[32:]).digest() != stored[:32]:
            return None
        clip, _ = soundfile.read(io.BytesIO(stored[32:]), dtype="int16")
        return clip

    def put(self, key: str, clip: np.ndarray) -> None:
        """Stores the clip, int16 `[samples]`, replacing what was there."""
        import soundfile

        flac = io.BytesIO()
        soundfile.write(flac, clip, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
        content = hashlib.sha256(flac.getvalue()).digest() + flac.getvalue()
        storage.atomic_write(self.path(key), content)
