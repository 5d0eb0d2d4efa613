"""The kinds of destinations, by what a person calls them."""

import os
import re

from kws.errors import KwsError
from kws.micro.destination import Destination
from kws.micro.local_destination import LocalDestination


def is_url(place: str | os.PathLike[str]) -> bool:
    """Whether it names a scheme, as `gs://bucket/folder` does."""
    return re.match("[a-zA-Z][a-zA-Z0-9+.-]*://", os.fspath(place)) is not None


def open_destination(place: str | os.PathLike[str]) -> Destination:
    """The destination of a path, of `file://`, or of a bucket's URL.

    Raises:
      KwsError: a scheme that is not known, or whose client is not installed.
    """
    if not is_url(place):
        return LocalDestination(place)
    scheme, _, path = os.fspath(place).partition("://")
    if scheme == "file":
        if not path.startswith("/"):
            raise KwsError(f"{place} is no URL of a folder", hint="file:///home/me/bundles")
        return LocalDestination(path)
    from kws.micro.object_store import open_store

    return open_store(os.fspath(place))
