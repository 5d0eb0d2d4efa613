"""`lineage.json`: what a bundle was made from, as far as it can be told without ML Metadata.

    bundle -> int8 model -> float model -> training -> clips by split, source and label
                                       configuration, code

It contains no path, host or account, because bundles are given to others. With the run's ML
Metadata, `pipeline.runs.lineage` follows the artifacts from there.

`origin.json` lies beside an int8 file and names the float model that it was converted from and how
that was trained. It travels with the model.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kws.bundle.contents import BundleContents
from kws.code_version import CodeVersion
from kws.corpus.digests import DIGEST_FILE
from kws.corpus.ingest_summary import INGEST_FILE

ORIGIN_FILE = "origin.json"
TRAINING_FILE = "training.json"


def folder_sha256(folder: Path) -> str:
    """Of every file below a folder: its name and its content."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{content}\n".encode())
    return digest.hexdigest()


def origin_of_float_model(folder: Path, code: CodeVersion) -> dict[str, Any]:
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


def write_origin(folder: Path, origin: dict[str, Any]) -> None:
    """Beside the int8 file."""
    (folder / ORIGIN_FILE).write_text(json.dumps(origin, indent=2) + "\n")


def read_origin(folder: Path) -> dict[str, Any]:
    """What `write` wrote."""
    return json.loads((folder / ORIGIN_FILE).read_text())


LINEAGE_FILE = "lineage.json"
FORMAT = 1
_COUNTED = ("clips", "seconds", "speakers", "sources", "quarantined", "cross_split_duplicates")


def gather(
    *,
    run: str | None,
    config: dict[str, Any] | None,
    code: CodeVersion,
    model: Path,
    audio: Path | None,
    artifacts: dict[str, dict[str, Any]],
    credits: Sequence[str] = (),
) -> dict[str, Any]:
    """What the pusher knows.

    Args:
      run: id of the pipeline's run.
      config: the configuration; None where it is not known.
      code: that pushes.
      model: folder of the int8 file.
      audio: folder of the audio examples; None where they are not at hand.
      artifacts: the pusher's inputs by key, with their ids and producers.
      credits: licence and attribution of the sources that have their own.
    """
    made = read_origin(model)
    data = {} if audio is None else _data(audio)
    if credits:
        data["licences"] = list(credits)
    training = dict(made.get("training") or {})
    trained_by = training.pop("code", None)
    return {
        "run": run,
        "code": {
            "trained": trained_by,
            "converted": made.get("code"),
            "pushed": code.model_dump(),
        },
        "config": config,
        "config_sha256": None if config is None else config_sha256(config),
        "artifacts": artifacts,
        "float_model": {"sha256": made.get("float_sha256"), "training": training},
        "data": data,
    }


def complete(contents: BundleContents) -> dict[str, Any]:
    """What the file holds: what was gathered, and what the contents say themselves."""
    return {
        "format": FORMAT,
        "name": contents.name,
        "version": contents.version,
        "created": contents.created,
        "model_sha256": hashlib.sha256(contents.model).hexdigest(),
        "frontend": contents.feature_params.model_dump(mode="json"),
        **contents.lineage,
    }


def read(folder: Path) -> dict[str, Any] | None:
    """None of a bundle that was fitted to one user: it has no such file."""
    file = folder / LINEAGE_FILE
    return json.loads(file.read_text()) if file.is_file() else None


def config_sha256(config: dict[str, Any]) -> str:
    """Of a configuration, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()


def _data(audio: Path) -> dict[str, Any]:
    ingested, digests = _json(audio / INGEST_FILE), _json(audio / DIGEST_FILE)
    return {
        **{key: ingested[key] for key in _COUNTED if key in ingested},
        "params": ingested.get("params"),
        "folders": digests.get("folders", []),
        "digests": digests.get("splits", {}),
    }


def _json(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text()) if file.is_file() else {}
