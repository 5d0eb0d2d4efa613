"""Traces a pushed bundle back to its clips in ML Metadata, and checks it against the bundle."""

import csv
import dataclasses
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ml_metadata.proto import metadata_store_pb2 as mlmd

from kws import storage
from kws.bundle import lineage
from kws.bundle import lineage as bundles
from kws.corpus.digests import ClipDigest, ClipName, name_of
from kws.errors import KwsError
from kws.export import feature_reader
from kws.runtime.int8_file import MODEL_FILE
from kws.splits import SPLITS
from pipeline import metadata_store

PUSHER = "MicroPusher"
LOOKUP = "RegistryLookup"
INGESTION = "AudioExampleGen"
_SERVING = "Format-Serving"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Made:
    """An artifact and how it came to be.

    Attributes:
      key: by which the step that reads it calls it.
      id, type, uri: of the artifact.
      properties: its custom properties.
      step: the component that made it.
      execution: that one's id.
      settings: what it was run with.
      inputs: what it was made from; an artifact that stands elsewhere in the tree is there again.
    """

    key: str
    id: int
    type: str
    uri: str
    properties: dict[str, Any]
    step: str
    execution: int
    settings: dict[str, Any]
    inputs: tuple["Made", ...]

    @property
    def version(self) -> str:
        """Of a model that was looked up at the destination, the version of its bundle; else ""."""
        return str(self.properties.get("version", "")) if self.step == LOOKUP else ""

    def find(self, step: str) -> "Made | None":
        """The first artifact of a step at or below this one."""
        return next((one for one in self.walk() if one.step == step), None)

    def walk(self) -> Iterator["Made"]:
        """This one and all below."""
        yield self
        for one in self.inputs:
            yield from one.walk()

    def to_dict(self, seen: set[int] | None = None) -> dict[str, Any]:
        """For JSON; the inputs of what was told before are not told again."""
        seen = set() if seen is None else seen
        told = self.id in seen
        seen.add(self.id)
        return {
            "key": self.key,
            "id": self.id,
            "type": self.type,
            "uri": self.uri,
            "step": self.step,
            "execution": self.execution,
            "inputs": [] if told else [one.to_dict(seen) for one in self.inputs],
        }


@dataclasses.dataclass(frozen=True)
class Check:
    """Something that the bundle and ML Metadata both say.

    Attributes:
      what: one of the things.
      agrees: None: it cannot be looked at any more.
      detail: both figures, or why not.
    """

    what: str
    agrees: bool | None
    detail: str


def trace(place: Path, version: str) -> Made:
    """Follows a bundle's version through ML Metadata.

    Args:
      place: of the metadata, see `pipeline.metadata_store`.
      version: of the bundle.

    Raises:
      KwsError: nothing there says that it pushed this version.
    """
    store = metadata_store.store(place)
    pushed = [
        artifact
        for artifact in store.get_artifacts_by_type("PushedModel")
        if artifact.custom_properties["pushed_version"].string_value == version
    ]
    if not pushed:
        raise KwsError(
            f"{place} knows of no bundle {version}",
            hint="name the metadata of the run that pushed it: --metadata runs/NAME",
        )
    types = {kind.id: kind.name for kind in store.get_execution_types()}
    known: dict[int, Made] = {}

    def follow(artifact: mlmd.Artifact, key: str) -> Made:
        if artifact.id not in known:
            events = store.get_events_by_artifact_ids([artifact.id])
            # The first: the others took it from the cache.
            execution_id = min(e.execution_id for e in events if e.type == mlmd.Event.OUTPUT)
            (execution,) = store.get_executions_by_id([execution_id])
            read = [
                event
                for event in store.get_events_by_execution_ids([execution_id])
                if event.type == mlmd.Event.INPUT
            ]
            found = {
                one.id: one for one in store.get_artifacts_by_id([e.artifact_id for e in read])
            }
            inputs = tuple(
                follow(found[event.artifact_id], _key(event))
                for event in sorted(read, key=lambda event: (_key(event), event.artifact_id))
            )
            known[artifact.id] = Made(
                key=key,
                id=artifact.id,
                type=artifact.type,
                uri=artifact.uri,
                properties=_values(artifact.custom_properties),
                step=types[execution.type_id].split(".")[-1],
                execution=execution_id,
                settings=_values(execution.custom_properties),
                inputs=inputs,
            )
        return dataclasses.replace(known[artifact.id], key=key)

    return follow(max(pushed, key=lambda artifact: artifact.id), "bundle")


def ingested(traced: Made) -> Made | None:
    """The recordings that a bundle tells of: of the run in `base` where it went on from one, not
    the own clips that its ingestion read."""
    given = {one.key: one for one in traced.inputs}
    return given.get("audio_examples") or traced.find(INGESTION)


def checks(bundle: Path, traced: Made) -> list[Check]:
    """Holds a bundle's files against what ML Metadata and its artifacts say."""
    told = bundles.read(bundle)
    inputs = {one.key: one for one in traced.inputs}
    int8 = Path(inputs["model"].uri) / _SERVING / MODEL_FILE
    found = [_same("int8 model", _sha256(bundle / MODEL_FILE), _sha256(int8), int8)]
    if told is None:
        return found
    for key, said in told["artifacts"].items():
        if "id" in said:  # there is none of a bundle from Kubeflow
            there = inputs[key].id if key in inputs else None
            found.append(_same(f"artifact {key}", said["id"], there, None))
    trained = inputs["model"].find("Trainer")
    if trained is not None and told["float_model"]["sha256"]:
        folder = Path(trained.uri) / _SERVING
        now = lineage.folder_sha256(folder) if folder.is_dir() else None
        found.append(_same("float model", told["float_model"]["sha256"], now, folder))
    clips = ingested(traced)
    if clips is not None:
        for split, labels in told["data"].get("clips", {}).items():
            counted = clips.properties.get(f"clips_{split}")
            found.append(_same(f"clips of {split}", sum(labels.values()), counted, None))
    recorded = json.loads(traced.settings.get("info", "{}")).get("config")
    if recorded is not None:
        now = bundles.config_sha256(recorded)
        found.append(_same("configuration", told["config_sha256"], now, None))
    return found


def _same(what: str, bundle: Any, there: Any, where: Path | None) -> Check:
    if there is None:
        return Check(what, None, f"{where} is gone" if where else "ML Metadata does not say")
    short = [value[:12] if isinstance(value, str) else value for value in (bundle, there)]
    if bundle == there:
        return Check(what, True, f"{short[0]}")
    return Check(what, False, f"the bundle says {short[0]}, the run {short[1]}")


def _sha256(file: Path) -> str | None:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None


def _key(event: mlmd.Event) -> str:
    return next((step.key for step in event.path.steps if step.HasField("key")), "")


def _values(properties: Any) -> dict[str, Any]:
    return {
        name: getattr(value, value.WhichOneof("value"))
        for name, value in properties.items()
        if value.WhichOneof("value")
    }


SUFFIXES = (".csv", ".jsonl")


def write_clips(examples: Path, file: Path) -> dict[str, ClipDigest]:
    """Lists every clip, and adds up its split's digest.

    Args:
      examples: folder of the audio examples.
      file: `.csv` or `.jsonl`; it appears whole or not at all.

    Raises:
      KwsError: another suffix, or the examples are gone.
    """
    if file.suffix not in SUFFIXES:
        raise KwsError(f"{file}: the list of clips is {' or '.join(SUFFIXES)}")
    if not examples.is_dir():
        raise KwsError(
            f"{examples}: the audio examples are gone",
            hint="run the same pipeline again: what is missing is made anew",
        )
    digests: dict[str, ClipDigest] = {split: ClipDigest() for split in SPLITS}
    with (
        storage.atomic_file(file) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as out,
    ):
        table = csv.writer(out)
        if file.suffix == ".csv":
            table.writerow([*ClipName._fields, "split"])
        for split, clip in _clips(examples):
            digests[split].add(clip)
            if file.suffix == ".csv":
                table.writerow([*clip, split])
            else:
                line = json.dumps({**clip._asdict(), "split": split}, ensure_ascii=False)
                out.write(line + "\n")
    return digests


def check_clips(told: dict[str, Any] | None, digests: dict[str, ClipDigest]) -> list[Check]:
    """Holds the clips that are there against the digests in the bundle."""
    said = ((told or {}).get("data") or {}).get("digests") or {}
    return [
        Check(
            f"every clip of {split}",
            said[split] == digest.to_dict(),
            f"{digest.clips:,} clips, digest {digest.to_dict()['digest'][:12]}"
            + ("" if said[split] == digest.to_dict() else f", not {said[split]['digest'][:12]}"),
        )
        for split, digest in digests.items()
        if split in said
    ]


def _clips(examples: Path) -> Iterator[tuple[str, ClipName]]:
    for split in SPLITS:
        for serialized in feature_reader.records(examples / f"Split-{split}"):
            yield split, name_of(serialized)
