"""Python and its packages, held against uv.lock."""

import importlib
import importlib.metadata
import platform
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from kws.doctor.finding import Finding

PYTHON = (3, 10)
LOCK = Path(__file__).resolve().parents[2] / "uv.lock"
"""Beside the sources; an installed wheel has none."""
PRODUCT = "kws-pipeline"
SYNC = "make setup (or uv sync --frozen) installs what uv.lock says"
NATIVE = {
    "TensorFlow Lite Micro": "tflite_micro",
    "libsndfile": "soundfile",
    "soxr": "soxr",
    "onnxruntime": "onnxruntime",
}
"""Compiled parts that load in a moment, so that they are tried and not only looked up."""
SHOWN = 4

_LOCKED = re.compile(r'^\[\[package\]\]\nname = "([^"]+)"\nversion = "([^"]+)"', re.MULTILINE)
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def examine_packages() -> Iterator[Finding]:
    """The interpreter, the packages by version, and whether the compiled ones load."""
    yield _python()
    lock = LOCK.read_text() if LOCK.is_file() else ""
    yield versions(needed(), installed(), locked(lock))
    yield from map(_loads, NATIVE, NATIVE.values())


def locked(lock: str) -> dict[str, set[str]]:
    """Versions by normalized name, of a uv.lock; one package may have several, by platform."""
    found: dict[str, set[str]] = {}
    for name, version in _LOCKED.findall(lock):
        found.setdefault(_normalized(name), set()).add(version)
    return found


def needed() -> set[str]:
    """What the product asks for by itself, extras left out."""
    try:
        asked = importlib.metadata.requires(PRODUCT) or []
    except importlib.metadata.PackageNotFoundError:
        return set()
    names = (_NAME.match(line) for line in asked if "extra ==" not in line)
    return {_normalized(name.group()) for name in names if name is not None}


def installed() -> dict[str, str]:
    """Version by normalized name."""
    found = {}
    for package in importlib.metadata.distributions():
        name = package.metadata["Name"]
        if name is not None:  # a broken installation leaves such folders behind
            found[_normalized(name)] = package.version
    return found


def versions(
    needed: set[str], installed: Mapping[str, str], locked: Mapping[str, set[str]]
) -> Finding:
    """Missing packages are an error; others than locked are said, for they mostly work too."""
    missing = sorted(needed - installed.keys())
    if missing:
        return Finding(
            name="packages", state="missing", found=f"missing: {_some(missing)}", advice=SYNC
        )
    if not needed:
        return Finding(
            name="packages",
            state="note",
            found=f"{PRODUCT} itself is not installed, so what it needs is not known",
            advice=SYNC,
        )
    if not locked:
        return Finding(name="packages", state="ok", found="all there; no uv.lock to hold against")
    other = sorted(
        f"{name} {installed[name]} (locked: {', '.join(sorted(wanted))})"
        for name, wanted in locked.items()
        if name in installed and name != PRODUCT and installed[name] not in wanted
    )
    if other:
        return Finding(
            name="packages", state="note", found=f"other than locked: {_some(other)}", advice=SYNC
        )
    count = len(locked.keys() & installed.keys())
    return Finding(name="packages", state="ok", found=f"{count} packages as in uv.lock")


def _python() -> Finding:
    found = f"Python {platform.python_version()}"
    libc = " ".join(platform.libc_ver()).strip()
    if sys.version_info[:2] != PYTHON:
        return Finding(
            name="python",
            state="missing",
            found=found,
            advice="TFX 1.16 needs Python 3.10: make setup finds one",
        )
    return Finding(name="python", state="ok", found=f"{found}, {libc}" if libc else found)


def _loads(name: str, module: str) -> Finding:
    try:
        importlib.import_module(module)
    except Exception as error:  # whatever keeps it from loading is the finding
        return Finding(
            name=name, state="missing", found=f"{module} does not load: {error}", advice=SYNC
        )
    return Finding(name=name, state="ok", found="loads")


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _some(names: list[str]) -> str:
    rest = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")
