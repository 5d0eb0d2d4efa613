"""The versions of bundles in a destination: which there are, which is served, and changing that.

What is served is named by the file `LATEST`, which is replaced in one step: a reader finds either
the old version or the new one, never neither.
"""

import dataclasses
import json
import os

from kws.bundle import manifest, publishing
from kws.bundle.destination import LATEST, Destination
from kws.bundle.destinations import open_destination
from kws.errors import KwsError

Place = str | os.PathLike[str] | Destination
"""A folder, a bucket's URL, or what was made of one."""


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


def served(place: Place) -> str | None:
    """The name of the version that `LATEST` names; None if nothing was pushed yet."""
    return open_place(place).served()


def list_versions(place: Place) -> list[Version]:
    """All complete versions, the oldest first.

    Raises:
      KwsError: there is no such place.
    """
    destination = _existing(place)
    try:
        current = destination.served()
    except KwsError:
        current = None  # the list is what one chooses another from
    return [_read(destination, name, current) for name in destination.versions()]


def broken(place: Place) -> dict[str, str | None]:
    """Name of each version -> what is wrong with it, None where it is whole.

    All of it is checked: see `kws.bundle.publishing.verify`. `LATEST` is a key, too, where it names
    nothing, or a version that is not there.

    Raises:
      KwsError: there is no such place.
    """
    destination = _existing(place)
    names, found = destination.versions(), dict[str, str | None]()
    for name in names:
        try:
            _verify(destination, name)
            found[name] = None
        except (KwsError, OSError, ValueError, KeyError) as error:
            found[name] = " ".join(str(error).split())
    try:
        current = destination.served()
        if current is not None and current not in names:
            found[LATEST] = f"{destination.url}/{LATEST} names {current!r}, which is not there"
    except KwsError as error:
        found[LATEST] = error.message
    return found


def promote(place: Place, name: str) -> None:
    """Serves a version, older or newer than the one served now, after checking all of it.

    Raises:
      KwsError: there is no such version, or it is not whole: what is served stays.
    """
    destination = _existing(place)
    names = destination.versions()
    if name not in names:
        raise KwsError(
            f"{destination.url} has no version {name!r}",
            hint=f"it has {', '.join(names) or 'none'}",
        )
    with destination.writing():
        _verify(destination, name)
        destination.serve(name)


def rollback(place: Place) -> str:
    """Serves the version before the one served now, and returns its name.

    Raises:
      KwsError: there is none before, or it is not whole: what is served stays.
    """
    destination = _existing(place)
    current = destination.served()
    if current is None:
        raise KwsError(f"{destination.url} serves no version yet: there is nothing to go back from")
    older = [name for name in destination.versions() if int(name) < int(current)]
    if not older:
        raise KwsError(
            f"{destination.url} has no version before {current}: there is nothing to go back to"
        )
    try:
        promote(destination, older[-1])
    except KwsError as error:
        hint = f"still served: {current}; an older one is chosen by: kws bundle promote"
        raise KwsError(error.message, hint=hint) from error
    return older[-1]


def open_place(place: Place) -> Destination:
    """The destination; see `kws.bundle.destinations.open_destination`."""
    return place if isinstance(place, Destination) else open_destination(place)


def _existing(place: Place) -> Destination:
    destination = open_place(place)
    if not destination.exists():
        raise KwsError(f"{destination.url} is no folder of bundles")
    return destination


def _verify(destination: Destination, name: str) -> None:
    with destination.fetched(name) as folder:
        publishing.verify(folder)


def _read(destination: Destination, name: str, current: str | None) -> Version:
    try:
        described = json.loads(destination.read(name, manifest.MANIFEST_FILE))
    except (OSError, ValueError):
        described = {}
    return Version(
        name=name,
        created=described.get("created", ""),
        served=name == current,
        model_bytes=described.get("model", {}).get("bytes", 0),
        arena_bytes=described.get("arena", {}).get("recommended_bytes", 0),
        keywords=tuple(described.get("keywords", ())),
    )
