"""Compiler, ffmpeg, disk, memory, cache, processor and GPU, microphone, ports."""

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from kws import machine
from kws.doctor.finding import Finding, State
from kws.storage import cache_root

GIB = 2**30
LITTLE_DISK_GIB, FULL_DISK_GIB = 5.0, 1.0
"""A run of the quickstart leaves a few hundred MB, its voices too; Speech Commands unpacks to 4."""
NEEDED_MEMORY_GIB = 2.0
"""The quickstart peaks at 1.64 GiB (README.md)."""
_NVIDIA_SMI_TIMEOUT_S = 10


def examine_machine(runs: str, port: int) -> Iterator[Finding]:
    """In the order of how much depends on each."""
    cache = cache_root()
    yield _writable("cache", cache, "let KWS_CACHE name a folder that you may write to")
    yield _writable("runs", Path(runs), "go to a folder that you may write to, or give --out")
    yield disk(cache, shutil.disk_usage)
    yield _memory()
    yield _compiler()
    yield ffmpeg(shutil.which("ffmpeg"))
    yield gpu(shutil.which("nvidia-smi"))
    yield _microphone()
    yield free_port(port)


def disk(folder: Path, usage: Callable) -> Finding:
    """Room where voices and unpacked archives are kept."""
    free = usage(_nearest(folder)).free / GIB
    state: State = "ok"
    if free < LITTLE_DISK_GIB:
        state = "missing" if free < FULL_DISK_GIB else "note"
    advice = "make room, or let KWS_CACHE name a folder on a larger disk" if state != "ok" else ""
    return Finding(name="disk", state=state, found=f"{free:.1f} GiB free", advice=advice)


def ffmpeg(program: str | None) -> Finding:
    """Only recordings of phones and browsers need it."""
    if program is None:
        return Finding(
            name="ffmpeg",
            state="note",
            found="not installed: M4A, AAC, WebM, AMR and WMA recordings cannot be read",
            advice="apt-get install ffmpeg (macOS: brew install ffmpeg)",
        )
    return Finding(name="ffmpeg", state="ok", found=program)


def gpu(program: str | None) -> Finding:
    """NVIDIA's own list. None is no fault: all figures of the README were made without."""
    without = "training is on the processor, as all figures of the README are"
    if program is None:
        return Finding(name="GPU", state="ok", found=f"none; {without}")
    try:
        listed = subprocess.run(
            [program, "-L"], capture_output=True, text=True, timeout=_NVIDIA_SMI_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding(name="GPU", state="note", found=f"nvidia-smi: {error}; {without}")
    names = [line.partition(" (")[0] for line in listed.stdout.splitlines() if line.strip()]
    if listed.returncode or not names:
        return Finding(name="GPU", state="note", found=f"the driver finds none; {without}")
    return Finding(
        name="GPU",
        state="note",
        found=", ".join(names),
        advice='for TensorFlow to use it: pip install "tensorflow[and-cuda]~=2.16"',
    )


def free_port(port: int) -> Finding:
    """Whether a page could be served there."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError as error:
            return Finding(
                name="port",
                state="note",
                found=f"127.0.0.1:{port} is not to be had: {error.strerror}",
                advice="kws demo --port 0 takes any free one",
            )
    return Finding(name="port", state="ok", found=f"127.0.0.1:{port} is free for kws demo")


def _writable(name: str, folder: Path, advice: str) -> Finding:
    nearest = _nearest(folder)
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        found = f"{folder} cannot be written: {error.strerror}"
        return Finding(name=name, state="missing", found=found, advice=advice)
    return Finding(name=name, state="ok", found=f"{folder} can be written")


def _nearest(folder: Path) -> Path:
    """The folder, or the first above it that is there."""
    folder = folder.absolute()
    return next(place for place in (folder, *folder.parents) if place.is_dir())


def _memory() -> Finding:
    cores, free = machine.cores(), machine.available_memory()
    if free is None:
        return Finding(name="memory", state="ok", found=f"not known here; {cores} cores")
    gib = free / GIB
    found = f"{gib:.1f} GiB available, {cores} cores"
    if gib < NEEDED_MEMORY_GIB:
        advice = "the quickstart needs 1.7 GiB: close something"
        return Finding(name="memory", state="note", found=found, advice=advice)
    return Finding(name="memory", state="ok", found=found)


def _compiler() -> Finding:
    found = shutil.which("g++")
    if found is None:
        return Finding(
            name="compiler",
            state="note",
            found="no g++: set-up builds one package with it, tests the device's code",
            advice="apt-get install g++ (macOS: xcode-select --install)",
        )
    return Finding(name="compiler", state="ok", found=found)


def _microphone() -> Finding:
    other = "kws demo hears the browser's, kws listen - a pipe"
    try:
        import sounddevice

        name = sounddevice.query_devices(kind="input")["name"]
    except ImportError:
        advice = f"uv sync --extra microphone for kws listen; {other}"
        return Finding(
            name="microphone", state="note", found="sounddevice is not installed", advice=advice
        )
    except Exception as error:  # PortAudio's own errors, and its absence
        advice = f"apt install libportaudio2, or plug one in; {other}"
        found = f"none: {' '.join(str(error).split())}"
        return Finding(name="microphone", state="note", found=found, advice=advice)
    return Finding(name="microphone", state="ok", found=name)
