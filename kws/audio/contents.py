"""Contents: what the files of one folder are, by their names alone; one function a kind of folder.

Names are relative to the folder, with `/`. Hidden files and folders (`.`, `__MACOSX`) do not exist,
and lists, licences and notes may lie beside recordings.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath
from typing import Literal, NamedTuple

from kws.audio.splits import speaker_of
from kws.labels import BACKGROUND_FOLDER, NEGATIVES_FOLDER, UNKNOWN
from kws.splits import SPLITS, TEST, Split

AUDIO_SUFFIXES = (
    *(".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3"),
    *(".aif", ".aiff", ".aifc", ".au", ".snd", ".caf", ".w64", ".rf64"),
)
COMPANION_SUFFIXES = (
    *(".txt", ".tsv", ".csv", ".json", ".jsonl", ".md", ".pdf", ".yaml", ".yml"),
    *(".png", ".jpg", ".svg"),
)
COMPANION_NAMES = (
    *("README", "LICENSE", "LICENCE", "NOTICE", "AUTHORS", "COPYING", "ATTRIBUTION"),
    "_SUCCESS",
)
"""The last: as Hadoop and Spark say that a folder is complete."""
VALIDATION_LIST = "validation_list.txt"
TESTING_LIST = "testing_list.txt"


class Spoken(NamedTuple):
    """A recording of one word, and who says it."""

    word: str
    speaker: str


@dataclasses.dataclass
class Contents:
    """The files of one folder.

    Attributes:
      words: name -> word and speaker.
      listed: name -> the split that the folder itself says; names of files that are not there count
        too, for their speakers.
      backgrounds, negatives: names of long recordings of noise, and of sound without keywords.
      misplaced: name -> (reason, detail) of what belongs to nothing. Reasons: `not_audio_name`,
        `no_word_folder`, `too_deep`, `reserved_folder`, `manifest_row`, `path_escapes`.
      rooms: names of impulse responses.
      groups: name of a long recording or room -> whom or what it is divided by, where that is not
        the recording itself: a speaker, a session, a room.
      left_out: name -> why a recording is not used, though nothing is wrong with it.
      stretches: name of a long recording -> the parts of it that are used, as shares of its length,
        where that is not all of it.
    """

    words: dict[str, Spoken] = dataclasses.field(default_factory=dict)
    listed: dict[str, Split] = dataclasses.field(default_factory=dict)
    backgrounds: list[str] = dataclasses.field(default_factory=list)
    negatives: list[str] = dataclasses.field(default_factory=list)
    misplaced: dict[str, tuple[str, str]] = dataclasses.field(default_factory=dict)
    rooms: list[str] = dataclasses.field(default_factory=list)
    groups: dict[str, str] = dataclasses.field(default_factory=dict)
    left_out: dict[str, str] = dataclasses.field(default_factory=dict)
    stretches: dict[str, tuple[tuple[float, float], ...]] = dataclasses.field(default_factory=dict)

    def under(self, prefix: str) -> "Contents":
        """The same with `<prefix>/` before every name."""
        return Contents(
            words={f"{prefix}/{name}": word for name, word in self.words.items()},
            listed={f"{prefix}/{name}": split for name, split in self.listed.items()},
            backgrounds=[f"{prefix}/{name}" for name in self.backgrounds],
            negatives=[f"{prefix}/{name}" for name in self.negatives],
            misplaced={f"{prefix}/{name}": why for name, why in self.misplaced.items()},
            rooms=[f"{prefix}/{name}" for name in self.rooms],
            groups={f"{prefix}/{name}": group for name, group in self.groups.items()},
            left_out={f"{prefix}/{name}": why for name, why in self.left_out.items()},
            stretches={f"{prefix}/{name}": kept for name, kept in self.stretches.items()},
        )


def speech_commands(
    names: Iterable[str], read_text: Callable[[str], str], validation_list: Literal["eval", "test"]
) -> Contents:
    """A folder in the layout of Speech Commands; see `kws.audio.layout`.

    Args:
      names: of all files.
      read_text: gives the content of a list file.
      validation_list: the split that `validation_list.txt` names.
    """
    found = Contents()
    long = {BACKGROUND_FOLDER: found.backgrounds, NEGATIVES_FOLDER: found.negatives}
    lists: dict[str, Split] = {VALIDATION_LIST: validation_list, TESTING_LIST: TEST}
    for path in _visible(names):
        name, folder, depth = str(path), path.parts[0], len(path.parts)
        if name in lists:
            # testing_list.txt comes first by name, and so a file in both stays in test.
            for line in _list_lines(read_text(name)):
                found.listed.setdefault(line, lists[name])
        elif not _is_recording(path, found):
            continue
        elif depth == 1:
            found.misplaced[name] = (
                "no_word_folder",
                "a recording belongs into the folder of its word",
            )
        elif folder in long:
            if depth == 2 or (depth == 3 and path.parts[1] in SPLITS):
                long[folder].append(name)
            else:
                found.misplaced[name] = ("too_deep", f"expected {folder}/[train|eval|test/]<file>")
        elif depth > 2:
            found.misplaced[name] = ("too_deep", "expected <word>/<file>")
        elif folder.startswith("_") and folder != UNKNOWN:
            found.misplaced[name] = ("reserved_folder", f"{folder} is no word")
        else:
            found.words[name] = Spoken(folder, speaker_of(name))
    return found


def clips(names: Iterable[str], word: str) -> Contents:
    """A folder of clips of one word: `[train|eval|test/][<speaker>/]<file>`.

    Without a folder of the speaker, who speaks is in the file's name (`speaker_of`).
    """
    found = Contents()
    for path in _visible(names):
        name, folders = str(path), path.parts[:-1]
        if not _is_recording(path, found):
            continue
        if folders and folders[0] in SPLITS:
            found.listed[name] = _split(folders[0])
            folders = folders[1:]
        if len(folders) > 1:
            found.misplaced[name] = ("too_deep", "expected [train|eval|test/][<speaker>/]<file>")
            found.listed.pop(name, None)
        else:
            found.words[name] = Spoken(word, folders[0] if folders else speaker_of(name))
    return found


def recordings(names: Iterable[str], kind: Literal["backgrounds", "negatives"]) -> Contents:
    """A folder of long recordings, at any depth; below `train/`, `eval/`, `test/` of that split."""
    found = Contents()
    kept = found.backgrounds if kind == "backgrounds" else found.negatives
    kept += [str(path) for path in _visible(names) if _is_recording(path, found)]
    return found


def _visible(names: Iterable[str]) -> Iterator[PurePosixPath]:
    for name in sorted(names):
        path = PurePosixPath(name)
        if not any(part.startswith(".") or part == "__MACOSX" for part in path.parts):
            yield path


def _is_recording(path: PurePosixPath, found: Contents) -> bool:
    """Lists, licences and notes are passed over, other strangers noted as misplaced."""
    if path.suffix.lower() in COMPANION_SUFFIXES or path.stem.upper() in COMPANION_NAMES:
        return False
    if path.suffix.lower() not in AUDIO_SUFFIXES:
        found.misplaced[str(path)] = ("not_audio_name", f"suffix {path.suffix or 'missing'}")
        return False
    return True


def _split(name: str) -> Split:
    return next(split for split in SPLITS if split == name)


def _list_lines(text: str) -> list[str]:
    return [line.strip().replace("\\", "/") for line in text.splitlines() if line.strip()]
