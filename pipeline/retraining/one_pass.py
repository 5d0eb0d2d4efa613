"""One pass of retraining: is there anything new? If so, train, judge, and push or refuse.

look ---- nothing new ----------------------------------------> one line, nothing is written
  |
  '--- new ---> note what is begun ---> the pipeline ---> note the verdict

Recordings are complete if nobody has changed them for a while, or if a marker file says so. The
time is that of the inode (`ctime`): copying, unpacking and renaming set it and nothing can set it
back, while the modification time travels with a copy.
"""

import dataclasses
import datetime
import functools
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kws import storage
from kws.corpus.folders import Folder
from kws.errors import DataError, KwsError
from kws.models import registry
from kws.storage import cache_root
from kws.training.params import RetrainingParams
from pipeline import config as configuration
from pipeline.config import Config
from pipeline.paths import Paths
from pipeline.retraining import input_fingerprint, record
from pipeline.retraining.record import Begun, Judged

if TYPE_CHECKING:
    from rich.console import Console


class Clock(NamedTuple):
    """Time, for tests to stand still.

    Attributes:
      now: seconds since 1970.
      sleep: waits for seconds.
    """

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


_CLOCK = Clock()


def wait_until_complete(
    folders: Sequence[Folder],
    params: RetrainingParams,
    say: Callable[[str], None],
    clock: Clock = _CLOCK,
) -> bool:
    """Waits until nothing has changed for `settle_seconds`; for a file to come it does not wait.

    Args:
      folders: of the corpus, the newest span of a source being its last.
      params: what says that they are complete.
      say: told why it waits, once.
      clock: time.

    Returns:
      True if it had to wait, so that one has to look again.

    Raises:
      Incomplete: the file that says so is not there.
    """
    if params.complete_file:
        for folder in _newest_of_sources(folders):
            if not (Path(folder.path) / params.complete_file).is_file():
                raise Incomplete(f"{folder.path} has no {params.complete_file}")
        return False
    paths = [Path(folder.path) for folder in folders if not _ours(folder)]
    waited = False
    changed = _last_change(paths)
    while clock.now() - changed < params.settle_seconds:
        if not waited:
            say(f"waiting until nothing has changed for {params.settle_seconds:g} s")
        # A clock of another machine may be ahead: then what counts is that it stays as it is.
        remaining = changed + params.settle_seconds - clock.now()
        clock.sleep(max(0.0, min(remaining, params.settle_seconds)))
        before, changed, waited = changed, _last_change(paths), True
        if changed == before:
            break
    return waited


class Incomplete(Exception):
    """The newest recordings are not complete yet; says which."""


def _newest_of_sources(folders: Sequence[Folder]) -> list[Folder]:
    """Of each source that grows by spans, the newest; without spans, the one plain folder."""
    newest: dict[str, Folder] = {}
    for folder in folders:
        grows = folder.prefix != folder.source and folder.kind == "speech_commands"
        if grows or not folder.prefix:
            newest[folder.source] = folder
    return list(newest.values())


def _ours(folder: Folder) -> bool:
    """Loaded, unpacked or synthesized here: it comes to its place when it is complete."""
    return Path(folder.path).is_relative_to(cache_root().resolve())


def _last_change(paths: Sequence[Path]) -> float:
    """Seconds since 1970 of the last change of any file or folder below."""
    newest = 0.0
    for path in paths:
        for parent, _, files in os.walk(path):
            for name in (parent, *(os.path.join(parent, file) for file in files)):
                try:
                    newest = max(newest, os.lstat(name).st_ctime)
                except FileNotFoundError:
                    newest = time.time()  # it was there a moment ago
    return newest


def overrides(config: Config, warm: bool) -> list[str]:
    """`section.key=value` for the configuration; the user's own come after these.

    Args:
      config: with the section `retraining`.
      warm: there is a blessed model to start from. Without one this is a first training, with all
        its epochs.
    """
    retraining, training = config.retraining, config.training
    rise = retraining.max_miss_rate_rise_of_last
    chosen = []
    if rise is not None:
        chosen.append(f"streaming.gates.max_miss_rate_rise_of_last={rise}")
    if not (retraining.warm_start and can_start_warm(config)):
        return chosen
    chosen.append("training.warm_start=true")
    if warm:
        epochs = max(1, round(training.epochs * retraining.epochs_share))
        chosen.append(f"training.epochs={epochs}")
        rate = training.learning_rate * retraining.learning_rate_share
        chosen.append(f"training.learning_rate={rate:.6g}")
    return chosen


def can_start_warm(config: Config) -> bool:
    """Models trained on scenes are always trained from scratch (`kws.training.scene_training`)."""
    return config.model is not None and registry.output(config.model.name) != "steps"


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


def _look(config: Config, console: "Console") -> input_fingerprint.MadeOf:
    from pipeline.runners.terminal_progress import source_bar

    say = functools.partial(_say, console)
    with source_bar(console) as progress:
        found = input_fingerprint.look(config, progress)
        while wait_until_complete(found.folders, config.retraining, say):
            found = input_fingerprint.look(config, progress)
    return found


def _retrain(
    request: Request,
    config: Config,
    found: input_fingerprint.MadeOf,
    folder: Path,
    console: "Console",
) -> Judged:
    # TFX and TensorFlow come with these: a pass without anything new does without.
    from kws.bundle.registry import Registry
    from pipeline.runners.console import run_job
    from pipeline.runners.local import Job

    known = record.read(folder)
    bundles = config.destination or Paths(out=request.out, name=config.name).bundles
    warm = Registry(bundles).base_version() is not None
    quick, sure = found.quick, found.sure
    begun = known.begun
    if begun is not None and begun.sure == sure and begun.anew >= request.force:
        _say(console, f"going on with what was begun on {begun.since}")
    else:
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
    warm = training.warm_start and warm
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


def _what(found: input_fingerprint.MadeOf) -> str:
    return "these recordings" if found.span is None else f"span {found.span}"


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
