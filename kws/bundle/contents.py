"""What goes into a bundle, gathered before anything is written."""

import dataclasses
from typing import Any

from kws.bundle.golden_vectors import TestVector
from kws.detection.params import DetectorParams
from kws.detection.sensitivities import Sensitivities
from kws.features.params import FeatureParams
from kws.gates import Gate
from kws.labels import RESERVED
from kws.runtime.int8_file import Kind
from kws.runtime.validate import MicroFigures


@dataclasses.dataclass(frozen=True, kw_only=True)
class BundleContents:
    """Everything of one version.

    Attributes:
      name: of the spotter.
      version: digits, unique within the destination.
      created: ISO 8601 in UTC, e.g. `2026-01-31T12:00:00Z`.
      model: bytes of `model.tflite`.
      float_io: bytes of `model_float_io.tflite`.
      kind: "windowed" or "streaming", of both files.
      microwakeword: of the file for microWakeWord's programs, where the model has one.
      labels: in the order of the outputs.
      feature_params: of the frontend.
      detector: with the threshold chosen on the eval streams.
      micro: arena, operators, sizes.
      gates: every gate that was held.
      figures: section -> what its component reported, for `evaluation.json`.
      vectors: at least one.
      sensitivities: thresholds with a name, the detector's among them; None where none is named.
      lineage: what it was made of, for `lineage.json` (`kws.bundle.lineage`); empty: no such file.
      info: what the configuration says of data, licence and architecture, for the model card.
    """

    name: str
    version: str
    created: str
    model: bytes
    float_io: bytes
    labels: tuple[str, ...]
    feature_params: FeatureParams
    detector: DetectorParams
    micro: MicroFigures
    gates: tuple[Gate, ...]
    figures: dict[str, Any]
    vectors: tuple[TestVector, ...]
    info: dict[str, Any] = dataclasses.field(default_factory=dict)
    kind: Kind = "windowed"
    microwakeword: bytes | None = None
    sensitivities: Sensitivities | None = None
    lineage: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def keywords(self) -> list[str]:
        return [label for label in self.labels if label not in RESERVED]
