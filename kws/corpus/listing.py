"""Listing: which files of a folder are recordings; one rule for every command.

Hidden files and folders (`.…`, so `._rec.wav` and `.Trashes/` too) and what systems leave behind
(`__MACOSX`, `Thumbs.db`, ...) are not there. Links to folders are followed, unless they lead back
into themselves. Whatever else cannot be used is left out by name, with its reason: a name that is
not UTF-8 cannot be written into any report, a pipe never ends, a folder may not be readable.
"""

import dataclasses
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple

from kws.errors import KwsError

FFMPEG_SUFFIXES = (
    *(".m4a", ".m4b", ".mp4", ".aac", ".3gp", ".amr"),
    *(".webm", ".weba", ".mka", ".wma"),
)
"""Recordings that libsndfile does not know: ffmpeg reads them."""
RECORDING_SUFFIXES = (
    *(".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3"),
    *(".aif", ".aiff", ".aifc", ".au", ".snd", ".caf", ".w64", ".rf64"),
    *FFMPEG_SUFFIXES,
)
"""A file is a recording by its name; whether it can be read is found out when it is read."""
COMPANION_SUFFIXES = (
    *(".txt", ".tsv", ".csv", ".json", ".jsonl", ".md", ".pdf", ".yaml", ".yml"),
    *(".png", ".jpg", ".svg"),
)
COMPANION_NAMES = (
    *("README", "LICENSE", "LICENCE", "NOTICE", "AUTHORS", "COPYING", "ATTRIBUTION"),
    "_SUCCESS",
)
"""The last: as Hadoop and Spark say that a folder is complete."""
LITTER = (
    *("__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"),
    *("$recycle.bin", "system volume information", "@eadir", "lost+found"),
)
"""What operating systems and network drives leave in folders, in lower case."""
CONVERT = "ffmpeg -i in.m4a -ar 16000 -ac 1 out.wav"
"""How any recording becomes one that everything here reads."""
MAX_VISITS = 16
"""Links to one folder that are followed: links among folders can multiply without end."""

FileKind = Literal["recording", "companion", "other"]


class LeftOut(NamedTuple):
    """Why a file or folder is not used.

    Attributes:
      reason: a stable name: `name_not_utf8`, `not_a_file`, `link_cycle`, `io_error`,
        `not_audio_name`.
      detail: one sentence.
    """

    reason: str
    detail: str

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"


@dataclasses.dataclass
class Listing:
    """What a folder holds.

    Attributes:
      files: names relative to the folder, with `/`, sorted.
      left_out: name -> why it is not among the files; a folder's name ends in `/`, and bytes that
        are not UTF-8 are escaped.
      hidden: how many hidden files and folders there are; nobody looked into the folders.
    """

    files: list[str] = dataclasses.field(default_factory=list)
    left_out: dict[str, LeftOut] = dataclasses.field(default_factory=dict)
    hidden: int = 0

    def recordings(self) -> "Listing":
        """The recordings alone; other files are left out, companions are not mentioned."""
        found = Listing(left_out=dict(self.left_out), hidden=self.hidden)
        for name in self.files:
            kind = kind_of(name)
            if kind == "recording":
                found.files.append(name)
            elif kind == "other":
                found.left_out[name] = not_audio_name(name)
        return found


def list_files(folder: str | os.PathLike[str]) -> Listing:
    """All files below a local folder.

    Raises:
      KwsError: it is not a folder that can be listed, or its own name is not UTF-8.
    """
    root = os.fspath(folder)
    _refuse_name(root)
    try:
        os.scandir(root).close()
    except OSError as error:
        raise KwsError(f"{escape(root)} cannot be listed: {error.strerror or error}") from None
    found, visits = Listing(), Counter[str]()
    # Of every folder: its path, its name with / at the end, where it really is, and where the
    # folders really are that hold the links on the way to it.
    folders: list[tuple[str, str, str, tuple[str, ...]]] = [(root, "", os.path.realpath(root), ())]
    while folders:
        path, inside, real, links = folders.pop()
        try:
            with os.scandir(path) as scanned:
                entries = sorted(scanned, key=lambda entry: entry.name)
        except OSError as error:
            found.left_out[inside] = LeftOut("io_error", error.strerror or str(error))
            continue
        below = []
        for entry in entries:
            name = inside + entry.name
            if is_hidden(entry.name):
                found.hidden += 1
            elif not _is_utf8(entry.name):
                found.left_out[escape(name)] = _NOT_UTF8
            elif not _is_folder(entry):
                if _is_special(entry):
                    found.left_out[name] = LeftOut("not_a_file", "a pipe, a socket or a device")
                else:
                    found.files.append(name)
            elif not entry.is_symlink():
                below.append((entry.path, f"{name}/", f"{real}/{entry.name}", links))
            else:
                target = os.path.realpath(entry.path)
                visits[target] += 1
                if any(_holds(target, place) for place in (real, *links)):
                    why = f"a link to {escape(target)}, which holds it"
                    found.left_out[f"{name}/"] = LeftOut("link_cycle", why)
                elif visits[target] > MAX_VISITS:
                    why = f"one of more than {MAX_VISITS} links to {escape(target)}"
                    found.left_out[f"{name}/"] = LeftOut("link_cycle", why)
                else:
                    below.append((entry.path, f"{name}/", target, (*links, real)))
        folders += reversed(below)
    found.files.sort()
    return found


def of_names(names: Iterable[str]) -> Listing:
    """The same of the names that a store lists, where there are no links."""
    found = Listing()
    for name in sorted(names):
        if any(is_hidden(part) for part in PurePosixPath(name).parts):
            found.hidden += 1
        elif not _is_utf8(name):
            found.left_out[escape(name)] = _NOT_UTF8
        else:
            found.files.append(name)
    return found


@dataclasses.dataclass
class Recordings:
    """The recordings that a path means.

    Attributes:
      paths: in the order of their names.
      left_out: as in `Listing`.
      hidden: as in `Listing`.
    """

    paths: list[Path]
    left_out: dict[str, LeftOut]
    hidden: int


def find_recordings(path: Path) -> Recordings:
    """The file itself, whatever its name, or every recording below a folder.

    Raises:
      KwsError: there is none.
    """
    _refuse_name(str(path))
    if path.is_file():
        return Recordings([path], {}, 0)
    if not path.exists():
        raise KwsError(f"{path} does not exist")
    found = list_files(path).recordings()
    if not found.files:
        raise KwsError(
            f"{path} holds no recording{summary(found.left_out)}",
            hint=f"known: {', '.join(RECORDING_SUFFIXES)}",
        )
    return Recordings([path / name for name in found.files], found.left_out, found.hidden)


def read_text(path: str | os.PathLike[str]) -> str:
    """The content of a list of recordings.

    Raises:
      KwsError: it cannot be read, or is not UTF-8.
    """
    try:
        return Path(path).read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        where = f"{error.reason} at byte {error.start}"
        raise KwsError(
            f"{path} is not UTF-8 text: {where}", hint="iconv -f LATIN1 -t UTF-8 OLD > NEW"
        ) from None
    except OSError as error:
        raise KwsError(f"{path} cannot be read: {error.strerror or error}") from None


def kind_of(name: str) -> FileKind:
    """What a file is by its name: lists, licences and notes may lie beside recordings."""
    path = PurePosixPath(name)
    if path.suffix.lower() in COMPANION_SUFFIXES or path.stem.upper() in COMPANION_NAMES:
        return "companion"
    return "recording" if path.suffix.lower() in RECORDING_SUFFIXES else "other"


def not_audio_name(name: str) -> LeftOut:
    """Why a file that is neither recording nor companion is left out."""
    return LeftOut("not_audio_name", f"suffix {PurePosixPath(name).suffix or 'missing'}")


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name is passed over without a word."""
    return name.startswith(".") or name.lower() in LITTER


def summary(left_out: dict[str, LeftOut], most: int = 3) -> str:
    """`; left out: 3, a.xyz (not_audio_name: suffix .xyz), …`, or "" where there are none."""
    if not left_out:
        return ""
    named = [f"{name} ({why})" for name, why in list(left_out.items())[:most]]
    more = ", …" if len(left_out) > most else ""
    return f"; left out: {len(left_out)}, {', '.join(named)}{more}"


def escape(name: str) -> str:
    """The name with `\\xe9` for every byte that is not UTF-8."""
    try:
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # surrogates that stand for no byte
        return name.encode("utf-8", "backslashreplace").decode()


_NOT_UTF8 = LeftOut("name_not_utf8", "bytes of the name are not UTF-8: rename it")


def _is_utf8(name: str) -> bool:
    """Python writes the other bytes as surrogates."""
    return name.isascii() or not any("\ud800" <= character <= "\udfff" for character in name)


def _refuse_name(path: str) -> None:
    if not _is_utf8(path):
        raise KwsError(f"{escape(path)}: the name is not UTF-8", hint="rename it")


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_special(entry: os.DirEntry[str]) -> bool:
    """Neither a file nor a link to nothing, which is named as such when it is read."""
    try:
        return not entry.is_file() and os.path.exists(entry.path)
    except OSError:
        return False


def _holds(folder: str, place: str) -> bool:
    return place == folder or place.startswith(folder.rstrip("/") + "/")
