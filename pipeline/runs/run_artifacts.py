"""What a bundle was made of, read back from its run's ML Metadata; and what goes on from it."""

import dataclasses
import json
from pathlib import Path
from typing import Any

from ml_metadata.proto import metadata_store_pb2 as mlmd

from components.blessing import OWN_CLIPS_BLESSING
from kws.augment.params import AugmentParams, NoisyCopyParams
from kws.bundle.destination import LATEST
from kws.bundle.destinations import bundle_folder
from kws.detection.params import StreamingParams
from kws.errors import KwsError
from kws.export.params import BudgetParams, ConversionParams
from kws.features import files
from kws.models import registry
from kws.training.saved_model import TRAINING_FILE
from pipeline import metadata_store
from pipeline.metadata_store import SQLITE_FILE
from pipeline.runs.corpus_figures import newest_metadata

PUSHER = "MicroPusher"
_AS_THEY_WERE = ("keywords", "sample_rate", "clip_duration_ms", "voices", "streams")
"""Keys of the configuration that go over to a run that goes on from this one."""
_LITTLE_CHANGED = AugmentParams(
    speed_share=0.3, speed=(0.92, 1.08), tempo_share=0.3, tempo=(0.9, 1.15), equalizer_share=0.5
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Parents:
    """The artifacts and settings behind a model.

    Attributes:
      run: the run's folder.
      float_model, int8_model: `Format-Serving` of the Trainer's and the MicroConverter's Model.
      features: feature examples, with `Split-train`, `Split-eval`, `Split-test`.
      audio: the recordings of the same splits.
      streams: eval and test streams.
      evaluation: of the streams: `evaluation.json`, `detector.json`.
      bundles: where the run pushes to.
      info: what the model card says of the run.
      conversion, budget, streaming, noisy_copies: sections of the run's configuration.
    """

    run: Path
    float_model: Path
    int8_model: Path
    features: Path
    audio: Path
    streams: Path
    evaluation: Path
    bundles: Path
    info: dict[str, Any]
    conversion: ConversionParams
    budget: BudgetParams
    streaming: StreamingParams
    noisy_copies: NoisyCopyParams

    def settings(self) -> dict[str, Any]:
        """Sections of the configuration of a run that goes on from this one's model.

        Model, training and features are those that the model was really trained with, by a search
        or not. Noisy copies of the new clips are made as those of the old ones were, but nobody
        talks around them, and where no voice was changed, a little is changed here: few clips of
        one voice are too much alike.

        Raises:
          KwsError: the model learns from scenes, or the run did not record its configuration.
        """
        written = json.loads((self.float_model / TRAINING_FILE).read_text())
        name = written["model"]["name"]
        if registry.output(name) == "steps":
            raise KwsError(f"{name} learns from scenes: it cannot learn from clips")
        recorded = self.info.get("config")
        if recorded is None:
            raise KwsError(
                f"the run {self.run} did not record its configuration", hint="run it again: kws run"
            )
        copying = self.noisy_copies.without_talkers()
        if copying.augment == AugmentParams():
            copying = copying.model_copy(update={"augment": _LITTLE_CHANGED})
        sections = {
            "features": files.read(self.float_model),
            "noisy_copies": copying,
            "conversion": self.conversion,
            "budget": self.budget,
            "streaming": self.streaming,
        }
        return {
            **{key: recorded[key] for key in _AS_THEY_WERE if key in recorded},
            "model": written["model"],
            "training": written["training"],
            **{key: section.model_dump(mode="json") for key, section in sections.items()},
        }


def find(place: Path, run: Path | None = None) -> Parents:
    """The parents of a bundle, or of the newest model of a run, pushed or refused.

    Args:
      place: a bundle, a folder of bundles with `LATEST`, or the folder of a run (or of runs).
      run: of the bundle, where it does not lie in its run's `bundles/`.

    Raises:
      KwsError: no bundle, no run, a run that did not make the bundle, a model that was itself
        fitted to one person, or artifacts that are gone.
    """
    bundle = None
    if (place / LATEST).is_file() or (place / "manifest.json").is_file():
        bundle = bundle_folder(place).resolve()
    elif not place.is_dir():
        raise KwsError(f"{place} is no folder", hint="give a bundle, or the folder of a run")
    metadata = _metadata(place, bundle, run)
    lineage = _Lineage(metadata)
    pusher = lineage.pusher(bundle)
    inputs = lineage.inputs(pusher.id)
    if OWN_CLIPS_BLESSING in inputs:
        raise KwsError(
            f"the model of {place} was fitted to one person already",
            hint="name the run that it was fitted from, with all clips of that person",
        )
    model, examples = inputs["model"], inputs["examples"]
    converter = lineage.producer(model)
    evaluator = lineage.producer(inputs["streaming_evaluation"])
    streams = lineage.inputs(evaluator.id)["streams"]
    found = {
        "float_model": Path(lineage.inputs(converter.id)["float_model"].uri) / "Format-Serving",
        "int8_model": Path(model.uri) / "Format-Serving",
        "features": Path(examples.uri),
        "audio": Path(inputs["audio_examples"].uri),
        "streams": Path(streams.uri),
        "evaluation": Path(inputs["streaming_evaluation"].uri),
    }
    gone = [f"{name} ({path})" for name, path in found.items() if not path.is_dir()]
    if gone:
        raise KwsError(
            f"the run of {bundle or place} has lost what is needed: {', '.join(gone)}",
            hint="run the same pipeline again (kws run): what is missing is made anew",
        )
    validator = lineage.producer(inputs["infra_blessing"])
    return Parents(
        run=metadata.parent,
        **found,
        bundles=Path(_text(pusher, "destination")),
        info=json.loads(_text(pusher, "info")),
        conversion=ConversionParams.from_json(_text(converter, "params")),
        budget=BudgetParams.from_json(_text(validator, "params")),
        streaming=StreamingParams.from_json(_text(evaluator, "params")),
        noisy_copies=NoisyCopyParams.from_json(
            _text(lineage.producer(streams), "noisy_copy_params")
        ),
    )


def _metadata(place: Path, bundle: Path | None, run: Path | None) -> Path:
    if run is not None:
        return newest_metadata(run)
    if bundle is None:
        return newest_metadata(place)
    metadata = metadata_store.find(bundle.parents[1])
    if metadata is None:
        raise KwsError(
            f"{bundle} lies in no run: there is no {bundle.parents[1] / SQLITE_FILE}",
            hint="its float model and its training examples are needed; name the run that made "
            "it: --run runs/NAME",
        )
    return metadata


class _Lineage:
    """ML Metadata by artifact and execution."""

    def __init__(self, metadata: Path):
        self._store = metadata_store.store(metadata)
        self._pipeline = metadata_store.pipeline_of(metadata)
        self._file = metadata

    def pusher(self, bundle: Path | None) -> mlmd.Execution:
        """That pushed the bundle (its version, wherever it lies now), or else the newest."""
        types = {kind.id: kind.name for kind in self._store.get_execution_types()}
        pushers = [
            execution
            for execution in self._executions()
            if types[execution.type_id].split(".")[-1] == PUSHER
            and execution.last_known_state in (mlmd.Execution.COMPLETE, mlmd.Execution.CACHED)
        ]
        if bundle is not None:
            pushers = [one for one in pushers if self._version(one) == bundle.name]
        if not pushers:
            what = f"did not push {bundle.name}" if bundle else "has not come to an end yet"
            raise KwsError(f"the run {self._file.parent} {what}", hint="give a run that did")
        return max(pushers, key=lambda execution: execution.id)

    def _executions(self) -> list[mlmd.Execution]:
        """Of the pipeline, where others share the store."""
        if self._pipeline is None:
            return self._store.get_executions()
        context = self._store.get_context_by_type_and_name("pipeline", self._pipeline)
        return [] if context is None else self._store.get_executions_by_context(context.id)

    def _version(self, pusher: mlmd.Execution) -> str | None:
        (pushed, *_) = self._artifacts(pusher.id, mlmd.Event.OUTPUT).values() or (None,)
        return None if pushed is None else pushed.custom_properties["pushed_version"].string_value

    def inputs(self, execution: int) -> dict[str, mlmd.Artifact]:
        """One artifact a key."""
        return self._artifacts(execution, mlmd.Event.INPUT)

    def _artifacts(self, execution: int, kind: "mlmd.Event.Type") -> dict[str, mlmd.Artifact]:
        events = self._store.get_events_by_execution_ids([execution])
        ids = {
            next(step.key for step in event.path.steps if step.HasField("key")): event.artifact_id
            for event in events
            if event.type == kind
        }
        made = {one.id: one for one in self._store.get_artifacts_by_id(list(ids.values()))}
        return {key: made[id_] for key, id_ in ids.items()}

    def producer(self, artifact: mlmd.Artifact) -> mlmd.Execution:
        """The execution that made an artifact, not one that took it from the cache."""
        events = self._store.get_events_by_artifact_ids([artifact.id])
        made = min(event.execution_id for event in events if event.type == mlmd.Event.OUTPUT)
        (execution,) = self._store.get_executions_by_id([made])
        return execution


def _text(execution: mlmd.Execution, name: str) -> str:
    return execution.custom_properties[name].string_value
