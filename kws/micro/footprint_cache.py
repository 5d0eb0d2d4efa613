"""Footprints on disk, so that the zoo is listed at once after the first time.

An entry belongs to the very code that it was measured with: a changed file of `kws/models` or
`kws/micro`, or another TensorFlow or TensorFlow Lite Micro, asks for a new one.
"""

import contextlib
import dataclasses
import functools
import hashlib
import importlib.metadata
import json
from pathlib import Path

import kws
from kws import storage
from kws.features.params import FeatureParams
from kws.micro import footprint
from kws.micro.footprint import Footprint
from kws.models.params import ModelParams

_SOURCES = ("models", "micro")
_PACKAGES = ("tensorflow", "tflite-micro")


def default_folder() -> Path:
    """`footprints/` of the cache."""
    return storage.cache_root() / "footprints"


def cached(
    params: ModelParams,
    feature_params: FeatureParams,
    num_labels: int,
    *,
    measured: bool,
    folder: Path | None = None,
) -> Footprint:
    """As `kws.micro.footprint.footprint`, which is called only where nothing is stored.

    A measured entry answers an unmeasured question too.
    """
    folder = folder or default_folder()
    path = folder / f"{_key(params, feature_params, num_labels)}.json"
    known = _read(path)
    if known is not None and not (measured and known.int8_bytes is None):
        return known
    found = footprint.footprint(params, feature_params, num_labels, measured=measured)
    _write(path, found)
    return found


def _key(params: ModelParams, feature_params: FeatureParams, num_labels: int) -> str:
    asked = json.dumps([params.to_json(), feature_params.to_json(), num_labels])
    return hashlib.sha256(f"{_version()}{asked}".encode()).hexdigest()


@functools.cache
def _version() -> str:
    """Changes with whatever may change a figure."""
    digest = hashlib.sha256()
    root = Path(kws.__file__).parent
    for source in _SOURCES:
        for file in sorted((root / source).rglob("*.py")):
            digest.update(f"{file.relative_to(root)}\0".encode() + file.read_bytes())
    for package in _PACKAGES:
        digest.update(f"{package} {importlib.metadata.version(package)}\0".encode())
    return digest.hexdigest()


def _read(path: Path) -> Footprint | None:
    """None where nothing is stored, or nothing that can be read."""
    try:
        return Footprint(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _write(path: Path, found: Footprint) -> None:
    """A folder that cannot be written to is not an error: it only takes time again."""
    with contextlib.suppress(OSError):
        storage.atomic_write(path, json.dumps(dataclasses.asdict(found)))
