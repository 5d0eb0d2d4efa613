"""Runs the search: KerasTuner chooses what to try next, our own training loop runs each trial.

KerasTuner (O'Malley et al., 2019, https://keras.io/keras_tuner) provides random search, Bayesian
optimization with a Gaussian process, and Hyperband (Li et al., 2018, JMLR 18). Its `Tuner` would
train by Keras' `fit`; here a trial is `kws.training.fit`, so a trial learns what the Trainer would
have learned in as many epochs. A trial that is too large is refused before training. Hyperband's
longer trials start over: a learning rate schedule that has ended cannot be resumed.

This module imports KerasTuner, and with it TensorFlow.
"""

import contextlib
import io
import logging
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras_tuner
import numpy as np
from keras_tuner.engine import base_tuner
from keras_tuner.engine.trial import Trial, TrialStatus

from kws import storage
from kws.errors import KwsError
from kws.models import cost, registry
from kws.training import checkpoint, tuning_space
from kws.training.callbacks import EpochReport, StepReport
from kws.training.fit import fit
from kws.training.params import TrainingParams
from kws.training.tuning import TUNING_FILE, EndedBy, TrialResult, TuningParams, TuningReport
from kws.training.tuning_data import ClipData
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


def run_trial(number: int, values: Mapping[str, Any], epochs: int, bench: Bench) -> TrialResult:
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


_SCORE = "score"
_KERAS_TUNER = "keras_tuner"
_REPEATS = 20
"""So many choices in a row that were tried before: the space has nothing new."""
_REFUSALS = 50
"""So many trials in a row that did not come through: the limits or the data are wrong."""


class Search(base_tuner.BaseTuner):
    """One search, which goes on where it was if its process was killed.

    Attributes:
      report: of the trials so far; a file in `folder` too, after each trial.
    """

    def __init__(
        self,
        tuning: TuningParams,
        sections: Sections,
        data: ClipData,
        folder: Path,
        clock: Callable[[], float] = time.monotonic,
    ):
        """Opens the search in `folder`, with the trials that it holds already.

        Args:
          tuning: the search.
          sections: the configuration; the space's values go into it.
          data: what trials are trained and judged on.
          folder: of this very search and no other; who made it clears it.
          clock: seconds.
        """
        self._bench = Bench(tuning, sections, data, folder / "checkpoints", clock)
        self._tuning, self._folder, self._clock, self._started = tuning, folder, clock, clock()
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / TUNING_FILE
        self.report = TuningReport(tuning=tuning)
        if self._file.is_file():
            earlier = TuningReport.from_json(self._file.read_text())
            self.report = earlier.model_copy(update={"tuning": tuning, "ended_by": ""})
            log.info("Going on after %d trials", len(earlier.trials))
        self._minutes_before = self.report.minutes
        self._repeats = 0
        try:
            self._open()
        except (ValueError, KeyError, RuntimeError) as error:
            # Killed as it wrote. The trials in the report are not trained again.
            log.warning("KerasTuner's files cannot be read (%s): it begins anew", error)
            shutil.rmtree(folder / _KERAS_TUNER)
            self._open()

    def _open(self) -> None:
        oracle = _oracle(self._tuning)
        oracle.verbose = 0
        values = tuning_space.configured(self._tuning.space, self._bench.sections)
        if values is not None and self._tuning.algorithm != "hyperband":
            _begin_with(values, oracle)
        with contextlib.redirect_stdout(io.StringIO()):
            super().__init__(oracle=oracle, directory=str(self._folder), project_name=_KERAS_TUNER)

    def search(self, *fit_args: Any, **fit_kwargs: Any) -> None:
        """Runs trials until the budget, the number of trials or the space is used up.

        KerasTuner's own loop knows no budget of time, and trains by Keras' `fit`.

        Raises:
          KwsError: no trial came through.
        """
        while not (ended_by := self._ended_by()):
            trial = self.oracle.create_trial(self.tuner_id)
            if trial.status != TrialStatus.RUNNING:
                limit = self._tuning.max_trials
                ended_by = "max_trials" if limit and len(self.oracle.trials) >= limit else "space"
                break
            self._run(trial)
        # TFX asks for so many as it writes its results.
        self.oracle.max_trials = max(1, len(self.oracle.trials))
        self.report = self.report.model_copy(
            update={"ended_by": ended_by, "minutes": self._minutes}
        )
        trials, best = self.report.trials, self.report.best
        if best is None:
            shutil.rmtree(self._folder)  # what went wrong may be mended, and is tried again then
            raise KwsError(
                f"none of the {len(trials)} trials of the Tuner came through; the first, "
                f"{tuning_space.text_of(trials[0].values)}: {trials[0].reason}",
                hint="change tuning.space or its limits",
            )
        log.info("Best of %d trials: %d, %s", len(trials), best.number, _figures(best))

    def _run(self, trial: Trial) -> None:
        """One trial by our own training loop, or the result of an equal one before."""
        chosen = trial.hyperparameters.values
        values = tuning_space.values_of({"values": chosen})
        epochs = int(chosen.get("tuner/epochs", self._tuning.epochs))
        result = self._tried(values, epochs)
        self._repeats = self._repeats + 1 if result else 0
        if result is None:
            number, most = int(trial.trial_id) + 1, self._tuning.max_trials
            log.info(
                "Trial %d%s, %.1f minutes left: %s",
                *(number, f" of at most {most}" if most else ""),
                *(self._tuning.budget_minutes - self._minutes, tuning_space.text_of(values)),
            )
            result = run_trial(number, values, epochs, self._bench)
            self._note(result)
        if result.score is None:
            trial.status, trial.message = TrialStatus.FAILED, result.reason
        else:
            self.oracle.update_trial(trial.trial_id, {_SCORE: result.score})
            trial.status = TrialStatus.COMPLETED
        self.on_trial_end(trial)

    def _tried(self, values: dict[str, Any], epochs: int) -> TrialResult | None:
        for result in self.report.trials:
            if (result.values, result.epochs) == (values, epochs):
                return result
        return None

    def _note(self, result: TrialResult) -> None:
        self.report = self.report.model_copy(
            update={"trials": (*self.report.trials, result), "minutes": self._minutes}
        )
        storage.atomic_write(self._file, self.report.to_json())
        best = self.report.best
        log.info(
            "Trial %d: %s; best so far: %s",
            *(result.number, _figures(result)),
            f"trial {best.number}, {_figures(best)}" if best else "none",
        )

    @property
    def _minutes(self) -> float:
        return self._minutes_before + (self._clock() - self._started) / 60

    def _ended_by(self) -> EndedBy:
        last = self.report.trials[-_REFUSALS:]
        if self.report.trials and self._minutes >= self._tuning.budget_minutes:
            return "budget"
        if self._repeats >= _REPEATS:
            return "space"
        if len(last) == _REFUSALS and all(result.score is None for result in last):
            return "refusals"
        return ""


def _figures(result: TrialResult) -> str:
    if result.eval_accuracy is None:
        return f"{result.status}, {result.reason}"
    return (
        f"eval accuracy {result.eval_accuracy:.1%} (N={result.eval_examples}), cross entropy "
        f"{result.eval_cross_entropy:.4f}, {result.parameters:,} parameters"
    )


def _begin_with(values: dict[str, Any], oracle: keras_tuner.Oracle) -> None:
    """The first trial is of these, so that what the search finds is no worse."""
    choose = oracle.populate_space

    def populate_space(trial_id: str) -> dict[str, Any]:
        if oracle.trials:
            return choose(trial_id)
        return {"status": TrialStatus.RUNNING, "values": dict(values)}

    oracle.populate_space = populate_space


def _oracle(tuning: TuningParams) -> keras_tuner.Oracle:
    shared = {
        "objective": keras_tuner.Objective(_SCORE, "max"),
        "hyperparameters": tuning_space.hyperparameters(tuning.space),
        # KerasTuner counts up from it, so that neighbours would try nearly the same; 0 is random.
        "seed": int(np.random.SeedSequence(tuning.seed).generate_state(1)[0] // 2) + 1,
        "max_consecutive_failed_trials": 10**9,
    }
    if tuning.algorithm == "random":
        oracle = keras_tuner.oracles.RandomSearchOracle(**shared)
    elif tuning.algorithm == "bayesian":
        # KerasTuner's own number of random trials to begin with is three times the dimensions.
        oracle = keras_tuner.oracles.BayesianOptimizationOracle(
            num_initial_points=len(tuning.space) + 2, **shared
        )
    else:
        oracle = keras_tuner.oracles.HyperbandOracle(
            max_epochs=tuning.epochs, hyperband_iterations=10**6, **shared
        )
    oracle.max_trials = tuning.max_trials
    return oracle
