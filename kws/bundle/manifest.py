"""`manifest.json`: what a device must know, held against `schemas/manifest.schema.json`."""

import hashlib
import json
from pathlib import Path
from typing import Any

from kws.bundle import device_code, golden_vectors
from kws.bundle.contents import BundleContents
from kws.detection.sensitivities import Sensitivities
from kws.errors import KwsError
from kws.export import microwakeword
from kws.features.params import FRONTEND_FILE
from kws.runtime.int8_file import FLOAT_IO_FILE, MODEL_FILE
from kws.runtime.load import MANIFEST_FILE, Int8Any
from kws.runtime.streaming_model import Int8StreamingModel

__all__ = ["MANIFEST_FILE", "MICROWAKEWORD_SCHEMA", "SCHEMA", "build", "check"]

SCHEMA = "manifest.schema.json"
MICROWAKEWORD_SCHEMA = "microwakeword.schema.json"


def build(contents: BundleContents, model: Int8Any, frontend_json: bytes) -> dict[str, Any]:
    """The manifest's content.

    Args:
      contents: of the bundle.
      model: loaded from `contents.model`.
      frontend_json: the content of `frontend.json`.

    Raises:
      KwsError: it breaks the schema.
    """
    micro = contents.micro
    manifest: dict[str, Any] = {
        "type": model.kind,
        "schema_version": 1,
        "name": contents.name,
        "version": contents.version,
        "created": contents.created,
        "keywords": contents.keywords,
        "labels": list(contents.labels),
        "model": {
            "file": MODEL_FILE,
            "float_io_file": FLOAT_IO_FILE,
            "c_header": "model.h",
            "c_source": "model.cc",
            "c_symbol": device_code.MODEL_SYMBOL,
            "sha256": hashlib.sha256(contents.model).hexdigest(),
            "bytes": len(contents.model),
            "input": {
                "dtype": "int8",
                "shape": list(model.input_shape),
                "scale": model.input_scale,
                "zero_point": model.input_zero_point,
            },
            "output": {
                "dtype": "int8",
                "shape": list(model.output_shape),
                "scale": model.output_scale,
                "zero_point": model.output_zero_point,
            },
            "operators": micro.operators,
        },
        "arena": {
            "measured_bytes": micro.arena_bytes,
            "head_bytes": micro.arena_head_bytes,
            "tail_bytes": micro.arena_tail_bytes,
            "margin": micro.arena_margin,
            "recommended_bytes": micro.arena_recommended_bytes,
        },
        "cost": {
            "macs": micro.macs,
            "every_ms": micro.every_ms,
            "macs_per_second": micro.macs_per_second,
            "estimated": {name: cost.model_dump() for name, cost in micro.targets.items()},
        },
        "frontend": {
            "file": FRONTEND_FILE,
            "sha256": hashlib.sha256(frontend_json).hexdigest(),
            "name": contents.feature_params.frontend,
            "sample_rate": contents.feature_params.sample_rate,
        },
        "detector": json.loads(contents.detector.to_json()),
        "test_vectors": {
            "index": f"{golden_vectors.FOLDER}/{golden_vectors.INDEX}",
            "count": len(contents.vectors),
        },
    }
    if isinstance(model, Int8StreamingModel):
        manifest["streaming"] = {
            "frames_per_step": model.frames_per_step,
            "step_ms": model.step_ms,
            "warm_up_steps": model.warm_up_steps,
        }
    if contents.sensitivities is not None:
        manifest["sensitivities"] = _sensitivities(contents.sensitivities, contents)
    if contents.microwakeword is not None:
        manifest["microwakeword"] = f"{microwakeword.FOLDER}/{microwakeword.MANIFEST_FILE}"
    check(manifest)
    return manifest


def _sensitivities(named: Sensitivities, contents: BundleContents) -> dict[str, Any]:
    """Their figures, and for ESPHome the cutoff to write into its configuration."""
    described = named.to_dict()
    if contents.microwakeword is not None:
        for one in named.points:
            cutoff = microwakeword.probability_cutoff(one.detection_threshold)
            described["points"][one.name]["probability_cutoff"] = cutoff
    return described


def check(manifest: dict[str, Any], schema: str = SCHEMA) -> None:
    """Raises KwsError that names the first key which breaks the schema."""
    import jsonschema

    import schemas

    schema_file = Path(schemas.__file__).parent / schema
    validator = jsonschema.Draft202012Validator(json.loads(schema_file.read_text()))
    error = jsonschema.exceptions.best_match(validator.iter_errors(manifest))
    if error is not None:
        key = ".".join(str(part) for part in error.absolute_path) or "(top)"
        raise KwsError(f"{MANIFEST_FILE}: {key}: {error.message}", hint=str(schema_file.name))
