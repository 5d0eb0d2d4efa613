"""Schemas: what the data of the pipeline must look like (TensorFlow Metadata, checked by TFDV)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from kws.corpus.params import ValidationParams
from kws.labels import label_list

if TYPE_CHECKING:
    from kws.corpus.params import IngestParams

AUDIO_SCHEMA = Path(__file__).parent / "audio" / "schema.pbtxt"
SCHEMA_FILE = "schema.pbtxt"
"""The name that TFX's ImportSchemaGen and ExampleValidator know."""
_ROUNDING_MS = 1.0
COMPARED_DESCRIPTORS = ("rms_dbfs", "peak_dbfs", "silence_ratio", "speech_offset_ms")
"""Descriptors that drift and skew are measured on. TFDV compares histograms of ten bins from the
least to the greatest value: where nearly all values are in one of them (clipped_ratio, dc_offset),
that would measure the one most extreme clip."""
MAX_DESCRIPTOR_DIVERGENCE = 0.3
"""Jensen-Shannon divergence of a descriptor: 0 for equal distributions, 1 for disjoint ones."""


def audio_schema(
    keywords: Sequence[str],
    ingest_params: IngestParams,
    validation: ValidationParams | None = None,
) -> schema_pb2.Schema:
    """The schema of the audio examples of one configuration.

    Args:
      keywords: of the model; `label` is one of `kws.labels.label_list(keywords)`.
      ingest_params: give the sample rate and the duration that every clip has.
      validation: gives the limits of drift and skew.
    """
    validation = validation or ValidationParams()
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
    for kind in ("drift", "skew"):
        limits = getattr(validation, kind)
        label = getattr(features["label"], f"{kind}_comparator")
        label.infinity_norm.threshold = limits.max_label_distance
        for name in COMPARED_DESCRIPTORS:
            comparator = getattr(features[name], f"{kind}_comparator")
            comparator.jensen_shannon_divergence.threshold = MAX_DESCRIPTOR_DIVERGENCE
    return schema


def write_audio_schema(
    folder: str | Path,
    keywords: Sequence[str],
    ingest_params: IngestParams,
    validation: ValidationParams | None = None,
) -> Path:
    """Writes the schema for ImportSchemaGen.

    Args:
      folder: made if missing.
      keywords, ingest_params, validation: as in `audio_schema`.

    Returns:
      `<folder>/<digest of the content>/schema.pbtxt`: ImportSchemaGen's cache knows the path alone,
      so another schema must have another one.
    """
    text = text_format.MessageToString(audio_schema(keywords, ingest_params, validation))
    path = Path(folder) / hashlib.sha256(text.encode()).hexdigest()[:16] / SCHEMA_FILE
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return path
