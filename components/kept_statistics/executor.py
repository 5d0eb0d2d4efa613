"""Executors that keep the statistics of train in a folder, and find them there again.

    <folder>/span-<number>/<digest>/FeatureStats.pb     of the train split

The digest is that of the file, so an unchanged corpus is kept once. Which of several is the newest
of a span is said by `LATEST` beside them.
"""

import hashlib
import os
import re
from typing import Any

from absl import logging
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils

from kws.splits import TRAIN

STATISTICS_FILE = "FeatureStats.pb"
LATEST = "LATEST"


class Keeper(base_executor.BaseExecutor):
    """See `component.StatisticsKeeper`."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the file first and its name after, so that a reader finds a whole one."""
        statistics = artifact_utils.get_single_instance(input_dict["statistics"])
        content = _train(statistics)
        digest = hashlib.sha256(content).hexdigest()[:16]
        span = os.path.join(exec_properties["folder"], f"span-{int(statistics.span)}")
        _write(os.path.join(span, digest, STATISTICS_FILE), content)
        latest = os.path.join(span, LATEST)
        before = _read(latest).decode().split() if fileio.exists(latest) else []
        names = [name for name in before if name != digest] + [digest]
        _write(latest, "\n".join(names).encode())


class Previous(base_executor.BaseExecutor):
    """See `component.PreviousStatistics`."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Copies what was found, with its span."""
        current = artifact_utils.get_single_instance(input_dict["current"])
        found = artifact_utils.get_single_instance(output_dict["statistics"])
        fileio.makedirs(found.uri)
        place = _find(exec_properties["folder"], int(current.span), _train(current))
        if place is None:
            logging.info("PreviousStatistics: none were kept in %s", exec_properties["folder"])
            return
        span, file = place
        found.split_names = artifact_utils.encode_split_names([TRAIN])
        found.span = span
        target = artifact_utils.get_split_uri([found], TRAIN)
        _write(os.path.join(target, STATISTICS_FILE), _read(file))
        logging.info("PreviousStatistics: %s", file)


def _find(folder: str, span: int, current: bytes) -> tuple[int, str] | None:
    """Span and file: of the latest earlier span, else the newest others of whichever span.

    The current ones themselves, kept by a run of the same data before, are no others.
    """
    own = hashlib.sha256(current).hexdigest()[:16]
    kept = _spans(folder)
    earlier = sorted((number for number in kept if number < span), reverse=True)
    later = sorted((number for number in kept if number >= span), reverse=True)
    for number in [*earlier, *later]:
        for digest in reversed(kept[number]):
            if digest != own or number < span:
                path = os.path.join(folder, f"span-{number}", digest, STATISTICS_FILE)
                return number, path
    return None


def _spans(folder: str) -> dict[int, list[str]]:
    """Number -> digests, the newest last."""
    found = {}
    for entry in fileio.listdir(folder) if fileio.isdir(folder) else []:
        match = re.fullmatch(r"span-(\d+)/?", str(entry))
        if match:
            latest = os.path.join(folder, match[0].rstrip("/"), LATEST)
            if fileio.exists(latest):
                found[int(match[1])] = _read(latest).decode().split()
    return found


def _train(statistics: types.Artifact) -> bytes:
    folder = artifact_utils.get_split_uri([statistics], TRAIN)
    return _read(os.path.join(folder, STATISTICS_FILE))


def _read(path: str) -> bytes:
    with fileio.open(path, "rb") as file:
        return file.read()


def _write(path: str, content: bytes) -> None:
    fileio.makedirs(os.path.dirname(path))
    with fileio.open(path, "wb") as file:
        file.write(content)
