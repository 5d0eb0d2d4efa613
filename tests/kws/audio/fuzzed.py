"""Reads many damaged recordings in a process that may take so many megabytes and no more.

    python -m tests.kws.audio.fuzzed MEGABYTES FOLDER RESULT.json

writes for each file of the folder what came of it; what libsndfile says is left to its own streams.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tests.kws.audio.bounded import limit


def look(path: Path) -> dict[str, Any]:
    """What each way of reading says of a file."""
    from kws.audio.container import Unreadable
    from kws.audio.read import read, read_window, survey

    found: dict[str, Any] = {}
    try:
        recording = read(path)
        found = {
            "samples": recording.audio.size,
            "digest": hashlib.sha256(recording.audio.tobytes()).hexdigest(),
            "rate": recording.original_rate,
            "channels": recording.original_channels,
            "notes": [note.name for note in recording.notes],
        }
        np.save(path.with_suffix(".npy"), recording.audio)
    except Unreadable as error:
        found = {"reason": error.reason}
    for name, way in (
        ("survey", lambda: survey(path).duration_ms),
        ("window", lambda: read_window(path, 100, 100).audio.size),
    ):
        try:
            found[name] = way()
        except Unreadable as error:
            found[f"{name}_reason"] = error.reason
    return found


def main() -> None:
    """See the head of the file."""
    megabytes, folder, result = sys.argv[1:]
    import kws.audio.read  # noqa: F401  # what is imported is not counted

    limit(int(megabytes))
    found = {}
    for path in sorted(Path(folder).iterdir()):
        try:
            found[path.name] = look(path)
        except BaseException as error:
            found[path.name] = {"error": f"{type(error).__name__}: {error}"}
    Path(result).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
