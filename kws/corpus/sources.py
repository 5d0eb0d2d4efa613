"""Sources: what a user may name as recordings, in `data.sources` of the configuration.

    - {corpus: librispeech-dev-clean}
    - {corpus: musan, uses: [backgrounds]}
    - {speech_commands: DIR_OR_ARCHIVE}
    - {url: "https://…/words.tar.gz", sha256: …}
    - {name: mine, positives: {toaster: DIR}, unknown: DIR, negatives: DIR, backgrounds: DIR}
    - {manifest: FILE.csv}
    - {speech_commands: DIR, span_folder: "week-{SPAN}", last_spans: 4}
    - {voices: true}
    - {own_clips: DIR, keyword: toaster}

A source is one entry; `SourceParams` says what each key means.
"""

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

import pydantic

from kws.corpus import archive, spans
from kws.corpus.catalogue import Terms, Use
from kws.corpus.manifest import SUFFIXES as MANIFEST_SUFFIXES
from kws.labels import check_keywords
from kws.params import Params


class RemoteArchive(NamedTuple):
    """An archive to be loaded.

    Attributes:
      url: of the archive, in the layout of Speech Commands.
      sha256: of its content.
    """

    url: str
    sha256: str


KINDS = ("speech_commands", "url", "corpus", "manifest", "voices", "own_clips")
FOLDERS = ("positives", "unknown", "negatives", "backgrounds")


class SourceParams(Params):
    """One source: exactly one of `speech_commands`, `url`, `corpus`, `manifest`, `voices` and
    `own_clips`, or any of the folders `positives`, `unknown`, `negatives` and `backgrounds`."""

    name: str = pydantic.Field(
        "",
        pattern=r"^([A-Za-z0-9][A-Za-z0-9_-]*)?$",
        description="the clips' `source`, a slicing key; made from the place if it is not given",
    )
    speech_commands: Path | None = pydantic.Field(
        None, description="folder in Speech Commands layout, or an archive of one"
    )
    url: str | None = pydantic.Field(
        None, pattern="^https?://", description="an archive in Speech Commands layout"
    )
    sha256: str | None = pydantic.Field(
        None, pattern="^[0-9a-f]{64}$", description="of the archive at `url`"
    )
    corpus: str | None = pydantic.Field(
        None, description="a public corpus by name, fetched once: kws corpus list"
    )
    uses: tuple[Use, ...] = pydantic.Field(
        (), description="what a corpus is used for; empty: for all that it can be"
    )
    manifest: Path | None = pydantic.Field(
        None, description=".csv, .tsv or .jsonl with path, label, and speaker, start_ms, end_ms"
    )
    voices: bool = pydantic.Field(False, description="the corpus of the section `voices`")
    own_clips: Path | None = pydantic.Field(
        None,
        description="folder of one person's recordings, `<word>/<file>` or all of `keyword`: some "
        "of each keyword are kept back for test, the others are for training",
    )
    keyword: str = pydantic.Field("", description="said in all of own_clips, where they lie flat")
    held_out_share: float = pydantic.Field(
        0.3, gt=0, lt=1, description="of each keyword's own_clips, kept back for test"
    )
    positives: dict[str, Path] = pydantic.Field(
        {}, description="word -> folder of its clips, `[train|eval|test/][<speaker>/]<file>`"
    )
    unknown: Path | None = pydantic.Field(
        None, description="folder of clips of words that are no keyword, laid out likewise"
    )
    negatives: Path | None = pydantic.Field(
        None, description="folder of long recordings in which no keyword is said"
    )
    backgrounds: Path | None = pydantic.Field(None, description="folder of recordings of noise")
    span_folder: str = pydantic.Field(
        "", description="pattern of the folders in `speech_commands` by which it grows: day-{SPAN}"
    )
    last_spans: int = pydantic.Field(1, ge=1, description="how many of the newest spans are taken")
    validation_list: Literal["eval", "test"] | None = pydantic.Field(
        None, description="what validation_list.txt means here, if not what `ingest` says"
    )
    licence: str = pydantic.Field(
        "", description="of your own recordings, for the model card; a corpus brings its own"
    )
    terms: Terms = pydantic.Field(
        "open", description="of your own recordings; others than open hold back the model"
    )

    @pydantic.field_validator("positives")
    @classmethod
    def _words(cls, positives: dict[str, Path]) -> dict[str, Path]:
        try:
            words = check_keywords(tuple(positives))
        except ValueError as error:
            raise ValueError(f"{error} (recordings of other words go to `unknown`)") from None
        return dict(zip(words, positives.values(), strict=True))

    @pydantic.model_validator(mode="after")
    def _one_kind(self) -> "SourceParams":
        given = [key for key in KINDS if getattr(self, key)]
        folders = [key for key in FOLDERS if getattr(self, key)]
        if len(given) + bool(folders) != 1:
            raise ValueError(
                f"a source is one of {', '.join(KINDS)}, or folders of {', '.join(FOLDERS)}; "
                f"this has {' and '.join(given + folders) or 'none of them'}"
            )
        if bool(self.url) != bool(self.sha256):
            raise ValueError("url and sha256 belong together: what is loaded must be known")
        if self.url and not archive.is_archive(urlsplit(self.url).path):
            raise ValueError(f"url={self.url} is no archive: one of {', '.join(archive.SUFFIXES)}")
        if self.manifest and self.manifest.suffix.lower() not in MANIFEST_SUFFIXES:
            raise ValueError(
                f"manifest={self.manifest}: a manifest ends in {', '.join(MANIFEST_SUFFIXES)}"
            )
        if self.uses and not self.corpus:
            raise ValueError(f"uses={list(self.uses)} is of a corpus: name the folders instead")
        if self.corpus and (self.licence or self.terms != "open"):
            raise ValueError(f"corpus={self.corpus} brings its own licence and terms")
        if self.keyword and not self.own_clips:
            raise ValueError(f"keyword={self.keyword!r} is of own_clips: name the folder")
        check_spans(self.span_folder, self.last_spans, self.speech_commands)
        return self

    @property
    def to_load(self) -> RemoteArchive | None:
        """The archive at `url`, if there is one."""
        return RemoteArchive(self.url, self.sha256) if self.url and self.sha256 else None


def check_spans(span_folder: str, last_spans: int, folder: Path | None) -> None:
    """Refuses spans of anything but a folder, and patterns that are none.

    Raises:
      ValueError: says which.
    """
    if not span_folder:
        if last_spans != 1:
            raise ValueError(f"last_spans={last_spans} needs span_folder, such as day-{{SPAN}}")
        return
    if folder is None or archive.is_archive(folder):
        raise ValueError(f"span_folder={span_folder} needs a folder of which they are a part")
    spans.check_pattern(span_folder)


def names_of(sources: Sequence[SourceParams]) -> list[str]:
    """A name for each source, all different.

    Raises:
      ValueError: two were given the same name.
    """
    names: list[str] = []
    given = [source.name for source in sources if source.name]
    for source in sources:
        name = source.name
        if name and given.count(name) > 1:
            raise ValueError(f"two sources have the name {name!r}: give them different ones")
        base = name = name or _made_name(source)
        number = 1
        while not source.name and (name in names or name in given):
            number += 1
            name = f"{base}-{number}"
        names.append(name)
    return names


def _made_name(source: SourceParams) -> str:
    """From the place, or from the kind where there is none."""
    place = source.speech_commands or source.manifest or source.own_clips
    if source.corpus:
        return source.corpus.replace(".", "_")
    if source.url:
        place = Path(PurePosixPath(urlsplit(source.url).path).name)
    if place is None:
        return "voices" if source.voices else next(k for k in FOLDERS if getattr(source, k))
    title = place.absolute().name
    for suffix in (*archive.SUFFIXES, *MANIFEST_SUFFIXES):
        title = title.removesuffix(suffix)
    return re.sub(r"[^A-Za-z0-9_-]+", "_", title).strip("_-") or "recordings"
