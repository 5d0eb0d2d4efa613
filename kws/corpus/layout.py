"""Layout: every file of a corpus with its meaning, its speaker and its split, by names alone.

A corpus is one folder in the layout of Speech Commands,

    <folder>/<word>/<speaker>_nohash_<n>.wav     a word (any audio suffix; any name)
    <folder>/_background_noise_/[<split>/]….wav  long recordings of noise
    <folder>/_negatives_/[<split>/]….wav         long recordings in which no keyword is said
    <folder>/_unknown_/….wav                     words that have no folder of their own
    <folder>/validation_list.txt, testing_list.txt

or many folders of several kinds (`kws.corpus.folders`), which are split together: nobody who speaks
in one of them for training is tested in another. Long recordings are divided within each folder, so
that each split has some of each, and recordings of one group (a speaker, a session) stay together.
"""

import dataclasses
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from kws.corpus import contents, index
from kws.corpus.contents import TESTING_LIST, VALIDATION_LIST, Contents
from kws.corpus.folders import Corpus, Folder
from kws.corpus.listing import Listing, list_files
from kws.corpus.manifest import read_manifest
from kws.corpus.params import IngestParams
from kws.corpus.splits import Part, split_recordings, split_speakers
from kws.labels import BACKGROUND_FOLDER, NEGATIVES_FOLDER, UNKNOWN
from kws.splits import SPLITS, TRAIN, Split

__all__ = [
    "TESTING_LIST",
    "VALIDATION_LIST",
    "Layout",
    "Word",
    "backgrounds",
    "negatives",
    "scan",
    "understand",
    "understand_corpus",
]


@dataclasses.dataclass(frozen=True, slots=True)
class Word:
    """One recording of a word.

    Attributes:
      name: `<word>/<file>`, or as the corpus names it (`Corpus.path_of`).
      word: what is said.
      speaker: who says it.
      split: where it belongs.
      source: the name of the source; "" in a corpus of one folder.
    """

    name: str
    word: str
    speaker: str
    split: Split
    source: str = ""


@dataclasses.dataclass(frozen=True)
class Layout:
    """The files of a corpus.

    Attributes:
      words: by name.
      backgrounds: noise, for each split.
      negatives: sound without keywords, for each split.
      misplaced: files that belong to nothing: name -> (reason, detail), as `Contents.misplaced`.
      rooms: recorded or simulated impulse responses, for each split.
      left_out: recordings of a public corpus that are not used: name -> why.
      training_only: sources that nothing is judged by.
    """

    words: list[Word]
    backgrounds: dict[Split, list[Part]]
    negatives: dict[Split, list[Part]]
    misplaced: dict[str, tuple[str, str]]
    rooms: dict[Split, list[Part]] = dataclasses.field(default_factory=dict)
    left_out: dict[str, str] = dataclasses.field(default_factory=dict)
    training_only: frozenset[str] = frozenset()


def understand(
    names: Iterable[str], read_text: Callable[[str], str], params: IngestParams
) -> Layout:
    """Sorts the names of one Speech Commands folder into a layout; touches no recording.

    Args:
      names: of all files, relative to the folder.
      read_text: gives the content of a list file.
      params: the percentages and what `validation_list.txt` means.
    """
    found = contents.speech_commands(names, read_text, params.validation_list)
    return _layout([(found, "")], params)


def understand_corpus(
    corpus: Corpus,
    list_folder: Callable[[str], Listing],
    read_text: Callable[[str], str],
    params: IngestParams,
) -> Layout:
    """Lists the folders of a corpus and sorts the names into one layout.

    Args:
      corpus: its folders.
      list_folder: lists all files below a path.
      read_text: gives the content of the file at a path.
      params: as for `understand`.
    """

    def look(folder: Folder) -> Contents:
        def text_of(name: str) -> str:
            return read_text(f"{folder.path}/{name}")

        if folder.kind == "manifest":
            return read_manifest(text_of(folder.manifest), folder.manifest)
        if folder.kind == "corpus":
            return index.contents(text_of(folder.manifest), params.keywords, folder.uses)
        listing = list_folder(folder.path)
        if folder.kind == "speech_commands":
            meaning = folder.validation_list or params.validation_list
            found = contents.speech_commands(listing.files, text_of, meaning)
        elif folder.kind == "backgrounds" or folder.kind == "negatives":
            found = contents.recordings(listing.files, folder.kind)
        else:
            found = contents.clips(listing.files, folder.word or UNKNOWN)
        found.misplaced.update(listing.left_out)
        if folder.split:
            found.listed = dict.fromkeys(found.words, folder.split)
        return found

    found = [
        (look(folder).under(folder.prefix) if folder.prefix else look(folder), folder.source)
        for folder in corpus.folders
    ]
    training_only = frozenset(folder.source for folder in corpus.folders if folder.split == TRAIN)
    return dataclasses.replace(_layout(found, params), training_only=training_only)


def _layout(found: list[tuple[Contents, str]], params: IngestParams) -> Layout:
    """Contents of all folders, each with the name of its source, split together."""
    shares = params.eval_percentage, params.test_percentage
    spoken = [({n: s.speaker for n, s in c.words.items()}, c.listed) for c, _ in found]
    placed = split_speakers(spoken, *shares)
    words = [
        Word(name, said.word, said.speaker, placed[said.speaker], source)
        for folder, source in found
        for name, said in folder.words.items()
    ]
    held_out = (params.held_out_negatives_percentage,) * 2
    # Negatives first: what is in both kinds, such as music, follows them.
    assigned: dict[str, Split | None] = {}
    folders = [folder for folder, _ in found]
    negatives = _split_each(folders, lambda folder: folder.negatives, held_out, assigned)
    backgrounds = _split_each(folders, lambda folder: folder.backgrounds, shares, assigned)
    rooms = _split_each(folders, lambda folder: folder.rooms, shares, assigned)
    return Layout(
        words=sorted(words, key=lambda word: word.name),
        backgrounds=backgrounds,
        negatives=negatives,
        rooms=rooms,
        misplaced={name: why for folder in folders for name, why in folder.misplaced.items()},
        left_out={name: why for folder in folders for name, why in folder.left_out.items()},
    )


def _split_each(
    folders: Sequence[Contents],
    kind: Callable[[Contents], list[str]],
    shares: tuple[float, float],
    assigned: dict[str, Split | None],
) -> dict[Split, list[Part]]:
    """Splits every folder's recordings by itself, so that each split has some of each folder."""
    parts: dict[Split, list[Part]] = {split: [] for split in SPLITS}
    for folder in folders:
        found = split_recordings(kind(folder), *shares, groups=folder.groups, assigned=assigned)
        for split in SPLITS:
            parts[split] += [
                stretch
                for part in found[split]
                for stretch in _stretches(part, folder.stretches.get(part.path))
            ]
    return {split: sorted(found) for split, found in parts.items()}


def _stretches(part: Part, kept: tuple[tuple[float, float], ...] | None) -> Iterator[Part]:
    """What of a part is kept."""
    if kept is None:
        yield part
        return
    for start, end in kept:
        start, end = max(start, part.start_share), min(end, part.end_share)
        if start < end:
            yield part._replace(start_share=start, end_share=end)


def scan(folder: str | os.PathLike[str], params: IngestParams) -> Layout:
    """The layout of a local folder."""
    corpus = Corpus.of_folder(os.fspath(folder))
    return understand_corpus(corpus, list_files, lambda p: Path(p).read_text("utf-8"), params)


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
    names = [f"{inside}/{name}" for name in list_files(folder / inside).files]
    layout = understand(names, lambda name: "", params)
    found = layout.backgrounds if inside == BACKGROUND_FOLDER else layout.negatives
    return [part._replace(path=str(folder / part.path)) for part in found[split]]
