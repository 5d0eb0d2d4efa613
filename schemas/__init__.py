"""Schemas: what the data of the pipeline must look like (TensorFlow Metadata, checked by TFDV)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from kws.labels import label_list

if TYPE_CHECKING:
    from kws.audio.params import IngestParams

AUDIO_SCHEMA = Path(__file__).parent / "audio" / "schema.pbtxt"
SCHEMA_FILE = "schema.pbtxt"
"""The name that TFX's ImportSchemaGen and ExampleValidator know."""
_ROUNDING_MS = 1.0


def audio_schema(keywords: Sequence[str], ingest_params: IngestParams) -> schema_pb2.Schema:
    """The schema of the audio examples of one configuration.

    Args:
      keywords: of the model; `label` is one of `kws.labels.label_list(keywords)`.
      ingest_params: give the sample rate and the duration that every clip has.
    """
    schema = schema_pb2.Schema()
    text_format.Parse(AUDIO_SCHEMA.read_text(), schema)
    features = {feature.name: feature for feature in schema.feature}
    features["label"].string_domain.value.extend(label_list(keywords))
    rate, duration_ms = ingest_params.sample_rate, ingest_params.clip_duration_ms
    features["sample_rate"].int_domain.CopyFrom(schema_pb2.IntDomain(min=rate, max=rate))
    for name, shortest_ms in (("duration_ms", duration_ms - _ROUNDING_MS), ("speech_offset_ms", 0)):
        bounds = schema_pb2.FloatDomain(
            min=shortest_ms, max=duration_ms + _ROUNDING_MS, disallow_nan=True, disallow_inf=True
        )
        features[name].float_domain.CopyFrom(bounds)
    return schema


def write_audio_schema(
    folder: str | Path, keywords: Sequence[str], ingest_params: IngestParams
) -> Path:
    """Writes the schema for ImportSchemaGen.

    Args:
      folder: made if missing.
      keywords, ingest_params: as in `audio_schema`.

    Returns:
      `<folder>/schema.pbtxt`, rewritten only if it differs: its time is part of TFX's caching.
    """
    path = Path(folder) / SCHEMA_FILE
    text = text_format.MessageToString(audio_schema(keywords, ingest_params))
    if not path.is_file() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return path
