"""One pass: is there anything new? If so, train from the last blessed model, judge, push or refuse.

look ---- nothing new ----------------------------------------> one line, nothing is written
  |
  '--- new ---> note what is begun ---> the pipeline ---> note the verdict
"""

import dataclasses
import datetime
import functools
from pathlib import Path
from typing import TYPE_CHECKING

from kws import storage
from kws.errors import DataError, KwsError
from pipeline import config as configuration
from pipeline.config import Config
from pipeline.paths import Paths
from pipeline.retraining import made_of, record
from pipeline.retraining.complete import Incomplete, wait_until_complete
from pipeline.retraining.overrides import overrides
from pipeline.retraining.record import Begun, Judged

if TYPE_CHECKING:
    from rich.console import Console

LOCK_FILE = ".retraining.lock"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked for.

    Attributes:
      preset: name, or YAML file.
      set_: `section.key=value`; the last word over everything.
      data: folder of the recordings, if not the configuration's.
      out: the output folder.
      force: train even if nothing is new, and every step of it.
      verbose: show TFX's own log.
    """

    preset: str
    set_: tuple[str, ...] = ()
    data: Path | None = None
    out: Path = Path("runs")
    force: bool = False
    verbose: bool = False

    def load(self, chosen: tuple[str, ...] = ()) -> Config:
        """The configuration, with what retraining chooses.

        Raises:
          KwsError: it is wrong, or has nothing to retrain.
        """
        config = configuration.load(self.preset, [*chosen, *self.set_], self.data)
        if config.model is None:
            raise KwsError(
                f"{self.preset}: model is null, so there is nothing to retrain",
                hint="kws run makes data and features alone",
            )
        return config


def one_pass(request: Request, console: "Console") -> Judged | None:
    """Looks, and retrains if there is something new.

    Returns:
      The verdict; None where nothing was new, or the recordings are not complete yet.

    Raises:
      KwsError: of the configuration, the recordings or a component. Nothing is judged then, and the
        next pass goes on. storage.Busy: another pass goes on.
    """
    config = request.load()
    folder = Paths(out=request.out, name=config.name).metadata.parent
    with storage.lock(folder / LOCK_FILE, f"a retraining of {config.name}", wait=False):
        try:
            found = _look(config, console)
        except Incomplete as incomplete:
            _say(console, f"not yet: {incomplete}")
            return None
        known = record.read(folder)
        before = known.find(found.quick) or known.find(found.sure)
        if before is not None and not request.force:
            _say(console, f"nothing new: {before.sentence()}")
            return None
        return _retrain(request, config, found, folder, console)


def _look(config: Config, console: "Console") -> made_of.MadeOf:
    from pipeline.bar import source_bar

    say = functools.partial(_say, console)
    with source_bar(console) as progress:
        found = made_of.look(config, progress)
        while wait_until_complete(found.folders, config.retraining, say):
            found = made_of.look(config, progress)
    return found


def _retrain(
    request: Request, config: Config, found: made_of.MadeOf, folder: Path, console: "Console"
) -> Judged:
    # TFX and TensorFlow come with these: a pass without anything new does without.
    from pipeline import metadata_store, results
    from pipeline.console import run_job
    from pipeline.local_runner import Job

    known = record.read(folder)
    place = metadata_store.place_of(config, Paths(out=request.out, name=config.name))
    quick, sure = found.quick, found.sure
    begun = known.begun
    if begun is not None and begun.sure == sure and begun.anew >= request.force:
        _say(console, f"going on with what was begun on {begun.since}")
    else:
        warm = results.has_model_in_service(place, config.name)
        begun = Begun(
            quick=quick,
            sure=sure,
            overrides=tuple(overrides(config, warm)),
            since=_now(),
            anew=request.force or known.is_other_code(found.code),
        )
        record.write(folder, known.with_begun(begun))
    job = Job.from_choice(
        request.preset, [*begun.overrides, *request.set_], request.data, request.out
    )
    training = job.config.training
    warm = training.warm_start and results.has_model_in_service(place, config.name)
    where = "the last blessed model" if warm else "scratch"
    _say(console, f"new: {_what(found)}; {training.epochs} epochs from {where}")
    judged = Judged(
        quick=quick,
        sure=sure,
        span=found.span,
        verdict="refused",
        at=_now(),
        warm=warm,
        code=found.code,
    )
    try:
        outcome = run_job(job, console, request.verbose, cache=not begun.anew)
    except DataError as error:
        _say(console, f"REFUSED before training: {error}")
        changed: dict[str, object] = {"reasons": (error.message,)}
    else:
        _say(console, _drift(outcome.drift))
        changed = {
            "verdict": "pushed" if outcome.accepted else "refused",
            "pushed_to": outcome.pushed_to or "",
            "reasons": outcome.reasons,
            "drift": outcome.drift,
        }
    judged = judged.model_copy(update={**changed, "at": _now()})
    record.write(folder, record.read(folder).with_judged(judged))
    _say(console, judged.sentence())
    return judged


def _say(console: "Console", text: str) -> None:
    """One line, whatever is in it: paths and labels may have brackets."""
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def _drift(sentences: tuple[str, ...]) -> str:
    """One line; the run's own screen has those above their limits."""
    if not sentences:
        return "drift: nothing to measure it from"
    above = sum("above the limit" in sentence for sentence in sentences)
    return (
        f"drift: {above} of {len(sentences)} distances are above their limits; "
        f"{record.RECORD_FILE} has all"
    )


def _what(found: made_of.MadeOf) -> str:
    return "these recordings" if found.span is None else f"span {found.span}"


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
