"""Drift and skew: how far TFDV's comparators of the schema find two sets of statistics apart."""

import dataclasses
from collections.abc import Mapping
from typing import Literal

import tensorflow_data_validation as tfdv
from absl import logging
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from kws.corpus.params import ValidationParams
from kws.report.data_statistics import label_counts
from kws.splits import EVAL, TEST, TRAIN

Kind = Literal["drift", "skew"]
Statistics = statistics_pb2.DatasetFeatureStatisticsList

_MEASURES = {
    anomalies_pb2.DriftSkewInfo.Measurement.L_INFTY: "L-infinity distance",
    anomalies_pb2.DriftSkewInfo.Measurement.JENSEN_SHANNON_DIVERGENCE: "Jensen-Shannon divergence",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shift:
    """How far one feature is from its control.

    Attributes:
      kind: "drift" (in time) or "skew" (between splits).
      what: what was held against what, such as `train against train of span 3`.
      feature: name.
      measure: how the distance is measured.
      distance, limit: 0 to 1.
      detail: TFDV's own words where the distance is above the limit, else "".
      gated: true if a distance above the limit stops the run.
    """

    kind: Kind
    what: str
    feature: str
    measure: str
    distance: float
    limit: float
    detail: str = ""
    gated: bool = False

    @property
    def exceeded(self) -> bool:
        return self.distance > self.limit

    def sentence(self) -> str:
        """Kind, feature, distance and limit, and what is most different."""
        text = (
            f"{self.kind}: {self.what}: {self.feature}: {self.measure} {self.distance:.3f}, "
            f"limit {self.limit:g}"
        )
        value = self.detail.partition("maximum difference is: ")[2]
        return f"{text}; most of all {value!r}" if value else text


@dataclasses.dataclass(frozen=True, kw_only=True)
class Control:
    """What drift is measured from: statistics of train, and the words of `Shift.what`."""

    statistics: Statistics
    what: str


def compare(
    splits: Mapping[str, Statistics],
    previous: Control | None,
    schema: schema_pb2.Schema,
    params: ValidationParams,
) -> list[Shift]:
    """Measures what the params ask for: drift of train, skew of eval and test from train.

    Args:
      splits: the statistics of now.
      previous: None measures no drift.
      schema: with comparators.
      params: modes, and the number of clips below which nothing is compared.
    """
    compared: list[tuple[Kind, str, Statistics, Statistics]] = []
    if previous is not None:
        compared.append(("drift", previous.what, splits[TRAIN], previous.statistics))
    for split in (EVAL, TEST):
        compared.append(("skew", f"{split} against train", splits[split], splits[TRAIN]))
    found = []
    for kind, what, current, control in compared:
        limits = params.drift if kind == "drift" else params.skew
        clips = min(sum(label_counts(side).values()) for side in (current, control))
        if limits.mode == "off":
            continue
        if clips < limits.min_clips:
            logging.info("%s: %s: not measured on %d clips", kind, what, clips)
            continue
        gated = limits.mode == "gate"
        measured = measure(kind, what, schema, current, control)
        found += [dataclasses.replace(shift, gated=gated) for shift in measured]
    return found


def measure(
    kind: Kind, what: str, schema: schema_pb2.Schema, current: Statistics, control: Statistics
) -> list[Shift]:
    """Measures every feature that has a comparator of this kind in the schema.

    Args:
      kind: which comparators of the schema.
      what: the words of `Shift.what`.
      schema: with comparators.
      current: for drift the statistics of now; for skew those of eval or test.
      control: for drift the previous ones; for skew those of train.
    """
    if kind == "drift":
        anomalies = tfdv.validate_statistics(current, schema, previous_statistics=control)
    else:
        # TFDV measures training against serving data; the distances are symmetric.
        anomalies = tfdv.validate_statistics(control, schema, serving_statistics=current)
    found = []
    for info in anomalies.drift_skew_info:
        name = info.path.step[-1]
        for measurement in getattr(info, f"{kind}_measurements"):
            reasons = [
                reason.description
                for reason in anomalies.anomaly_info[name].reason
                if "COMPARATOR" in anomalies_pb2.AnomalyInfo.Type.Name(reason.type)
            ]
            found.append(
                Shift(
                    kind=kind,
                    what=what,
                    feature=name,
                    measure=_MEASURES[measurement.type],
                    distance=measurement.value,
                    limit=measurement.threshold,
                    detail=" ".join(reasons),
                )
            )
    return sorted(found, key=lambda shift: shift.feature)
