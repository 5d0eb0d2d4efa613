"""Whether this machine can run the product, and what to do if it cannot."""

import dataclasses
import importlib
import importlib.metadata
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from kws import machine
from kws.storage import cache_root

PYTHON = (3, 10)
PRODUCT = "kws-pipeline"
LOCK = Path(__file__).resolve().parents[1] / "uv.lock"
"""Beside the sources; an installed wheel has none."""
NATIVE = ("tflite_micro", "soundfile", "soxr", "onnxruntime")
"""Compiled packages that import quickly; a version alone does not show that they load."""
GIB = 2**30
LITTLE_DISK_GIB, FULL_DISK_GIB = 5.0, 1.0
"""The quickstart leaves a few hundred MB; Speech Commands unpacks to 4 GiB."""
NEEDED_MEMORY_GIB = 2.0
"""The quickstart peaks at some 1.6 GiB (`python -m benchmarks.pipeline`)."""

_SYNC = "make setup (or uv sync --frozen) installs the versions of uv.lock"
_LOCKED = re.compile(r'^\[\[package\]\]\nname = "([^"]+)"\nversion = "([^"]+)"', re.MULTILINE)
_NVIDIA_SMI_TIMEOUT_S = 10
_SHOWN = 4

State = Literal["ok", "note", "missing"]
"""In order; only some commands are affected; nothing works without it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was checked.

    Attributes:
      name: of the thing.
      state: see `State`.
      found: what is there, in a few words.
      advice: what to do; empty where nothing is to be done.
    """

    name: str
    state: State
    found: str
    advice: str = ""


def examine(runs: Path) -> Iterator[Finding]:
    """Checks everything, the most important first; changes nothing and sends no request.

    Args:
      runs: folder where runs would be written.
    """
    right = sys.version_info[:2] == PYTHON
    yield Finding(
        name="python",
        state="ok" if right else "missing",
        found=" ".join((platform.python_version(), *platform.libc_ver())).strip(),
        advice="" if right else "TFX 1.16 needs Python 3.10: make setup finds one",
    )
    yield packages(_required(), _installed(), LOCK.read_text() if LOCK.is_file() else "")
    yield _libraries()
    yield folder("cache", cache_root(), "let KWS_CACHE name a folder that you may write to")
    yield folder("runs", runs, "change to a folder that you may write to, or give --out")
    yield _memory()
    yield _ffmpeg()
    yield gpu(shutil.which("nvidia-smi"))


def packages(required: set[str], installed: Mapping[str, str], lock: str) -> Finding:
    """Compares the installed packages with the requirements and with uv.lock.

    Args:
      required: names of what the product depends on.
      installed: version by name.
      lock: content of uv.lock, where a package may have several versions, by platform; "" if
        there is none.
    """
    if missing := sorted(required - installed.keys()):
        return Finding(
            name="packages", state="missing", found=f"missing: {_some(missing)}", advice=_SYNC
        )
    locked: dict[str, set[str]] = {}
    for name, version in _LOCKED.findall(lock):
        locked.setdefault(name, set()).add(version)
    other = [
        f"{name} {installed[name]} (locked: {', '.join(sorted(locked[name]))})"
        for name in sorted(locked.keys() & installed.keys() - {PRODUCT})
        if installed[name] not in locked[name]
    ]
    if other:
        return Finding(
            name="packages", state="note", found=f"other than locked: {_some(other)}", advice=_SYNC
        )
    how = "as in uv.lock" if lock else "installed; no uv.lock to compare with"
    return Finding(name="packages", state="ok", found=f"{len(installed)}, {how}")


def folder(name: str, place: Path, advice: str) -> Finding:
    """Whether a folder can be written, and the free space of its disk."""
    place = place.absolute()
    nearest = next(one for one in (place, *place.parents) if one.is_dir())
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        found = f"{place} cannot be written: {error.strerror}"
        return Finding(name=name, state="missing", found=found, advice=advice)
    free = shutil.disk_usage(nearest).free / GIB
    found = f"{place} can be written, {free:.1f} GiB free"
    if free >= LITTLE_DISK_GIB:
        return Finding(name=name, state="ok", found=found)
    state: State = "missing" if free < FULL_DISK_GIB else "note"
    return Finding(name=name, state=state, found=found, advice="free some space")


def gpu(nvidia_smi: str | None) -> Finding:
    """The NVIDIA GPUs that the driver lists; training works without one.

    Args:
      nvidia_smi: path of the driver's program; None: it is not installed.
    """
    names: list[str] = []
    if nvidia_smi is not None:
        try:
            listed = subprocess.run(
                [nvidia_smi, "-L"], capture_output=True, text=True, timeout=_NVIDIA_SMI_TIMEOUT_S
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return Finding(name="GPU", state="note", found=f"{nvidia_smi} failed: {error}")
        if listed.returncode == 0:
            names = [line.partition(" (")[0] for line in listed.stdout.splitlines() if line.strip()]
    if not names:
        return Finding(name="GPU", state="ok", found="none; training runs on the processor")
    advice = 'for TensorFlow to use it: pip install "tensorflow[and-cuda]~=2.16"'
    return Finding(name="GPU", state="note", found=", ".join(names), advice=advice)


def _required() -> set[str]:
    """What the product depends on, extras left out; empty if it is not installed."""
    try:
        lines = importlib.metadata.requires(PRODUCT) or []
    except importlib.metadata.PackageNotFoundError:
        return {PRODUCT}
    names = (re.match(r"[\w.-]+", line) for line in lines if "extra ==" not in line)
    return {_normalized(name.group()) for name in names if name is not None}


def _installed() -> dict[str, str]:
    """Version by normalized name; a broken installation may leave a folder without a name."""
    found = [(one.metadata["Name"], one.version) for one in importlib.metadata.distributions()]
    # Of two copies on the path the first is imported.
    return {_normalized(name): version for name, version in reversed(found) if name}


def _libraries() -> Finding:
    for module in NATIVE:
        try:
            importlib.import_module(module)
        except Exception as error:  # whatever prevents it from loading is the finding
            found = f"{module} does not load: {error}"
            return Finding(name="libraries", state="missing", found=found, advice=_SYNC)
    return Finding(name="libraries", state="ok", found=f"{', '.join(NATIVE)} load")


def _memory() -> Finding:
    free = machine.available_memory()
    cores = f"{machine.cores()} cores"
    if free is None:
        return Finding(name="memory", state="ok", found=f"unknown; {cores}")
    found = f"{free / GIB:.1f} GiB available, {cores}"
    if free / GIB >= NEEDED_MEMORY_GIB:
        return Finding(name="memory", state="ok", found=found)
    advice = "the quickstart needs 1.7 GiB: close other programs"
    return Finding(name="memory", state="note", found=found, advice=advice)


def _ffmpeg() -> Finding:
    if program := shutil.which("ffmpeg"):
        return Finding(name="ffmpeg", state="ok", found=program)
    return Finding(
        name="ffmpeg",
        state="note",
        found="not installed: M4A, AAC, WebM, AMR and WMA recordings cannot be read",
        advice="apt-get install ffmpeg (macOS: brew install ffmpeg)",
    )


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _some(names: list[str]) -> str:
    rest = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
