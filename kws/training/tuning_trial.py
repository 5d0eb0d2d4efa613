"""One trial of a search: a model, checked for its size, and trained by our own loop."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kws.errors import KwsError
from kws.models import cost, registry
from kws.training import checkpoint
from kws.training.callbacks import EpochReport, StepReport
from kws.training.fit import fit
from kws.training.params import TrainingParams
from kws.training.tuning import TuningParams
from kws.training.tuning_data import ClipData
from kws.training.tuning_report import TrialResult
from kws.training.tuning_space import Sections

log = logging.getLogger(__name__)

_TIE = 5e-7
"""Cross entropy breaks ties of accuracy: it is 16.1 at most, so this is less than a clip in 1e5."""

_OFF = ("early_stopping", "distillation", "quantization_aware", "hard_negatives")
"""Sections that need more than clips, or more time than a trial has."""


class Refused(Exception):
    """A trial's model is larger than the search allows."""


class Bench(NamedTuple):
    """What all trials of a search share."""

    tuning: TuningParams
    sections: Sections
    data: ClipData
    checkpoints: Path
    clock: Callable[[], float] = time.monotonic


def run(number: int, values: Mapping[str, Any], epochs: int, bench: Bench) -> TrialResult:
    """Trains a model with these values of the search space and says how good it became.

    Whatever goes wrong is told in the result: one trial must not end a search of hours. A trial
    that was killed goes on from its checkpoint.
    """
    started = bench.clock()
    found: dict[str, Any] = {}
    try:
        _train(values, epochs, bench, f"Trial {number}", found)
        found["status"] = "done"
    except Refused as refusal:
        found.update(status="refused", reason=str(refusal))
    except Exception as error:
        if not isinstance(error, (KwsError, ArithmeticError)):
            log.warning("Trial %d", number, exc_info=True)
        found.update(status="failed", reason=_sentence(error))
    seconds = bench.clock() - started
    return TrialResult(number=number, values=dict(values), epochs=epochs, seconds=seconds, **found)


def _train(
    values: Mapping[str, Any], epochs: int, bench: Bench, name: str, found: dict[str, Any]
) -> None:
    """Fills `found` with the figures of a TrialResult, each as soon as it is known."""
    import tensorflow as tf

    sections, tuning = bench.sections.applied(values), bench.tuning
    training = of_a_trial(sections.training, epochs)
    tf.keras.backend.clear_session()
    shape, labels = sections.features.feature_shape, bench.data.labels
    model = registry.build(
        sections.model,
        shape,
        len(labels),
        seed=training.seed,
        context_frames=sections.features.context_frames,
    )
    found.update(parameters=model.count_params(), macs=cost.macs(model))
    limits = {"parameters": tuning.max_parameters, "macs": tuning.max_macs}
    for what, limit in limits.items():
        if limit is not None and found[what] > limit:
            raise Refused(f"{what}={found[what]:,} is more than tuning.max_{what}={limit:,}")
    train, eval_data = bench.data(sections.features)
    history = fit(
        model, train, eval_data, training, checkpoint_dir=bench.checkpoints, progress=_Told(name)
    )
    checkpoint.clear(bench.checkpoints)
    accuracy, cross_entropy = history.best.eval_accuracy, history.best.eval_cross_entropy
    by_entropy = tuning.objective == "cross_entropy"
    found.update(
        score=-cross_entropy if by_entropy else accuracy - _TIE * cross_entropy,
        eval_accuracy=accuracy,
        eval_cross_entropy=cross_entropy,
        eval_examples=len(eval_data),
    )


def of_a_trial(training: TrainingParams, epochs: int) -> TrainingParams:
    """The training section of a trial: one plain training, however the last one will go."""
    off: dict[str, Any] = {name: None for name in _OFF}
    return training.model_copy(update={"epochs": epochs, "warm_start": False, **off})


def _sentence(error: Exception) -> str:
    """One line of it: the first, or of an error in a compiled function the last."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[-1].strip() if lines[0].startswith("in user code") else lines[0]


class _Told(NamedTuple):
    """Log lines of a trial; ends one whose numbers are none."""

    name: str

    def on_step(self, report: StepReport) -> None:
        if not np.isfinite(report.cross_entropy):
            raise ArithmeticError(f"cross entropy is {report.cross_entropy} at step {report.step}")

    def on_epoch(self, report: EpochReport, labels: Sequence[str]) -> None:
        log.info("%s: %s", self.name, report.line())
