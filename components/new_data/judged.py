"""What was judged before, kept below the pipeline root: one small file a verdict.

<folder>/judged/<fingerprint>.json     span, verdict, when, the bundle
<folder>/models/<version>/...          the float model of a pushed version, to start from
"""

import json
import os
from typing import Any

from tfx.dsl.io import fileio

MODELS = "models"


def read(folder: str, fingerprint: str) -> dict[str, Any] | None:
    """The verdict on what has this fingerprint; None: there is none yet."""
    file = _file(folder, fingerprint)
    if not fileio.exists(file):
        return None
    with fileio.open(file) as reader:
        return dict(json.loads(reader.read()))


def write(folder: str, fingerprint: str, verdict: dict[str, Any]) -> None:
    """Keeps a verdict."""
    file = _file(folder, fingerprint)
    fileio.makedirs(os.path.dirname(file))
    with fileio.open(file, "w") as writer:
        writer.write(json.dumps(verdict, indent=2) + "\n")


def model_folder(folder: str, version: str) -> str:
    """Where the float model of a pushed version is kept, as a Trainer's artifact."""
    return os.path.join(folder, MODELS, version)


def _file(folder: str, fingerprint: str) -> str:
    return os.path.join(folder, "judged", f"{fingerprint}.json")
