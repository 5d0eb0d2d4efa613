"""The catalogue: public corpora by name, with their addresses, checksums, licences and uses.

It ships as `data/catalogue.yaml`; a user's own table, in the same form, adds to it or replaces an
entry. `$KWS_CORPORA_MIRROR` names a place (an address, or a folder) from which archives are taken
instead of the public addresses, by the same file names.
"""

import difflib
import functools
import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any, Literal
from urllib.parse import urlsplit

import pydantic
import yaml

from kws.corpus import archive
from kws.corpus.download import Checksum
from kws.errors import KwsError
from kws.params import Params

MIRROR = "KWS_CORPORA_MIRROR"
SHIPPED = Path(__file__).parent / "data" / "catalogue.yaml"

Use = Literal["words", "negatives", "backgrounds", "rooms"]
"""Clips in the layout of Speech Commands; sound in which no keyword is said; noise and music to lay
words over; impulse responses of rooms."""
Terms = Literal["open", "non-commercial", "research-only"]
LayoutName = Literal[
    "speech_commands", "librispeech", "musan", "rirs", "dipco", "demand", "fma", "recordings"
]

USES: dict[str, tuple[Use, ...]] = {
    "speech_commands": ("words",),
    "librispeech": ("negatives",),
    "musan": ("negatives", "backgrounds"),
    "rirs": ("rooms", "backgrounds"),
    "dipco": ("negatives",),
    "demand": ("backgrounds",),
    "fma": ("backgrounds", "negatives"),
    "recordings": ("negatives",),
}
"""By layout, in the order of importance."""


class CatalogueEntry(Params):
    """One public corpus; `data/catalogue.yaml` says what its fields are."""

    name: str = pydantic.Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    urls: tuple[str, ...] = pydantic.Field(min_length=1)
    sha256: str | None = pydantic.Field(None, pattern="^[0-9a-f]{64}$")
    sha1: str | None = pydantic.Field(None, pattern="^[0-9a-f]{40}$")
    md5: str | None = pydantic.Field(None, pattern="^[0-9a-f]{32}$")
    bytes: int | None = pydantic.Field(None, gt=0)
    layout: LayoutName
    hours: float | None = pydantic.Field(None, gt=0)
    licence: str = pydantic.Field(min_length=1)
    licence_url: str = ""
    attribution: str = ""
    terms: Terms = "open"
    note: str = ""

    @pydantic.model_validator(mode="after")
    def _fetchable(self) -> "CatalogueEntry":
        for url in self.urls:
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not archive.is_archive(parts.path):
                raise ValueError(
                    f"urls: {url} must be the http or https address of an archive "
                    f"({', '.join(archive.SUFFIXES)})"
                )
        if not (self.sha256 or self.sha1 or self.md5):
            raise ValueError("a checksum is needed, sha256, sha1 or md5: what is loaded is checked")
        return self

    @property
    def checksum(self) -> Checksum:
        """The strongest that is known."""
        for algorithm in ("sha256", "sha1", "md5"):
            if value := getattr(self, algorithm):
                return Checksum(algorithm, value)
        raise AssertionError("an entry has a checksum")

    @property
    def uses(self) -> tuple[Use, ...]:
        """What it can be used for."""
        return USES[self.layout]

    @property
    def file_name(self) -> str:
        """Of the archive."""
        return PurePosixPath(urlsplit(self.urls[0]).path).name

    @property
    def has_transcripts(self) -> bool:
        """Whether what holds a keyword can be left out."""
        return self.layout in ("librispeech", "dipco")

    def credit(self) -> str:
        """`name: licence (address), attribution`, for the model card."""
        where = f" ({self.licence_url})" if self.licence_url else ""
        by = f", {self.attribution}" if self.attribution else ""
        terms = "" if self.terms == "open" else f", {self.terms}"
        return f"{self.name}: {self.licence}{where}{terms}{by}"


class Catalogue(Params):
    """All corpora.

    Attributes:
      corpora: what can be fetched, by name.
      by_hand: name -> what to do about a corpus that cannot.
    """

    corpora: dict[str, CatalogueEntry] = pydantic.Field({})
    by_hand: dict[str, str] = pydantic.Field({})

    def find(self, name: str) -> CatalogueEntry:
        """The corpus of that name.

        Raises:
          KwsError: there is none; names those that are spelled nearly so.
        """
        if name in self.corpora:
            return self.corpora[name]
        if name in self.by_hand:
            raise KwsError(f"corpus {name} cannot be fetched", hint=self.by_hand[name])
        raise KwsError(f"no corpus {name!r} in the catalogue", hint=self._nearest(name))

    def _nearest(self, name: str) -> str:
        known = [*self.corpora, *self.by_hand]
        spelled = name.lower().replace("_", "-").replace(" ", "-")
        near = difflib.get_close_matches(spelled, known, n=3, cutoff=0.5)
        near += [other for other in known if spelled and spelled in other and other not in near]
        if near:
            return f"did you mean {' or '.join(near[:4])}? kws corpus list shows all"
        return f"known: {', '.join(self.corpora)}"

    def names(self) -> list[str]:
        """Of what can be fetched."""
        return list(self.corpora)


def load(table: Path | None = None) -> Catalogue:
    """The shipped catalogue, with a user's table over it.

    Raises:
      KwsError: the table is missing or wrong; says where.
    """
    shipped = _shipped()
    if table is None:
        return shipped
    own = _read(table)
    return Catalogue(
        corpora={**shipped.corpora, **own.corpora}, by_hand={**shipped.by_hand, **own.by_hand}
    )


def parse_names(names: Iterable[str]) -> list[str]:
    """`["a,b", "c"]` gives `["a", "b", "c"]`, each once."""
    every = [name.strip() for text in names for name in text.split(",")]
    return list(dict.fromkeys(name for name in every if name))


def addresses(entry: CatalogueEntry) -> tuple[list[str], Path | None]:
    """Where the archive is to be had: addresses, or a file of a mirror that is a folder."""
    mirror = os.environ.get(MIRROR, "").strip()
    if not mirror:
        return list(entry.urls), None
    if urlsplit(mirror).scheme in ("http", "https"):
        return [f"{mirror.rstrip('/')}/{entry.file_name}"], None
    file = Path(mirror).expanduser() / entry.file_name
    if not file.is_file():
        raise KwsError(
            f"{file} does not exist",
            hint=f"{MIRROR}={mirror} is a folder: {entry.name} is expected in it under that name",
        )
    return [], file


@functools.cache
def _shipped() -> Catalogue:
    return _read(SHIPPED)


def _read(path: Path) -> Catalogue:
    try:
        values = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise KwsError(
            f"{path}: {error.strerror}", hint="a table of corpora is a YAML file"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise KwsError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict) or not isinstance(values.get("corpora", {}), dict):
        raise KwsError(f"{path}: a table of corpora is a mapping with the keys corpora and by_hand")
    corpora: dict[str, Any] = {}
    for name, value in (values.get("corpora") or {}).items():
        if not isinstance(value, dict):
            raise KwsError(f"{path}: corpora.{name} is a mapping, this is {value!r}")
        corpora[str(name)] = {**value, "name": str(name)}
    try:
        return Catalogue.model_validate({**values, "corpora": corpora})
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise KwsError(f"{path}: {where}: {said}") from None
