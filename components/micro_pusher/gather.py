"""From the artifacts of a run to the contents of a bundle."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from absl import logging
from tfx import types
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.evaluator import results
from components.scene_evaluator.executor import SCENES_FILE
from kws import code_version
from kws.audio import clip
from kws.bundle import golden_vectors, lineage
from kws.bundle.contents import BundleContents
from kws.corpus.ingest_summary import INGEST_FILE
from kws.detection.params import DetectorParams
from kws.detection.sensitivities import Sensitivities
from kws.export import feature_reader
from kws.export.convert import CONVERSION_FILE
from kws.export.microwakeword import CONVERTED_FILE
from kws.gates import Gate, read_gates
from kws.report.confusion import ConfusionMatrix
from kws.runtime import load
from kws.runtime.int8_file import FLOAT_IO_FILE, MODEL_FILE, Int8File
from kws.runtime.validate import MICRO_FILE, MicroFigures
from kws.splits import TEST


def contents(
    inputs: dict[str, types.Artifact],
    info: dict[str, Any],
    version: str,
    created: str,
    run: str | None = None,
) -> BundleContents:
    """Reads everything; `inputs` are MicroPusher's, one artifact a key; `run` is its id."""
    folder = Path(path_utils.serving_model_path(inputs["model"].uri))
    model = load.load_folder(folder)
    infra, streamed = Path(inputs["infra_blessing"].uri), Path(inputs["streaming_evaluation"].uri)
    micro = MicroFigures.from_json((infra / MICRO_FILE).read_text())
    evaluation = inputs["model_evaluation"].uri
    judged, figures = _evaluated(evaluation, model.labels)
    streaming = json.loads((streamed / "evaluation.json").read_text())
    named = streaming.get("sensitivities")
    if "own_clips_evaluation" in inputs:
        own = inputs["own_clips_evaluation"].uri
        judged = judged + results.evaluation_gates(own, results.OWN_CLIPS)
        figures = {**figures, "personalization": results.before_and_after(evaluation, own)}
    gates = judged + read_gates(inputs["streaming_blessing"].uri) + read_gates(infra)
    return BundleContents(
        name=info["name"],
        version=version,
        created=created,
        model=(folder / MODEL_FILE).read_bytes(),
        float_io=(folder / FLOAT_IO_FILE).read_bytes(),
        microwakeword=_if_there(folder / CONVERTED_FILE),
        labels=tuple(model.labels),
        feature_params=model.feature_params,
        detector=DetectorParams.from_json((streamed / "detector.json").read_text()),
        micro=micro,
        gates=tuple(gates),
        figures={
            "conversion": json.loads((folder / CONVERSION_FILE).read_text()),
            **figures,
            **_data(inputs),
            "streaming": streaming,
            "micro": micro.model_dump(),
        },
        vectors=tuple(_vectors(model, inputs, micro.test_vectors)),
        info=info,
        kind=model.kind,
        sensitivities=None if named is None else Sensitivities.from_dict(named),
        lineage=lineage.gather(
            run=run,
            config=info.get("config"),
            code=code_version.find(),
            model=folder,
            audio=_folder(inputs.get("audio_examples")),
            artifacts={key: _named(artifact) for key, artifact in inputs.items()},
            credits=info.get("credits") or (),
        ),
    )


def _folder(artifact: types.Artifact | None) -> Path | None:
    return None if artifact is None else Path(artifact.uri)


def _named(artifact: types.Artifact) -> dict[str, Any]:
    """An artifact by ML Metadata's id, and by the component and the execution that made it, which
    TFX has in the end of the URI; where the rest of the URI points to is nobody else's affair."""
    parts = artifact.uri.rstrip("/").split("/")
    made_by, execution = (parts[-3], parts[-1]) if len(parts) > 2 else ("", "")
    found: dict[str, Any] = {"type": artifact.type_name, "made_by": made_by}
    if artifact.id:  # there is none on Kubeflow
        found["id"] = artifact.id
    if execution.isdigit():
        found["execution"] = int(execution)
    if artifact.has_custom_property("span"):
        found["span"] = artifact.get_custom_property("span")
    return found


def _data(inputs: dict[str, types.Artifact]) -> dict[str, Any]:
    """What was ingested, where the recordings are at hand."""
    if "audio_examples" not in inputs:
        return {}
    file = Path(inputs["audio_examples"].uri) / INGEST_FILE
    if not file.is_file():
        return {}
    found = json.loads(file.read_text())
    kept = ("clips", "seconds", "speakers", "sources", "quarantined", "cross_split_duplicates")
    return {"data": {key: found[key] for key in kept if key in found}}


def _if_there(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None


def _evaluated(evaluation: str, labels: list[str]) -> tuple[list[Gate], dict[str, Any]]:
    """Gates and figures of the Evaluator, or of the SceneEvaluator in its place."""
    scenes = Path(evaluation) / SCENES_FILE
    if scenes.is_file():
        return read_gates(evaluation), {"scenes": json.loads(scenes.read_text())}
    counts = results.confusion_matrix(evaluation, len(labels))
    matrix = ConfusionMatrix(labels=labels, counts=counts)
    clips = {
        "accuracy": matrix.accuracy.to_dict(),
        "per_class": {row.label: row.to_dict() for row in matrix.per_class()},
        "confusion_matrix": {"labels": labels, "rows_are": "actual", "counts": counts.tolist()},
    }
    return results.evaluation_gates(evaluation), {"clips": clips}


def _vectors(
    model: Int8File, inputs: dict[str, types.Artifact], count: int
) -> list[golden_vectors.TestVector]:
    """The clips that MicroValidator compared, with their recordings where they are at hand."""
    split = artifact_utils.get_split_uri([inputs["examples"]], TEST)
    examples = feature_reader.read(split, model.feature_params)
    vectors = golden_vectors.make(model, golden_vectors.choose(examples, count))
    if "audio_examples" not in inputs:
        return vectors
    wanted = {vector.clip_id for vector in vectors}
    clips = {found.clip_id: found for found in _clips(inputs["audio_examples"], wanted)}
    missing = wanted - set(clips)
    if missing:
        logging.info("MicroPusher: %d test vectors are without their recording", len(missing))
    return [
        dataclasses.replace(
            vector,
            audio=clips[vector.clip_id].audio,
            sample_rate=clips[vector.clip_id].sample_rate,
            lead_in_ms=clips[vector.clip_id].lead_in_ms,
        )
        if vector.clip_id in clips
        else vector
        for vector in vectors
    ]


def _clips(audio: types.Artifact, wanted: set[str]) -> Iterator[clip.Clip]:
    split = artifact_utils.get_split_uri([audio], TEST)
    remaining = set(wanted)
    for serialized in feature_reader.records(split):
        # Looked for in the bytes first: decoding thousands of clips for sixteen would be a waste.
        if any(clip_id.encode() in serialized for clip_id in remaining):
            found = clip.decode(serialized)
            if found.clip_id in remaining:
                remaining.discard(found.clip_id)
                yield found
        if not remaining:
            return
