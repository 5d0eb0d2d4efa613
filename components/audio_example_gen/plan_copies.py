"""Copies of one content, found without a look at all files: see `kws.audio.suspects`."""

from collections.abc import Iterator
from typing import Any

import apache_beam as beam

from components.audio_example_gen.plan_steps import keyed, unpack
from kws.audio import duplicates
from kws.audio import suspects as cells
from kws.audio.params import IngestParams


class FindCopies(beam.PTransform):
    """From examined batches and the `Rest` to one `Distinct`, of the suspects alone."""

    def __init__(self, params: IngestParams):
        super().__init__()
        self._params = params.to_json()

    def expand(self, inputs: Any) -> Any:  # Beam mistakes these types.
        examined, rest = inputs
        exact = (
            examined
            | "Digests" >> beam.FlatMap(by_digest)
            | "SameDigest" >> beam.GroupByKey()
            | "OneOfEach" >> beam.FlatMap(one_of_each).with_outputs("suspects", main="ones")
        )
        near_ones = (
            exact.ones
            | "Cells" >> beam.FlatMap(by_cell, beam.pvalue.AsSingleton(rest))
            | "SameCell" >> beam.GroupByKey()
            | "Near" >> beam.FlatMap(near)
        )
        names = (
            (exact.suspects, near_ones) | "Suspects" >> beam.Flatten() | "ByName" >> beam.Map(keyed)
        )
        return (
            examined
            | "OfSuspects" >> beam.FlatMap(of_suspects, beam.pvalue.AsDict(names))
            | "Together" >> beam.combiners.ToList()
            | "Distinct" >> beam.Map(distinct, self._params)
        )


def by_digest(batch: bytes) -> Iterator[Any]:
    """(Digest, finding) of words that can be used and sound."""
    yield from ((found.digest, found) for found in unpack(batch)[1] if found.digest)


def one_of_each(group: Any) -> Iterator[Any]:
    """One finding of those with a digest; names of all of them, if they are several."""
    found = sorted(group[1], key=lambda finding: finding.name)
    if len(found) > 1:
        yield from (beam.pvalue.TaggedOutput("suspects", finding.name) for finding in found)
    if found[0].sketch:
        yield found[0]


def by_cell(finding: Any, rest: Any) -> Iterator[Any]:
    """(Cell, home) for every cell that a finding goes to."""
    yield from cells.homes(finding, cells.dimensions(rest.words))


def near(group: Any) -> Iterator[Any]:
    """Names of those in a cell that are as near as copies are."""
    yield from sorted(cells.suspects(list(group[1])))


def of_suspects(batch: bytes, names: Any) -> Iterator[Any]:
    """(Word, finding) of suspects."""
    words, findings = unpack(batch)
    found = {finding.name: finding for finding in findings}
    yield from ((word, found[word.name]) for word in words if word.name in names)


def distinct(pairs: Any, params_json: str) -> Any:
    """What `kws.audio.duplicates.distinct` says of the suspects; nobody else has a copy."""
    params = IngestParams.from_json(params_json)
    found = {word.name: finding for word, finding in pairs}
    return duplicates.distinct([word for word, _ in pairs], found, params.keywords)


def dropped(copies: Any) -> Any:
    """Names of duplicates that are not used -> reason; every worker gets it, so it is small."""
    return {entry.path: entry.reason for entry in copies.quarantine}
