"""The digest of an ingestion's clips, added up by the workers: `clips.json` beside the examples."""

import json
import os

import apache_beam as beam
from tfx.dsl.io import fileio

from components.records import PlacedRecord
from kws.corpus.digests import DIGEST_FILE, ClipDigest, name_of
from kws.corpus.folders import Corpus


class _Add(beam.CombineFn):
    """Serialized clips in their places to their digest."""

    def create_accumulator(self) -> ClipDigest:
        return ClipDigest()

    def add_input(self, accumulator: ClipDigest, placed: PlacedRecord) -> ClipDigest:
        accumulator.add(name_of(placed[1]))
        return accumulator

    def merge_accumulators(self, accumulators) -> ClipDigest:
        merged = ClipDigest()
        for one in accumulators:
            merged.merge(one)
        return merged

    def extract_output(self, accumulator: ClipDigest) -> ClipDigest:
        return accumulator


class WriteDigest(beam.PTransform):
    """From `{split: PCollection of placed clips}` to a file in the artifact's folder.

    It also names the folders that the clips are from: the last part of their path, for the whole
    of it may say more of a machine than a bundle should.
    """

    def __init__(self, artifact_folder: str, corpus: Corpus):
        super().__init__()
        self._artifact_folder = artifact_folder
        self._corpus = corpus

    def expand(self, splits):  # Beam takes no dict of inputs as a type hint.
        digests = [
            clips
            | f"Digest[{split}]" >> beam.CombineGlobally(_Add())
            | f"Name[{split}]" >> beam.Map(lambda digest, split=split: (split, digest.to_dict()))
            for split, clips in splits.items()
        ]
        return (
            digests
            | "Together" >> beam.Flatten()
            | "Gather" >> beam.combiners.ToDict()
            | "WriteDigest" >> beam.Map(_write, self._artifact_folder, self._corpus)
        )


def _write(splits: dict[str, dict], artifact_folder: str, corpus: Corpus) -> None:
    folders = [
        {
            "name": os.path.basename(folder.path.rstrip("/")),
            "kind": folder.kind,
            "source": folder.source,
            "prefix": folder.prefix,
            "fingerprint": folder.fingerprint,
        }
        for folder in corpus.folders
    ]
    content = {"folders": folders, "splits": {split: splits[split] for split in sorted(splits)}}
    with fileio.open(os.path.join(artifact_folder, DIGEST_FILE), "w") as file:
        file.write(json.dumps(content, indent=2) + "\n")
