"""A run's folder that lies elsewhere than when it was written: moved, copied, or mounted anew.

ML Metadata names artifacts by absolute paths. All of a run's own are below its folder, in TFX's
layout `<folder>/artifacts/<step>/<key>/<execution>`, so their place now follows from that of the
folder. Readers see them there (`RelocatedStore`); a run that goes on has it written down
(`rewrite`), because TFX itself reads the paths. What lies outside of the folder is left as it is.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ml_metadata.metadata_store import ListOptions, MetadataStore, OrderByField
from ml_metadata.proto import metadata_store_pb2 as mlmd

from kws.errors import KwsError

ARTIFACTS = "artifacts"
"""Folder of TFX's pipeline root: see `pipeline.paths.Paths.root`."""
_LAYOUT = re.compile(rf"(/.+)/{ARTIFACTS}/[^/]+/[^/]+/(\d+)(?:/.*)?")
_SAMPLE = 200
"""Artifacts, oldest and newest, by which it is told where a run has been."""


class RelocatedStore:
    """A store whose artifacts and executions are read as if the run had always been here."""

    def __init__(self, store: MetadataStore, former: Iterable[str], here: Path):
        """Reads nothing yet.

        Args:
          store: as it was written.
          former: folders in which the run was, see `former_folders`.
          here: its folder now.
        """
        self._store, self._former, self._here = store, tuple(former), here

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if not name.startswith(("get_artifacts", "get_executions")):
            return method

        def read(*args: Any, **kwargs: Any) -> Any:
            found = method(*args, **kwargs)
            for item in found:
                _relocate(item, self._former, self._here)
            return found

        return read


def former_folders(store: MetadataStore, here: Path, pipeline: str | None) -> list[str]:
    """Where the run was when it was written, if that is not where it is.

    Args:
      store: its metadata.
      here: its folder now, resolved.
      pipeline: its name where others share the store; None: the store is its own.
    """
    if not (here / ARTIFACTS).is_dir():
        return []  # only its metadata came along: the artifacts may be where they were
    sample: dict[int, mlmd.Artifact] = {}
    for newest_first in (True, False):
        options = ListOptions(limit=_SAMPLE, order_by=OrderByField.ID, is_asc=not newest_first)
        sample.update({one.id: one for one in store.get_artifacts(list_options=options)})
    candidates: dict[str, dict[int, int]] = {}
    for artifact in sample.values():
        layout = _LAYOUT.fullmatch(artifact.uri)
        if layout is None or layout[1] == str(here):
            continue
        if pipeline is None or Path(layout[1]).name == pipeline:
            candidates.setdefault(layout[1], {})[artifact.id] = int(layout[2])
    return [root for root, made in candidates.items() if _is_own(store, made)]


def rewrite(store: MetadataStore, here: Path, pipeline: str | None) -> list[str]:
    """Writes down where the run's artifacts are now, and returns where the run was.

    Raises:
      KwsError: others share the store, and the run is still where it was: this is a copy.
    """
    former = former_folders(store, here, pipeline)
    there = [root for root in former if (Path(root) / ARTIFACTS).is_dir()]
    if there and pipeline is not None:
        raise KwsError(
            f"{here} is a copy of the run {there[0]}, and both have the same metadata store",
            hint="go on in the original, or give the copy a store of its own: the section metadata",
        )
    if former:
        moved = [one for one in store.get_artifacts() if _relocate(one, former, here)]
        store.put_artifacts(moved)
    return former


def _is_own(store: MetadataStore, made: dict[int, int]) -> bool:
    """Whether any of the artifacts was made there, and not imported from another run.

    Args:
      store: the metadata.
      made: id of each artifact, and the execution that its path names.
    """
    events = store.get_events_by_artifact_ids(list(made))
    return any(
        event.type == mlmd.Event.OUTPUT and event.execution_id == made[event.artifact_id]
        for event in events
    )


def _relocate(item: mlmd.Artifact | mlmd.Execution, former: Iterable[str], here: Path) -> bool:
    """Changes the paths of an artifact or execution; whether there were any to change."""
    changed = False
    for root in former:

        def now(path: str, root: str = root) -> str:
            below = path == root or path.startswith(f"{root}/")
            return f"{here}{path[len(root) :]}" if below else path

        if isinstance(item, mlmd.Artifact) and now(item.uri) != item.uri:
            item.uri = now(item.uri)
            changed = True
        for value in item.custom_properties.values():
            if value.HasField("string_value") and now(value.string_value) != value.string_value:
                value.string_value = now(value.string_value)
                changed = True
    return changed
