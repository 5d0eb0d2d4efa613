"""Bundles: written aside, checked, then renamed, so that a reader sees all of one or none.

A process killed while it writes leaves a folder `.tmp-...` that readers pass over and the next push
removes; killed between the renaming and `LATEST`, it leaves a complete version that `LATEST` does
not name yet.
"""

import fcntl
import json
import math
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kws.errors import KwsError
from kws.features import files
from kws.features.params import FRONTEND_FILE
from kws.micro import (
    c_array,
    checksums,
    device_code,
    golden_vectors,
    load,
    manifest,
    model_card,
)
from kws.micro.contents import BundleContents
from kws.micro.int8_file import FLOAT_IO_FILE, MODEL_FILE

LATEST = "LATEST"
"""File beside the versions with the name of the one pushed last."""
EVALUATION_FILE = "evaluation.json"
CARD_FILE = "model_card.md"
_TEMPORARY = ".tmp-"


def push(contents: BundleContents, destination: str | Path) -> Path:
    """Writes `<destination>/<version>/` and names it in `LATEST`; returns the bundle's folder.

    Raises:
      KwsError: the version exists already or is not made of digits, the contents do not fit each
        other, or what was written cannot be read back.
    """
    destination = Path(destination)
    if not re.fullmatch("[0-9]+", contents.version):
        raise KwsError(f"version={contents.version!r} of the bundle", hint="digits only, e.g. 17")
    destination.mkdir(parents=True, exist_ok=True)
    final = destination / contents.version
    with _only_writer(destination):
        if final.exists():
            raise KwsError(f"{final} exists already: a pushed bundle is never overwritten")
        for leftover in destination.glob(f"{_TEMPORARY}*"):
            _remove(leftover)
        folder = Path(tempfile.mkdtemp(prefix=f"{_TEMPORARY}{contents.version}-", dir=destination))
        try:
            folder.chmod(0o755)
            write(contents, folder)
            verify(folder)
            _sync(folder)
            os.rename(folder, final)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        _sync_folder(destination)
        _replace(destination / LATEST, contents.version + "\n")
    return final


def serve(destination: Path, version: str) -> None:
    """Names a version that is there in `LATEST`, in one step."""
    with _only_writer(destination):
        _replace(destination / LATEST, version + "\n")


def write(contents: BundleContents, folder: Path) -> None:
    """Writes all files into an empty folder, `SHA256SUMS` last."""
    model = load.of_content(contents.model, contents.labels, contents.feature_params, contents.kind)
    title = f"{contents.name}, version {contents.version}"
    files.write(folder, contents.feature_params)
    files.write_labels(folder, contents.labels)
    described = manifest.build(contents, model, (folder / FRONTEND_FILE).read_bytes())
    evaluation = {"gates": [gate.model_dump() for gate in contents.gates], **contents.figures}
    (folder / MODEL_FILE).write_bytes(contents.model)
    (folder / FLOAT_IO_FILE).write_bytes(contents.float_io)
    for name, text in (
        ("model.h", c_array.header(contents.model, title)),
        ("model.cc", c_array.source(contents.model, title)),
        (manifest.MANIFEST_FILE, _json(described)),
        (EVALUATION_FILE, _json(evaluation)),
        (CARD_FILE, model_card.render(contents)),
        *device_code.files(contents, model, title).items(),
    ):
        (folder / name).write_text(text, encoding="utf-8")
    golden_vectors.write(folder, contents.vectors)
    checksums.write(folder)


def verify(folder: str | Path) -> None:
    """Checks a bundle: every checksum, the manifest, and that the model reproduces its vectors.

    Raises:
      KwsError: names the file that is missing, changed or wrong.
    """
    folder = Path(folder)
    checksums.verify(folder)
    described = json.loads((folder / manifest.MANIFEST_FILE).read_text())
    manifest.check(described)
    model = load.load_folder(folder)
    if described["labels"] != model.labels:
        raise KwsError(
            f"{folder}: {files.LABELS_FILE} and {manifest.MANIFEST_FILE} name other labels"
        )
    count = golden_vectors.verify(folder, model)
    if count != described["test_vectors"]["count"]:
        raise KwsError(
            f"{folder}: {count} test vectors, but {manifest.MANIFEST_FILE} says "
            f"{described['test_vectors']['count']}"
        )


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _json(content: Any) -> str:
    return json.dumps(_finite(content), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _finite(content: Any) -> Any:
    """NaN and infinity become null, which JSON can say."""
    if isinstance(content, dict):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


@contextmanager
def _only_writer(destination: Path) -> Iterator[None]:
    """Holds the destination's lock; the system lets go of it when the process ends, however."""
    with (destination / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _sync(folder: Path) -> None:
    for path in folder.rglob("*"):
        _sync_folder(path)
    _sync_folder(folder)


def _sync_folder(path: Path) -> None:
    """fsync of a folder or a file."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _replace(path: Path, text: str) -> None:
    with tempfile.NamedTemporaryFile(
        "w", dir=path.parent, prefix=_TEMPORARY, suffix=f"-{path.name}", delete=False
    ) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)
    _sync_folder(path.parent)
