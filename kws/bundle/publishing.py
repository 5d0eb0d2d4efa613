"""Bundles: written aside, checked, then published, so that a reader sees all of one or none.

How a destination keeps that promise is said in `kws.bundle.destination`.
"""

import json
import math
import os
from pathlib import Path
from typing import Any

from kws.bundle import device_code, golden_vectors, lineage, manifest, model_card, tflite_metadata
from kws.bundle.contents import BundleContents
from kws.bundle.destination import (
    Destination,
    LocalDestination,
    release,
    verify_checksums,
    write_checksums,
)
from kws.errors import KwsError
from kws.export import microwakeword
from kws.features import files
from kws.features.params import FRONTEND_FILE
from kws.runtime import load
from kws.runtime.int8_file import FLOAT_IO_FILE, MODEL_FILE
from kws.runtime.streaming_model import Int8StreamingModel

EVALUATION_FILE = "evaluation.json"
CARD_FILE = "model_card.md"


def push(contents: BundleContents, folder: str | os.PathLike[str]) -> Path:
    """`publish` to a folder of this machine; returns the bundle's own folder."""
    return Path(publish(contents, LocalDestination(folder)))


def publish(contents: BundleContents, destination: Destination) -> str:
    """Writes a new version, and serves it; returns its path or URL.

    Raises:
      KwsError: the version exists already or is not made of digits, the contents do not fit each
        other, or what was written cannot be read back. What was served stays.
    """

    def fill(folder: Path) -> None:
        write(contents, folder)
        verify(folder)

    return release(destination, contents.version, fill)


def write(contents: BundleContents, folder: Path) -> None:
    """Writes all files into an empty folder, `SHA256SUMS` last."""
    model = load.of_content(contents.model, contents.labels, contents.feature_params, contents.kind)
    title = f"{contents.name}, version {contents.version}"
    files.write(folder, contents.feature_params)
    files.write_labels(folder, contents.labels)
    described = manifest.build(contents, model, (folder / FRONTEND_FILE).read_bytes())
    evaluation = {"gates": [gate.model_dump() for gate in contents.gates], **contents.figures}
    (folder / MODEL_FILE).write_bytes(contents.model)
    for_phones = tflite_metadata.add(
        contents.float_io,
        name=contents.name,
        version=contents.version,
        description=f"spots {', '.join(contents.keywords)} in sound; {contents.kind}",
        licence=contents.info.get("licence") or "not stated",
        labels=contents.labels,
        feature_params=contents.feature_params,
    )
    (folder / FLOAT_IO_FILE).write_bytes(for_phones)
    for name, text in (
        ("model.h", device_code.model_header(contents.model, title)),
        ("model.cc", device_code.model_source(contents.model, title)),
        (manifest.MANIFEST_FILE, _json(described)),
        (EVALUATION_FILE, _json(evaluation)),
        (CARD_FILE, model_card.render(contents)),
        *device_code.files(contents, model, title).items(),
    ):
        (folder / name).write_text(text, encoding="utf-8")
    if contents.lineage:
        described = lineage.complete(contents)
        (folder / lineage.LINEAGE_FILE).write_text(_json(described), encoding="utf-8")
    golden_vectors.write(folder, contents.vectors)
    if contents.microwakeword is not None and isinstance(model, Int8StreamingModel):
        one_word = folder / microwakeword.FOLDER
        one_word.mkdir()
        (one_word / microwakeword.TFLITE_FILE).write_bytes(contents.microwakeword)
        theirs = microwakeword.manifest(contents, model.step_ms)
        manifest.check(theirs, manifest.MICROWAKEWORD_SCHEMA)
        (one_word / microwakeword.MANIFEST_FILE).write_text(_json(theirs), encoding="utf-8")
    write_checksums(folder)


def verify(folder: str | Path) -> None:
    """Checks a bundle: every checksum, the manifest, and that the model reproduces its vectors.

    Raises:
      KwsError: names the file that is missing, changed or wrong.
    """
    folder = Path(folder)
    verify_checksums(folder)
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


def _json(content: Any) -> str:
    return json.dumps(_finite(content), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _finite(content: Any) -> Any:
    """NaN and infinity become null, which JSON can say."""
    if isinstance(content, dict):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content
