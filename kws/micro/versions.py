"""The versions of bundles in a destination: which there are, which is served, and changing that.

What is served is named by the file `LATEST`, which is replaced in one step: a reader finds either
the old version or the new one, never neither.
"""

import dataclasses
import json
from pathlib import Path

from kws.errors import KwsError
from kws.micro import bundle, manifest


@dataclasses.dataclass(frozen=True, kw_only=True)
class Version:
    """One bundle of a destination.

    Attributes:
      name: digits.
      created: ISO 8601 in UTC, as in its manifest; "" if that cannot be read.
      served: `LATEST` names it.
      model_bytes: of `model.tflite`.
      arena_bytes: recommended.
      keywords: that it spots.
    """

    name: str
    created: str
    served: bool
    model_bytes: int
    arena_bytes: int
    keywords: tuple[str, ...]


def served(destination: str | Path) -> str | None:
    """The name of the version that `LATEST` names; None if nothing was pushed yet."""
    try:
        return (Path(destination) / bundle.LATEST).read_text().strip()
    except FileNotFoundError:
        return None


def list_versions(destination: str | Path) -> list[Version]:
    """All complete versions, the oldest first.

    Raises:
      KwsError: the destination is no folder of bundles.
    """
    current = served(destination)
    return [_read(Path(destination) / name, current) for name in _names(Path(destination))]


def promote(destination: str | Path, name: str) -> None:
    """Serves a version, older or newer than the one served now, after checking all of it.

    Raises:
      KwsError: there is no such version, or it is not whole: what is served stays.
    """
    destination = Path(destination)
    names = _names(destination)
    if name not in names:
        raise KwsError(
            f"{destination} has no version {name!r}", hint=f"it has {', '.join(names) or 'none'}"
        )
    bundle.verify(destination / name)
    bundle.serve(destination, name)


def rollback(destination: str | Path) -> str:
    """Serves the version before the one served now, and returns its name.

    Raises:
      KwsError: there is none before, or it is not whole: what is served stays.
    """
    current, names = served(destination), _names(Path(destination))
    older = [name for name in names if current is not None and int(name) < int(current)]
    if not older:
        raise KwsError(
            f"{destination} has no version before {current}: there is nothing to go back to"
        )
    promote(destination, older[-1])
    return older[-1]


def _names(destination: Path) -> list[str]:
    if not destination.is_dir():
        raise KwsError(f"{destination} is no folder of bundles")
    found = (path.name for path in destination.iterdir() if path.is_dir() and path.name.isdigit())
    return sorted(found, key=int)


def _read(folder: Path, current: str | None) -> Version:
    try:
        described = json.loads((folder / manifest.MANIFEST_FILE).read_text())
    except (OSError, ValueError):
        described = {}
    return Version(
        name=folder.name,
        created=described.get("created", ""),
        served=folder.name == current,
        model_bytes=described.get("model", {}).get("bytes", 0),
        arena_bytes=described.get("arena", {}).get("recommended_bytes", 0),
        keywords=tuple(described.get("keywords", ())),
    )
