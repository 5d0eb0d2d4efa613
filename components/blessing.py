"""How every judge blesses: the verdict, its reasons and every gate, on the artifact itself.

Who looks at the metadata alone, by a query or in a dashboard, sees why a model was blessed or
refused, long after the folders of the run are gone.
"""

import json
import math

from absl import logging
from tfx import types

from components import staging
from kws import gates as kws_gates
from kws.gates import Gate

BLESSED = "blessed"
REASONS = "reasons"
GATES = "gates"
MODEL, MODEL_ID = "current_model", "current_model_id"
"""As TFX's Evaluator names them."""
BLESSINGS = ("model_blessing", "streaming_blessing", "infra_blessing")
"""The three judges' (the first the Evaluator's or SceneEvaluator's), as MicroPusher takes them."""
OWN_CLIPS_BLESSING = "own_clips_blessing"
"""Of one more Evaluator, where a model was fitted to one person's own clips."""


def bless(
    blessing: types.Artifact, gates: list[Gate], model: types.Artifact | None = None, by: str = ""
) -> bool:
    """Writes `gates.json` into the artifact's folder, and its custom properties.

    Properties: `blessed` (1 or 0), `reasons` (one sentence for each gate that failed), `gates`
    (every gate: see `gates_property`), `current_model` and `current_model_id`.

    Args:
      blessing: the artifact.
      gates: all that were held.
      model: what was judged.
      by: the component's name, for the log.
    """
    with staging.written(blessing.uri) as folder:
        kws_gates.write_gates(folder, gates)
    describe(blessing, gates)
    verdict = kws_gates.verdict(gates)
    blessing.set_int_custom_property(BLESSED, int(verdict == "blessed"))
    if model is not None:
        blessing.set_string_custom_property(MODEL, model.uri)
        blessing.set_int_custom_property(MODEL_ID, model.id)
    logging.info("%s: %s. %s", by, verdict, blessing.get_string_custom_property(REASONS))
    return verdict == "blessed"


def describe(artifact: types.Artifact, gates: list[Gate]) -> None:
    """Sets `reasons` and `gates` alone; the verdict is someone else's."""
    reasons = "; ".join(gate.sentence() for gate in gates if not gate.passed)
    artifact.set_string_custom_property(REASONS, reasons)
    artifact.set_string_custom_property(GATES, gates_property(gates))


def gates_property(gates: list[Gate]) -> str:
    """JSON: name -> [value, "<=" or ">=", limit, passed]; a value that is none is null.

    `{"streaming.miss_rate":[0.07,"<=",0.1,true]}`.
    """
    rows = {
        gate.name: [
            _number(gate.value),
            "<=" if gate.at_most else ">=",
            _number(gate.limit),
            gate.passed,
        ]
        for gate in gates
    }
    return json.dumps(rows, separators=(",", ":"), allow_nan=False)


def _number(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None
