"""What validation found, in words and as a file: anomalies with the clips they are about."""

import dataclasses
import json
from collections.abc import Mapping, Sequence

from tensorflow_metadata.proto.v0 import anomalies_pb2

from components.example_validator.offenders import SHOWN, Offenders
from kws.terminal import printable

EXAMPLES = 3
"""Clips that the error names; the file has them all."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finding:
    """One anomaly.

    Attributes:
      split, feature: where; the feature is "" where the whole split is meant.
      description: TFDV's, or the rule's.
      labels: number of clips by label, where labels are what is wrong.
      offenders: the clips that break a bound; None where it is no matter of single clips.
    """

    split: str
    feature: str
    description: str
    labels: Mapping[str, int] = dataclasses.field(default_factory=dict)
    offenders: Offenders | None = None

    def lines(self) -> list[str]:
        """One line, and one for each example clip."""
        head = f"{self.split}: {self.feature}: " if self.feature else f"{self.split}: "
        head += self.description
        if self.labels:
            head += f" ({', '.join(f'{name} {count}' for name, count in self.labels.items())})"
        if self.offenders is None or not self.offenders.clips:
            return [head]
        lines = [f"{head}: {self.offenders.clips} of {self.offenders.of} clips"]
        for clip in self.offenders.listed[:EXAMPLES]:
            known = [
                f"{name} {printable(clip[name])}" for name in SHOWN if clip[name] not in (None, "")
            ]
            value = clip["value"]
            said = f"{value:.4g}" if isinstance(value, float) else value
            lines.append(f"  {', '.join(known)}: {said}")
        return lines


def describe(info: anomalies_pb2.AnomalyInfo) -> str:
    """TFDV's words; of a rule its own, without the SQL."""
    said = []
    for reason in info.reason:
        if reason.type == anomalies_pb2.AnomalyInfo.CUSTOM_VALIDATION:
            said.append(reason.short_description)
        else:
            said.append(f"{reason.short_description}: {reason.description.rstrip(' .')}")
    return "; ".join(said) or f"{info.short_description}: {info.description}"


def to_json(findings: Sequence[Finding]) -> str:
    """The findings with every clip listed."""
    return json.dumps([dataclasses.asdict(finding) for finding in findings], indent=2) + "\n"
