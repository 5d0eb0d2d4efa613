"""Long recordings: the backgrounds, negatives and rooms that each split may use, as ingestion found
them.

AudioExampleGen writes them beside its examples, so that whoever mixes and lays sound later takes
the same ones, wherever they lie and whichever span was ingested.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from kws.corpus.folders import Corpus
from kws.corpus.splits import Part
from kws.splits import SPLITS, Split

if TYPE_CHECKING:
    from kws.corpus.plan import Overview

LONG_RECORDINGS_FILE = "long_recordings.json"


@dataclasses.dataclass(frozen=True)
class LongRecordings:
    """Parts of recordings by split, with absolute paths, all readable when they were examined.

    Attributes:
      backgrounds: noise.
      negatives: sound without a keyword.
      rooms: impulse responses.
    """

    backgrounds: dict[Split, list[Part]]
    negatives: dict[Split, list[Part]]
    rooms: dict[Split, list[Part]] = dataclasses.field(default_factory=dict)

    @classmethod
    def of_plan(cls, plan: "Overview", corpus: Corpus) -> "LongRecordings":
        """The usable ones."""

        def located(parts: Mapping[Split, Sequence[Part]]) -> dict[Split, list[Part]]:
            return {
                split: [
                    part._replace(
                        path=corpus.path_of(part.path), source=corpus.source_of(part.path)
                    )
                    for part in parts.get(split, ())
                ]
                for split in SPLITS
            }

        return cls(located(plan.backgrounds), located(plan.negatives), located(plan.rooms))

    def to_json(self) -> str:
        """What `long_recordings.json` holds."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "LongRecordings":
        """Reads what `to_json` wrote."""
        values = json.loads(text)
        return cls(
            *(
                {
                    split: [Part(*part) for part in values.get(kind, {}).get(split, ())]
                    for split in SPLITS
                }
                for kind in ("backgrounds", "negatives", "rooms")
            )
        )
