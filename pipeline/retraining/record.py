"""The record of a pipeline's retrainings: what was judged, of what, and how it came out.

One file beside the metadata, `retraining.json`, replaced in one step. Before a pass begins it notes
what it is about to make; only a verdict makes of that an entry. So:

- A pass that crashed left its note: the next one goes on with the very settings, and finds the
  steps that were finished, and the checkpoint of the one that was not.
- What was judged, pushed or refused alike, is not trained on again.
- What failed for another reason (a full disk) is tried again.
"""

from pathlib import Path
from typing import Literal

import pydantic

from kws import storage
from kws.errors import KwsError
from kws.params import Params

RECORD_FILE = "retraining.json"
_KEPT = 1000


class Begun(Params):
    """A pass that has no verdict yet.

    Attributes:
      quick, sure: fingerprints of what it is made of.
      overrides: of the configuration, as they were chosen when it began.
      since: UTC.
      anew: no step takes an earlier run's result: it was forced, or the code is another, of which
        TFX's cache knows nothing.
    """

    quick: str
    sure: str
    overrides: tuple[str, ...]
    since: str
    anew: bool = False


class Judged(Params):
    """A pass that came to its verdict.

    Attributes:
      quick, sure: fingerprints of what it was made of.
      span: the newest in it; None without spans.
      verdict: pushed, or refused: by a gate, or because of its data before it was trained on.
      at: UTC.
      pushed_to: path or URL of the bundle; "" if it was refused.
      reasons: a sentence for each gate that refused.
      drift: a sentence for each distance from the span before.
      warm: it started from the last blessed model.
      code: version of the product and its libraries.
    """

    quick: str
    sure: str
    span: int | None
    verdict: Literal["pushed", "refused"]
    at: str
    pushed_to: str = ""
    reasons: tuple[str, ...] = ()
    drift: tuple[str, ...] = ()
    warm: bool = False
    code: str = ""

    def sentence(self) -> str:
        """`span 7 was judged on 2026-01-31 03:12 UTC (refused)`."""
        what = "this" if self.span is None else f"span {self.span}"
        version = f" as {Path(self.pushed_to).name}" if self.pushed_to else ""
        day = self.at.replace("T", " ").removesuffix("Z")[:16]
        return f"{what} was judged on {day} UTC ({self.verdict}{version})"


class Record(Params):
    """All of it, the newest entry last."""

    format: Literal[1] = 1
    begun: Begun | None = None
    judged: tuple[Judged, ...] = ()

    def find(self, fingerprint: str) -> Judged | None:
        """The newest entry of either fingerprint, unless it was begun anew since."""
        if self.begun is not None and fingerprint in (self.begun.quick, self.begun.sure):
            return None
        found = (one for one in reversed(self.judged) if fingerprint in (one.quick, one.sure))
        return next(found, None)

    def is_other_code(self, code: str) -> bool:
        """The newest verdict was come to by another version of the product."""
        return bool(self.judged) and self.judged[-1].code != code

    def with_begun(self, begun: Begun) -> "Record":
        return self.model_copy(update={"begun": begun})

    def with_judged(self, judged: Judged) -> "Record":
        """The pass that was begun is over."""
        kept = (*self.judged, judged)[-_KEPT:]
        return self.model_copy(update={"begun": None, "judged": kept})


def read(folder: Path) -> Record:
    """The record of a run's folder; an empty one where there is none.

    Raises:
      KwsError: the file is not what this version writes.
    """
    file = folder / RECORD_FILE
    try:
        return Record.from_json(file.read_bytes())
    except FileNotFoundError:
        return Record()
    except (pydantic.ValidationError, UnicodeDecodeError) as error:
        raise KwsError(
            f"{file} is no record of retrainings: {str(error).splitlines()[0]}",
            hint="move it away: the next pass then judges the newest recordings again",
        ) from error


def write(folder: Path, record: Record) -> None:
    """Replaces the file in one step: after a crash it is the old one or the new one."""
    storage.atomic_write(
        folder / RECORD_FILE, record.model_dump_json(indent=2) + "\n", durable=True
    )
