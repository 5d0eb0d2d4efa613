"""NewData's executor: fingerprints the newest recordings, and looks whether they were judged."""

import hashlib
import os
from typing import Any

from absl import logging
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils

from components.object_stores import listing
from kws.bundle.registry import Registry
from kws.corpus.spans import find_spans, last_spans
from kws.errors import KwsError

GIVEN = "given_"
"""Properties that the compiled specification binds to the parameters of a run: part of what a model
is made of."""
NEWEST = -1
SPAN_PROPERTY = "span"


class Executor(base_executor.BaseExecutor):
    """See `component.NewData`."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Says "true" or "false", and in the log why.

        Raises:
          KwsError: there are no recordings.
        """
        span, folders = _folders(exec_properties)
        fingerprint = _fingerprint(folders, exec_properties)
        before = Registry(exec_properties["destination"]).verdict(fingerprint)
        new = before is None or bool(int(exec_properties.get("force") or 0))
        if before is not None:
            logging.info(
                "NewData: nothing new: %s was judged on %s (%s)%s",
                _said(span),
                before["at"],
                before["verdict"],
                "; forced" if new else "",
            )
        else:
            logging.info("NewData: %s is new", _said(span))
        for key, value in (("new", "true" if new else "false"), ("fingerprint", fingerprint)):
            artifact = artifact_utils.get_single_instance(output_dict[key])
            fileio.makedirs(os.path.dirname(artifact.uri))
            artifact.write(value)
            artifact.set_int_custom_property(SPAN_PROPERTY, span if span is not None else NEWEST)


def _said(span: int | None) -> str:
    return "this data" if span is None else f"span {span}"


def _folders(properties: dict[str, Any]) -> tuple[int | None, list[str]]:
    """The newest span, or the one that was asked for, and all folders that would be ingested."""
    base, pattern = properties["input_base"].rstrip("/"), properties.get("span_folder") or ""
    if not fileio.isdir(base):
        raise KwsError(f"{base} is no folder", hint="the parameter data is where recordings are")
    if not pattern:
        return None, [base]

    def list_folders(inside: str) -> list[str]:
        names = [str(name).rstrip("/") for name in fileio.listdir(os.path.join(base, inside))]
        return [name for name in names if fileio.isdir(os.path.join(base, inside, name))]

    every = find_spans(pattern, list_folders)
    asked = int(properties.get(f"{GIVEN}span", NEWEST))
    if asked > NEWEST:
        every = [span for span in every if span.number <= asked]
    taken = last_spans(every, int(properties["last_spans"]), f"{base}/{pattern}")
    return taken[-1].number, [f"{base}/{span.folder}" for span in taken]


def _fingerprint(folders: list[str], properties: dict[str, Any]) -> str:
    """Over names, sizes and times of all files (one listing of a bucket), and all settings."""
    digest = hashlib.blake2b(properties["settings"].encode(), digest_size=16)
    for name in sorted(key for key in properties if key.startswith(GIVEN)):
        # Numbers come as floats on Kubeflow, whatever they were given as.
        value = properties[name]
        digest.update(f"\n{name}={float(value) if isinstance(value, int) else value}".encode())
    for folder in folders:
        digest.update(f"\n{os.path.basename(folder)}".encode())
        for name, size_bytes, changed in listing(folder):
            line = f"\n/{name}\0{size_bytes}\0{changed}"
            digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
