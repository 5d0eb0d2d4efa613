"""Are the recordings complete, or is somebody still writing them?

Complete is what nobody has changed for a while, or what has a file that says so. Time is the
inode's (`ctime`): copying, unpacking and renaming set it, and nothing can set it back, while the
time of modification comes along with the copy.
"""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from kws.audio.corpus import Folder
from kws.storage import cache_root
from kws.training.retraining_params import RetrainingParams


class Clock(NamedTuple):
    """Time, for tests to stand still.

    Attributes:
      now: seconds since 1970.
      sleep: waits for seconds.
    """

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


_CLOCK = Clock()


def wait_until_complete(
    folders: Sequence[Folder],
    params: RetrainingParams,
    say: Callable[[str], None],
    clock: Clock = _CLOCK,
) -> bool:
    """Waits until nothing has changed for `settle_seconds`; for a file to come it does not wait.

    Args:
      folders: of the corpus, the newest span of a source being its last.
      params: what says that they are complete.
      say: told why it waits, once.
      clock: time.

    Returns:
      True if it had to wait, so that one has to look again.

    Raises:
      Incomplete: the file that says so is not there.
    """
    if params.complete_file:
        for folder in _newest_of_sources(folders):
            if not (Path(folder.path) / params.complete_file).is_file():
                raise Incomplete(f"{folder.path} has no {params.complete_file}")
        return False
    paths = [Path(folder.path) for folder in folders if not _ours(folder)]
    waited = False
    changed = _last_change(paths)
    while clock.now() - changed < params.settle_seconds:
        if not waited:
            say(f"waiting until nothing has changed for {params.settle_seconds:g} s")
        # A clock of another machine may be ahead: then what counts is that it stays as it is.
        remaining = changed + params.settle_seconds - clock.now()
        clock.sleep(max(0.0, min(remaining, params.settle_seconds)))
        before, changed, waited = changed, _last_change(paths), True
        if changed == before:
            break
    return waited


class Incomplete(Exception):
    """The newest recordings are not complete yet; says which."""


def _newest_of_sources(folders: Sequence[Folder]) -> list[Folder]:
    """Of each source that grows by spans, the newest; without spans, the one plain folder."""
    newest: dict[str, Folder] = {}
    for folder in folders:
        grows = folder.prefix != folder.source and folder.kind == "speech_commands"
        if grows or not folder.prefix:
            newest[folder.source] = folder
    return list(newest.values())


def _ours(folder: Folder) -> bool:
    """Loaded, unpacked or synthesized here: it comes to its place when it is complete."""
    return Path(folder.path).is_relative_to(cache_root().resolve())


def _last_change(paths: Sequence[Path]) -> float:
    """Seconds since 1970 of the last change of any file or folder below."""
    newest = 0.0
    for path in paths:
        for parent, _, files in os.walk(path):
            for name in (parent, *(os.path.join(parent, file) for file in files)):
                try:
                    newest = max(newest, os.lstat(name).st_ctime)
                except FileNotFoundError:
                    newest = time.time()  # it was there a moment ago
    return newest
