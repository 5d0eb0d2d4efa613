"""Corpus: the folders of a corpus, found and unpacked, and the names of their files.

`kws.corpus.sources` defines what a user may ask for; a `Corpus` is the result, written as
`sources.json` if there is more than one plain folder. A file is
`<prefix>/<name inside the folder>`.
"""

import dataclasses
import functools
import json
from typing import Literal

from kws.corpus import fragment

SOURCES_FILE = "sources.json"
_FORMAT = 1

Kind = Literal["speech_commands", "clips", "negatives", "backgrounds", "manifest", "corpus"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Folder:
    """One folder of recordings.

    Attributes:
      path: of the folder, absolute.
      kind: how it is laid out: as Speech Commands, clips of one word, long recordings without a
        keyword or of noise (`kws.corpus.contents`), or as a manifest in it says, or the index of a
        public corpus (`kws.corpus.index`).
      prefix: of the names of its files, without `/`; "" in a corpus of one plain folder.
      source: name of the source, a slicing key of the clips; "" in a corpus of one plain folder.
      word: of clips; "" for words of any kind.
      manifest: its file name inside the folder; of a public corpus, that of its index.
      validation_list: the split that `validation_list.txt` names; "" for what IngestParams says.
      fingerprint: of the files' names, sizes and times when they were last looked at; nothing reads
        it, but a changed one changes `sources.json`, and that is a new ingestion.
      uses: what a public corpus is used for; empty: all that it can be.
      split: of all its clips of words; "" for what lists and speakers say.
    """

    path: str
    kind: Kind = "speech_commands"
    prefix: str = ""
    source: str = ""
    word: str = ""
    manifest: str = ""
    validation_list: Literal["", "eval", "test"] = ""
    fingerprint: str = ""
    uses: tuple[str, ...] = ()
    split: Literal["", "train"] = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "uses", tuple(self.uses))  # JSON knows lists alone.


@dataclasses.dataclass(frozen=True)
class Corpus:
    """All folders."""

    folders: tuple[Folder, ...]

    @classmethod
    def of_folder(cls, path: str) -> "Corpus":
        """One plain folder in the layout of Speech Commands, whose files have no prefix."""
        return cls((Folder(path=path),))

    def path_of(self, name: str) -> str:
        """Where the recording is that a name (with or without a fragment) means."""
        folder, inside = self.find(name)
        return f"{folder.path}/{inside}"

    def source_of(self, name: str) -> str:
        """The source of the recording; "" in a corpus of one plain folder."""
        return self.find(name)[0].source

    def find(self, name: str) -> tuple[Folder, str]:
        """The folder that a recording is in, and its name there (without a fragment)."""
        inside = fragment.parse(name).path
        if len(self.folders) == 1 and not self.folders[0].prefix:
            return self.folders[0], inside
        prefix, _, inside = inside.partition("/")
        folder = self._by_prefix.get(prefix)
        if folder is None:
            raise KeyError(f"no folder of the corpus has the prefix {prefix!r} of {name!r}")
        return folder, inside

    @functools.cached_property
    def _by_prefix(self) -> dict[str, Folder]:
        return {folder.prefix: folder for folder in self.folders}

    def to_json(self) -> str:
        """What `sources.json` holds."""
        folders = [dataclasses.asdict(folder) for folder in self.folders]
        return json.dumps({"format": _FORMAT, "folders": folders}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Corpus":
        """Reads what `to_json` wrote."""
        values = json.loads(text)
        if values.get("format") != _FORMAT:
            raise ValueError(f"{SOURCES_FILE} has format {values.get('format')}, not {_FORMAT}")
        return cls(tuple(Folder(**folder) for folder in values["folders"]))
