"""Layout: what the files of a Speech Commands folder are, by their names alone.

    <folder>/<word>/<speaker>_nohash_<n>.wav     a word (any audio suffix; any name)
    <folder>/_background_noise_/[<split>/]….wav  long recordings of noise
    <folder>/_negatives_/[<split>/]….wav         long recordings in which no keyword is said
    <folder>/_unknown_/….wav                     words that have no folder of their own
    <folder>/validation_list.txt, testing_list.txt

Names are relative to the folder, with `/`. Hidden files and folders (`.`, `__MACOSX`) do not exist.
"""

import dataclasses
import os
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

from kws.audio.params import IngestParams
from kws.audio.splits import Part, speaker_of, split_recordings, split_words
from kws.labels import BACKGROUND_FOLDER, NEGATIVES_FOLDER, UNKNOWN
from kws.splits import SPLITS, TEST, Split

AUDIO_SUFFIXES = (
    *(".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3"),
    *(".aif", ".aiff", ".aifc", ".au", ".snd", ".caf", ".w64", ".rf64"),
)
COMPANION_SUFFIXES = (".txt", ".tsv", ".csv", ".json", ".jsonl", ".md", ".pdf", ".yaml", ".yml")
COMPANION_NAMES = ("README", "LICENSE", "LICENCE", "NOTICE", "AUTHORS", "COPYING", "ATTRIBUTION")
VALIDATION_LIST = "validation_list.txt"
TESTING_LIST = "testing_list.txt"


@dataclasses.dataclass(frozen=True)
class Word:
    """One recording of a word.

    Attributes:
      name: `<word>/<file>`.
      word: the folder.
      speaker: see `speaker_of`.
      split: where it belongs.
    """

    name: str
    word: str
    speaker: str
    split: Split


@dataclasses.dataclass(frozen=True)
class Layout:
    """The files of a corpus.

    Attributes:
      words: by name.
      backgrounds, negatives: for each split.
      misplaced: files that belong to nothing: name -> (reason, detail). Reasons: `not_audio_name`,
        `no_word_folder`, `too_deep`, `reserved_folder`.
    """

    words: list[Word]
    backgrounds: dict[Split, list[Part]]
    negatives: dict[Split, list[Part]]
    misplaced: dict[str, tuple[str, str]]


def understand(
    names: Iterable[str], read_text: Callable[[str], str], params: IngestParams
) -> Layout:
    """Sorts names into a layout; touches no recording.

    Args:
      names: of all files, relative to the folder.
      read_text: gives the content of a list file.
      params: the percentages and what `validation_list.txt` means.
    """
    words: list[str] = []
    long: dict[str, list[str]] = {BACKGROUND_FOLDER: [], NEGATIVES_FOLDER: []}
    misplaced: dict[str, tuple[str, str]] = {}
    lists: dict[Split, list[str]] = {}
    for name in sorted(names):
        path = PurePosixPath(name)
        folder, depth = path.parts[0], len(path.parts)
        if any(part.startswith(".") or part == "__MACOSX" for part in path.parts):
            continue
        if name in (VALIDATION_LIST, TESTING_LIST):
            split = TEST if name == TESTING_LIST else params.validation_list
            lists.setdefault(split, []).extend(_list_lines(read_text(name)))
        elif _is_companion(path):
            continue
        elif path.suffix.lower() not in AUDIO_SUFFIXES:
            misplaced[name] = ("not_audio_name", f"suffix {path.suffix or 'missing'}")
        elif depth == 1:
            misplaced[name] = ("no_word_folder", "a recording belongs into the folder of its word")
        elif folder in long:
            if depth == 2 or (depth == 3 and path.parts[1] in SPLITS):
                long[folder].append(name)
            else:
                misplaced[name] = ("too_deep", f"expected {folder}/[train|eval|test/]<file>")
        elif depth > 2:
            misplaced[name] = ("too_deep", "expected <word>/<file>")
        elif folder.startswith("_") and folder != UNKNOWN:
            misplaced[name] = ("reserved_folder", f"{folder} is no word")
        else:
            words.append(name)
    shares = params.eval_percentage, params.test_percentage
    placed = split_words(words, lists, *shares)
    return Layout(
        words=[Word(n, PurePosixPath(n).parts[0], speaker_of(n), placed[n]) for n in words],
        backgrounds=split_recordings(long[BACKGROUND_FOLDER], *shares),
        negatives=split_recordings(long[NEGATIVES_FOLDER], *shares),
        misplaced=misplaced,
    )


def scan(folder: str | os.PathLike[str], params: IngestParams) -> Layout:
    """The layout of a local folder; links to folders are not followed."""
    root = Path(folder)
    return understand(list_files(root), lambda name: (root / name).read_text("utf-8"), params)


def list_files(folder: str | os.PathLike[str]) -> list[str]:
    """Names of all files below a local folder, relative, sorted, with `/`."""
    names = []
    for parent, folders, files in os.walk(folder):
        folders[:] = [f for f in folders if not f.startswith(".") and f != "__MACOSX"]
        inside = Path(parent).relative_to(folder).as_posix()
        names += [file if inside == "." else f"{inside}/{file}" for file in files]
    return sorted(names)


def backgrounds(
    folder: str | os.PathLike[str],
    split: Split,
    eval_percentage: float = 10,
    test_percentage: float = 10,
) -> list[Part]:
    """The backgrounds of a split as `(path, start_share, end_share)`, in a stable order."""
    return _parts(Path(folder), BACKGROUND_FOLDER, split, eval_percentage, test_percentage)


def negatives(
    folder: str | os.PathLike[str],
    split: Split,
    eval_percentage: float = 10,
    test_percentage: float = 10,
) -> list[Part]:
    """The recordings without keywords of a split, as `backgrounds` gives them."""
    return _parts(Path(folder), NEGATIVES_FOLDER, split, eval_percentage, test_percentage)


def _parts(
    folder: Path, inside: str, split: Split, eval_percentage: float, test_percentage: float
) -> list[Part]:
    if not (folder / inside).is_dir():
        return []
    shares = {"eval_percentage": eval_percentage, "test_percentage": test_percentage}
    params = IngestParams.model_validate({"keywords": ("any",), **shares})
    names = [f"{inside}/{name}" for name in list_files(folder / inside)]
    layout = understand(names, lambda name: "", params)
    found = layout.backgrounds if inside == BACKGROUND_FOLDER else layout.negatives
    return [part._replace(path=str(folder / part.path)) for part in found[split]]


def _is_companion(path: PurePosixPath) -> bool:
    """Lists, licences, notes: files that may lie beside recordings."""
    return path.suffix.lower() in COMPANION_SUFFIXES or path.stem.upper() in COMPANION_NAMES


def _list_lines(text: str) -> list[str]:
    return [line.strip().replace("\\", "/") for line in text.splitlines() if line.strip()]
