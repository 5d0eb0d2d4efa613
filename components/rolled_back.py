"""Models that somebody has rolled back: pushed once, in a version above the one served now.

`kws bundle rollback` says that a version was not as good as its gates. No training should start
from it, and no candidate has to be as good. Promoted again, it counts again.
"""

import logging

from tfx import types

from kws.bundle.destination import is_version
from kws.bundle.destinations import open_destination
from kws.errors import KwsError

MODEL_ID = "current_model_id"
"""Custom property of MicroPusher's output: the id of the model in the bundle."""


def rolled_back(pushed: list[types.Artifact]) -> set[int]:
    """Ids of such models.

    Args:
      pushed: outputs of MicroPusher, of any runs.
    """
    served: dict[str, str | None] = {}
    found = set()
    for artifact in pushed:
        version = artifact.get_string_custom_property("pushed_version")
        place = artifact.get_string_custom_property("pushed_destination")
        if not is_version(version) or not place:
            continue
        folder = place.rstrip("/").rpartition("/")[0]
        if folder not in served:
            served[folder] = _served(folder)
        now = served[folder]
        if now and int(version) > int(now):
            found.add(artifact.get_int_custom_property(MODEL_ID))
    return found


def _served(folder: str) -> str | None:
    try:
        destination = open_destination(folder)
        return destination.served() if destination.exists() else None
    except (KwsError, OSError) as error:
        logging.warning("What %s serves is not known: %s", folder, error)
        return None
