"""What validation found, in words and as a file: anomalies and the clips that cause them.

Statistics show that a bound is broken, not by which clips. TFDV can examine every example
(`IdentifyAnomalousExamples`), at the cost of a separate validation of each; here a batch is held
against the bounds of one feature at a time, and only after an anomaly was found.
"""

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2

from kws.terminal import printable
from schemas.rules import LABEL, Rule

SHOWN = ("file", "clip_id", "label", "word", "speaker", "source")
"""Features that tell a person which clip it is."""
MOST_LISTED = 1000


@dataclasses.dataclass
class Offenders:
    """The clips of one split that break the bounds of one feature.

    Attributes:
      clips: how many.
      of: how many clips there are.
      listed: the first `MOST_LISTED` of them: the features `SHOWN` and `value`.
    """

    clips: int = 0
    of: int = 0
    listed: list[dict[str, object]] = dataclasses.field(default_factory=list)


def find(
    batches: Iterable[pa.RecordBatch],
    names: Sequence[str],
    schema: schema_pb2.Schema,
    rules: Sequence[Rule],
) -> dict[str, Offenders]:
    """Reads a split once and holds every clip against the bounds of the features named.

    Args:
      batches: tf.Examples as TFX's readers decode them, a list column a feature.
      names: of features with an anomaly.
      schema: a feature that it does not have offends wherever it has a value.
      rules: those with `low` or `high` are bounds on the clips of their label.
    """
    found = {name: Offenders() for name in names}
    bounds = {feature.name: feature for feature in schema.feature}
    domains = {domain.name: domain for domain in schema.string_domain}
    for batch in batches:
        for name, offenders in found.items():
            column = _column(batch, name)
            broken = broken_bounds(bounds.get(name), domains, column, batch.num_rows)
            for rule in rules:
                if rule.feature == name and (rule.low is not None or rule.high is not None):
                    broken |= _broken_rule(rule, column, _column(batch, LABEL))
            offenders.of += batch.num_rows
            offenders.clips += int(broken.sum())
            for row in np.flatnonzero(broken)[: MOST_LISTED - len(offenders.listed)]:
                clip = {shown: _value(_column(batch, shown), row) for shown in SHOWN}
                offenders.listed.append({**clip, "value": _value(column, row)})
    return found


def broken_bounds(
    feature: schema_pb2.Feature | None,
    domains: Mapping[str, schema_pb2.StringDomain],
    column: pa.Array | None,
    rows: int,
) -> np.ndarray:
    """Which rows break the schema's bounds of one feature, as bool `[rows]`."""
    if column is None:
        required = feature is not None and feature.presence.min_fraction > 0
        return np.full(rows, required)
    present = column.is_valid().to_numpy(zero_copy_only=False)
    if feature is None or _kind(column) != feature.type:
        return present
    broken = ~present if feature.presence.min_fraction == 1 else np.zeros(rows, bool)
    lengths = np.where(present, column.value_lengths().fill_null(0).to_numpy(), 0)
    count = feature.value_count
    if count.HasField("min"):
        broken |= present & (lengths < count.min)
    if count.HasField("max"):
        broken |= present & (lengths > count.max)
    values = column.flatten()
    rows_of_values = np.repeat(np.arange(rows), lengths)
    broken[rows_of_values[_outside(feature, domains, values)]] = True
    return broken


def _outside(
    feature: schema_pb2.Feature,
    domains: Mapping[str, schema_pb2.StringDomain],
    values: pa.Array,
) -> np.ndarray:
    """Which values are outside the feature's domain, as bool `[values]`."""
    if feature.HasField("string_domain") or feature.HasField("domain"):
        domain = domains[feature.domain] if feature.domain else feature.string_domain
        allowed = {text.encode() for text in domain.value}
        return np.array([value not in allowed for value in values.to_pylist()], bool)
    if feature.HasField("float_domain") or feature.HasField("int_domain"):
        kind = "float_domain" if feature.HasField("float_domain") else "int_domain"
        domain = getattr(feature, kind)
        numbers = values.to_numpy(zero_copy_only=False)
        outside = np.zeros(numbers.size, bool)
        if domain.HasField("min"):
            outside |= numbers < domain.min
        if domain.HasField("max"):
            outside |= numbers > domain.max
        if kind == "float_domain":
            outside |= domain.disallow_nan & np.isnan(numbers)
            outside |= domain.disallow_inf & np.isinf(numbers)
        return outside
    return np.zeros(len(values), bool)


def _broken_rule(rule: Rule, column: pa.Array | None, labels: pa.Array | None) -> np.ndarray:
    """Which clips of the rule's label have a value outside its bounds, as bool `[rows]`."""
    low = -np.inf if rule.low is None else rule.low
    high = np.inf if rule.high is None else rule.high
    if column is None or labels is None or rule.label is None:
        return np.zeros(len(labels) if labels is not None else 0, bool)
    named = [(value or [b""])[0] == rule.label.encode() for value in labels.to_pylist()]
    outside = [
        any(not low <= value <= high for value in values or ()) for values in column.to_pylist()
    ]
    return np.array(named, bool) & np.array(outside, bool)


def _column(batch: pa.RecordBatch, name: str) -> pa.Array | None:
    """A column; None if the batch has none, or none of its rows has a value."""
    index = batch.schema.get_field_index(name)
    if index < 0 or pa.types.is_null(batch.column(index).type):
        return None
    return batch.column(index)


def _kind(column: pa.Array) -> int:
    value = column.type.value_type
    if pa.types.is_integer(value):
        return schema_pb2.INT
    return schema_pb2.FLOAT if pa.types.is_floating(value) else schema_pb2.BYTES


def _value(column: pa.Array | None, row: int) -> object:
    """The value of one row: a number or text, a list if it has several, None if it has none."""
    values = [] if column is None else column[int(row)].as_py() or []
    plain = [v.decode(errors="replace") if isinstance(v, bytes) else v for v in values]
    return plain[0] if len(plain) == 1 else plain or None


def read_batches(files: Sequence[str], batch_size: int = 256) -> Iterator[pa.RecordBatch]:
    """Decodes gzip TFRecords of tf.Examples without the help of a schema."""
    import tensorflow as tf
    from tfx_bsl.coders import example_coder

    decoder = example_coder.ExamplesToRecordBatchDecoder()
    records = tf.data.TFRecordDataset(sorted(files), compression_type="GZIP").batch(batch_size)
    for batch in records.as_numpy_iterator():
        yield decoder.DecodeBatch(list(batch))


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
