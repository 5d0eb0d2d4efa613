"""Gates: a measured value held against a limit. Every blessing is a list of these.

A component that judges writes its gates to `gates.json` inside the blessing artifact; the run's
summary, the bundle's `evaluation.json` and the report all read that one file.
"""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from kws.params import Params

GATES_FILE = "gates.json"


def figure(value: float) -> str:
    """A number for a person: whole ones with separators, others with four digits."""
    if math.isfinite(value) and (value == int(value) or abs(value) >= 1000):
        return f"{value:,.0f}"
    return f"{value:.4g}"


class Gate(Params):
    """One judged figure.

    Attributes:
      name: dotted and stable, e.g. `streaming.false_accepts_per_hour`.
      value: what was measured (or its bound, where the gate is set on the bound).
      limit: what was allowed.
      at_most: True where the value must be <= limit, False where it must be >= limit.
      unit: e.g. "bytes", "/h", "" for a share.
      detail: one sentence for a person: what it rests on (hours, clips), bounds.
    """

    name: str
    value: float
    limit: float
    at_most: bool
    unit: str = ""
    detail: str = ""

    @property
    def passed(self) -> bool:
        """NaN never passes."""
        return self.value <= self.limit if self.at_most else self.value >= self.limit

    @property
    def margin(self) -> float:
        """By how much it passed (positive) or failed (negative), in the value's unit."""
        return self.limit - self.value if self.at_most else self.value - self.limit

    def sentence(self) -> str:
        """`streaming.false_accepts_per_hour = 2.1 /h, at most 1 allowed: failed by 1.1`."""
        unit = f" {self.unit}" if self.unit else ""
        verdict = "passed" if self.passed else "failed"
        bound = "at most" if self.at_most else "at least"
        return (
            f"{self.name} = {figure(self.value)}{unit}, {bound} {figure(self.limit)} required: "
            f"{verdict} by {figure(abs(self.margin))}{unit}"
        )


Verdict = Literal["blessed", "refused"]


def verdict(gates: Sequence[Gate]) -> Verdict:
    """Blessed only if there is at least one gate and all passed."""
    return "blessed" if gates and all(gate.passed for gate in gates) else "refused"


def write_gates(folder: str | Path, gates: Sequence[Gate]) -> None:
    """Writes `gates.json` into the folder (made if missing)."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps([gate.model_dump() for gate in gates], indent=2)
    (folder / GATES_FILE).write_text(text + "\n")


def read_gates(folder: str | Path) -> list[Gate]:
    """Reads what `write_gates` wrote."""
    return [Gate(**row) for row in json.loads((Path(folder) / GATES_FILE).read_text())]
