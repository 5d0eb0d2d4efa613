"""Contents: what the files of one folder are, by their names alone; one function a kind of folder.

Names are relative to the folder, with `/`; which of them are recordings, `kws.corpus.listing` says.
Words and speakers are in Unicode's form NFC, whatever form the file system has.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath
from typing import Literal, NamedTuple

from kws.corpus.listing import is_hidden, kind_of, not_audio_name
from kws.corpus.splits import speaker_of
from kws.labels import BACKGROUND_FOLDER, NEGATIVES_FOLDER, UNKNOWN, canonical
from kws.splits import SPLITS, TEST, Split

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
      backgrounds: names of long recordings of noise.
      negatives: names of long recordings of sound without keywords.
      misplaced: name -> (reason, detail) of what belongs to nothing. Reasons: `no_word_folder`,
        `too_deep`, `reserved_folder`, `split_folder`, `manifest_row`, `path_escapes`, and those of
        `kws.corpus.listing.LeftOut`.
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
    """A folder in the layout of Speech Commands; see `kws.corpus.layout`.

    Args:
      names: of all files.
      read_text: gives the content of a list file.
      validation_list: the split that `validation_list.txt` names.
    """
    found = Contents()
    long = {BACKGROUND_FOLDER: found.backgrounds, NEGATIVES_FOLDER: found.negatives}
    lists: dict[str, Split] = {VALIDATION_LIST: validation_list, TESTING_LIST: TEST}
    names = list(names)
    # Lists and file systems may differ in the Unicode form of one name.
    of_canonical = {canonical(name): name for name in names if not name.isascii()}
    for path in _visible(names):
        name, folder, depth = str(path), path.parts[0], len(path.parts)
        if name in lists:
            # testing_list.txt comes first by name, and so a file in both stays in test.
            for line in _list_lines(read_text(name)):
                found.listed.setdefault(of_canonical.get(canonical(line), line), lists[name])
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
            found.words[name] = Spoken(canonical(folder), speaker_of(name))
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
        elif folders and folders[0].strip().lower() in SPLITS:
            found.misplaced[name] = ("split_folder", _meant_split(folders[0]))
            found.listed.pop(name, None)
        else:
            speaker = canonical(folders[0]) if folders else speaker_of(name)
            found.words[name] = Spoken(canonical(word), speaker)
    return found


def recordings(names: Iterable[str], kind: Literal["backgrounds", "negatives"]) -> Contents:
    """A folder of long recordings, at any depth; below `train/`, `eval/`, `test/` of that split."""
    found = Contents()
    kept = found.backgrounds if kind == "backgrounds" else found.negatives
    for path in _visible(names):
        if not _is_recording(path, found):
            continue
        likely = [f for f in path.parts[:-1] if f not in SPLITS and f.strip().lower() in SPLITS]
        if likely:
            found.misplaced[str(path)] = ("split_folder", _meant_split(likely[0]))
        else:
            kept.append(str(path))
    return found


def _visible(names: Iterable[str]) -> Iterator[PurePosixPath]:
    for name in sorted(names):
        path = PurePosixPath(name)
        if not any(is_hidden(part) for part in path.parts):
            yield path


def _is_recording(path: PurePosixPath, found: Contents) -> bool:
    """Lists, licences and notes are passed over, other strangers noted as misplaced."""
    kind = kind_of(path.name)
    if kind == "other":
        found.misplaced[str(path)] = not_audio_name(path.name)
    return kind == "recording"


def _meant_split(folder: str) -> str:
    meant = folder.strip().lower()
    return f"folder {folder!r} is not {meant!r}: did you mean {meant!r}?"


def _split(name: str) -> Split:
    return next(split for split in SPLITS if split == name)


def _list_lines(text: str) -> list[str]:
    return [line.strip().replace("\\", "/") for line in text.splitlines() if line.strip()]
