"""`origin.json` beside an int8 file: the float model that it was converted from, and how that was
trained. It travels with the model, so that a bundle can say where its model came from."""

import hashlib
import json
from pathlib import Path
from typing import Any

from kws.code_version import CodeVersion

ORIGIN_FILE = "origin.json"
TRAINING_FILE = "training.json"


def folder_sha256(folder: Path) -> str:
    """Of every file below a folder: its name and its content."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{content}\n".encode())
    return digest.hexdigest()


def of_float_model(folder: Path, code: CodeVersion) -> dict[str, Any]:
    """What is said of a float model: its hash, its training, and the code that converted it."""
    file = folder / TRAINING_FILE
    training = json.loads(file.read_text()) if file.is_file() else {}
    # The course of the training is in training.json; here its outcome is enough.
    epochs = training.get("history", {}).pop("epochs", None) if training else None
    return {
        "float_sha256": folder_sha256(folder),
        "training": {**training, "epochs_trained": len(epochs)} if epochs else training,
        "code": code.model_dump(),
    }


def write(folder: Path, origin: dict[str, Any]) -> None:
    """Beside the int8 file."""
    (folder / ORIGIN_FILE).write_text(json.dumps(origin, indent=2) + "\n")


def read(folder: Path) -> dict[str, Any]:
    """What `write` wrote."""
    return json.loads((folder / ORIGIN_FILE).read_text())
