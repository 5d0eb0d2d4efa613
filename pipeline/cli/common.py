"""What all verbs share: --verbose, examples under --help, one-line errors, and orderly endings.

A command can end early by Ctrl+C or by SIGTERM. Libraries stay silent unless --verbose asks for
their messages. TensorFlow reports in three ways: its C++ code by `TF_CPP_MIN_LOG_LEVEL`, its
Python code and absl by `logging`, others by `warnings`. Codecs below libsndfile print to standard
output, in the middle of what may be JSON. Our own messages use none of these. tests/docs checks
every example against the command line.
"""

import contextlib
import ctypes
import functools
import inspect
import logging
import os
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import Annotated, Any

import typer

from kws.errors import KwsError, of_system
from kws.terminal import echo

SIGNALLED = 128
"""What a shell adds to a signal's number for the exit status: 130 of Ctrl+C, 143 of SIGTERM."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)
AGAIN_S, LAST_S = 5.0, 30.0
"""How long after a signal it is raised once more, and the process left as it is."""


class Stop:
    """Which signal has come, if any, and what happens then.

    The first one is raised as a KeyboardInterrupt, so that temporary files go. Where it comes while
    C code calls Python back (a finalizer, a callback) Python drops it; so it is raised again until
    the verb has ended, and in the end the process leaves. A second signal ends it at once.

    Attributes:
      number: of the first one.
    """

    number: int | None = None

    def __init__(self, say: Callable[[int], None]):
        """Args: say: prints the line about a signal."""
        self._say = say
        self._began_s = 0.0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """The handler."""
        self.number = number
        self._began_s = time.monotonic()
        for one in SIGNALS:
            signal.signal(one, self._leave)
        signal.signal(signal.SIGALRM, self._again)
        signal.setitimer(signal.ITIMER_REAL, AGAIN_S, AGAIN_S)
        raise KeyboardInterrupt

    def _again(self, number: int, frame: FrameType | None) -> None:
        if time.monotonic() - self._began_s > LAST_S:
            self._leave(number, frame)
        raise KeyboardInterrupt

    def _leave(self, number: int, frame: FrameType | None) -> None:
        assert self.number is not None
        # Or, on a busy machine, the next one would come while this one is still at work.
        signal.setitimer(signal.ITIMER_REAL, 0)
        for one in SIGNALS:
            signal.signal(one, signal.SIG_IGN)
        self._say(self.number)
        os._exit(SIGNALLED + self.number)


@contextlib.contextmanager
def noted(say: Callable[[int], None]) -> Iterator[Stop]:
    """For the length of a verb, either signal ends it; tells which it was.

    A SIGINT that a shell has its background jobs ignore stays ignored.

    Args:
      say: prints a line about a signal, by its number, where nobody else will.
    """
    stop = Stop(say)
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.getsignal(number) for number in (*SIGNALS, signal.SIGALRM)}
    for number in SIGNALS:
        if before[number] is not signal.SIG_IGN:
            signal.signal(number, stop)
    try:
        yield stop
    finally:
        if stop.number is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def at_a_signal() -> Iterator[None]:
    """Ends its block, quietly, at Ctrl+C or SIGTERM: of a command that serves until then.

    SIGINT is asked for by name: a shell has it ignored in what it starts in the background.
    """
    before = {
        number: signal.signal(number, signal.default_int_handler)
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        with contextlib.suppress(KeyboardInterrupt):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


_ENVIRONMENT = "KWS_VERBOSE"
"""Set by --verbose, so that the processes a verb starts know it too; 1 in a shell does the same."""
_CPP = "TF_CPP_MIN_LOG_LEVEL"
_redirected = threading.Event()
"""File descriptor 1 is not where `sys.stdout` writes: see `_own_standard_output`."""


def is_verbose() -> bool:
    """Whether --verbose was given, or KWS_VERBOSE is set and not 0."""
    return os.environ.get(_ENVIRONMENT, "0") not in ("", "0")


def choose(verbose: bool) -> None:
    """Lets the libraries speak from here on. Before TensorFlow is imported, or its C++ is mute."""
    if not verbose:
        return
    os.environ[_ENVIRONMENT] = "1"
    os.environ[_CPP] = "0"
    if _redirected.is_set():
        os.dup2(2, 1)
    logging.getLogger().setLevel(logging.INFO)
    for handler in logging.getLogger().handlers:
        handler.setLevel(logging.NOTSET)
    warnings.simplefilter("default")


@contextlib.contextmanager
def as_chosen() -> Iterator[None]:
    """For the length of a verb: what libraries log goes nowhere, or to standard error if wanted.

    What was chosen before is chosen again afterwards, for tests and for who calls `main` by hand.
    """
    root = logging.getLogger()
    before = root.handlers[:], root.level
    kept = {name: os.environ.get(name) for name in (_ENVIRONMENT, _CPP)}
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    # TFX and TFMA call even a missing optional package an error.
    handler.setLevel(logging.CRITICAL)
    # Any handler keeps Python's own of last resort, and TensorFlow's, from being made.
    root.addHandler(handler)
    try:
        with warnings.catch_warnings(), _own_standard_output():
            warnings.simplefilter("ignore")
            choose(is_verbose())
            yield
    finally:
        root.handlers, root.level = before
        for name, value in kept.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _own_standard_output() -> Iterator[None]:
    """What Python prints goes where it went; what C code prints goes nowhere, or to standard error.

    File descriptor 1, which all C code of the process shares, is pointed at nothing, or at standard
    error by `choose`; `sys.stdout` has a copy of the former one.
    """
    if sys.stdout is None:
        yield  # closed by whoever started this
        return
    sys.stdout.flush()
    terminal = os.dup(1)
    try:
        at_terminal = sys.stdout.fileno() == 1
    except (OSError, AttributeError):
        at_terminal = False  # a test has put its own in the place
    before = sys.stdout
    if at_terminal:
        line_by_line = 1 if os.isatty(terminal) else -1
        sys.stdout = open(  # noqa: SIM115  closed below
            terminal, "w", line_by_line, before.encoding, errors="backslashreplace", closefd=False
        )
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    _redirected.set()
    try:
        yield
    finally:
        _redirected.clear()
        # What C's own buffer still holds must not come out after all.
        ctypes.CDLL(None).fflush(None)
        os.dup2(terminal, 1)
        if at_terminal:
            own, sys.stdout = sys.stdout, before
            # Nobody may be left who reads it.
            with contextlib.suppress(BrokenPipeError):
                own.close()
        os.close(terminal)


EXAMPLES = {
    "run": 'kws run --keyword "ok toaster"',
    "presets": "kws presets quickstart",
    "models": "kws models mixed_net --measure",
    "personalize": "kws personalize runs/mine --clips my_clips --keyword computer",
    "say": 'kws say "ok toaster" --voices 20',
    "corpus list": "kws corpus list",
    "corpus get": "kws corpus get librispeech-dev-clean",
    "corpus verify": "kws corpus verify",
    "synth stream": "kws synth stream --out streams --minutes 2",
    "synth scenes": "kws synth scenes --out scenes --preset trigger_word --count 20",
    "evaluate": "kws evaluate my_recordings --bundle runs/quickstart/bundles",
    "detect": "kws detect recording.wav --bundle runs/quickstart/bundles --picture heard.png",
    "listen": "kws listen --bundle runs/quickstart/bundles",
    "demo": "kws demo --bundle runs/quickstart/bundles",
    "stream-test": "kws stream-test recording.wav labels.txt --bundle runs/quickstart/bundles",
    "cascade": "kws cascade runs/tiny/bundles runs/large/bundles recordings",
    "bundle list": "kws bundle list runs/quickstart/bundles",
    "bundle verify": "kws bundle verify runs/quickstart/bundles",
    "bundle promote": "kws bundle promote runs/quickstart/bundles 20261121131457",
    "bundle rollback": "kws bundle rollback runs/quickstart/bundles",
    "kubeflow compile": "kws kubeflow compile --image kws:1 --pipeline-root gs://b/kws "
    "--data gs://b/data",
    "kubeflow upload": "kws kubeflow upload kws.yaml --host http://localhost:8080",
    "kubeflow run": "kws kubeflow run kws.yaml -p epochs=30",
    "kubeflow schedule": 'kws kubeflow schedule kws.yaml --cron "0 0 3 * * *"',
    "kubeflow list": "kws kubeflow list",
    "kubeflow runs": "kws kubeflow runs --count 5",
    "kubeflow logs": "kws kubeflow logs RUN_ID --task Trainer",
    "kubeflow pause": "kws kubeflow pause speech_commands_windowed",
    "kubeflow delete": "kws kubeflow delete speech_commands_windowed",
    "align": "kws align recordings --out clips",
    "augment show": "kws augment show word.wav --out pictures",
    "data": "kws data runs/quickstart",
    "report": "kws report runs/quickstart",
    "lineage": "kws lineage runs/quickstart/bundles --clips clips.csv",
    "runs diff": "kws runs diff quickstart#2 quickstart",
    "dashboard": "kws dashboard runs/quickstart --port 0",
    "tensorboard": "kws tensorboard runs/quickstart --all",
    "spectrogram": "kws spectrogram word.wav --out word.png",
    "doctor": "kws doctor",
}
"""By the words after `kws`. A verb that has an epilog of its own needs no line here."""

_SAME = "the same command goes on where it stopped: finished steps and checkpoints are kept"
RESUMED = {"run": _SAME, "retrain": _SAME}
"""What to do after a signal, by verb; of the others nothing is kept, and nothing half written."""
FAILED = 1
"""Exit status of any error. Not 2, as other programs have for a wrong option: here that is a model
that was judged and refused."""

Verbose = Annotated[
    bool,
    typer.Option(
        "--verbose", help="Show what TensorFlow and TFX log, and where an error came from."
    ),
]


def teach(app: typer.Typer, prefix: str = "") -> None:
    """Gives every verb of the app, and of the apps below it, --verbose and an example."""
    for verb in app.registered_commands:
        assert verb.callback is not None
        if verb.name is None:
            verb.name = verb.callback.__name__.rstrip("_").replace("_", "-")
        verb.callback = _with_verbose(verb.callback)
        if not isinstance(verb.epilog, str) and (example := EXAMPLES.get(prefix + verb.name)):
            verb.epilog = f"Example:  {example}"
    for group in app.registered_groups:
        if group.typer_instance is not None:
            teach(group.typer_instance, f"{prefix}{group.name} ")


def _with_verbose(verb: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(verb)
    if "verbose" in signature.parameters:
        return verb

    @functools.wraps(verb)
    def quiet_or_not(*args: Any, verbose: bool = False, **kwargs: Any) -> Any:
        choose(verbose)
        return verb(*args, **kwargs)

    # Typer reads the options off the signature.
    more = inspect.Parameter(
        "verbose", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Verbose
    )
    quiet_or_not.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[*signature.parameters.values(), more]
    )
    quiet_or_not.__annotations__ = {**verb.__annotations__, "verbose": Verbose}
    return quiet_or_not


def run(app: typer.Typer, arguments: Sequence[str] | None) -> int:
    """Runs the command line; whatever goes wrong ends in one line on standard error.

    Returns:
      The exit status.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    say_stopped = functools.partial(_say_stopped, given)
    with as_chosen(), noted(say_stopped) as stop:
        try:
            status = app(args=given, prog_name="kws", standalone_mode=False)
            if stop.number is None:
                return status if isinstance(status, int) else 0
        except KwsError as error:
            if stop.number is None:
                _say(error.message, error.hint)
        except (typer.Abort, KeyboardInterrupt):
            if stop.number is None:
                _say("stopped", None)
        except OSError as error:
            if stop.number is None:
                known = of_system(error)
                _say(*((known.message, known.hint) if known else _unforeseen(error)))
        except Exception as error:
            if stop.number is not None:
                pass  # what came of the signal, and not an error of its own
            elif _is_usage(error):
                _say_usage(error)
            else:
                _say(*_unforeseen(error))
        if stop.number is not None:
            say_stopped(stop.number)
            return SIGNALLED + stop.number
    return FAILED


def _say_stopped(given: Sequence[str], number: int) -> None:
    verb = next((word for word in given if not word.startswith("-")), "")
    _say(f"stopped by {signal.Signals(number).name}", RESUMED.get(verb))


def _unforeseen(error: Exception) -> tuple[str, str | None]:
    text = " ".join(str(error).split())
    what = f"{type(error).__name__}: {text}" if text else type(error).__name__
    hint = "this was not foreseen; --verbose shows where it happened"
    return what, None if is_verbose() else hint


def _say(message: str, hint: str | None) -> None:
    """An error on standard error, the hint below; with --verbose, first where it came from."""
    if is_verbose() and sys.exc_info()[0] is not None:
        traceback.print_exc()
    # Nobody may be left who reads it.
    with contextlib.suppress(BrokenPipeError):
        echo(f"kws: {message}", err=True)
        if hint:
            echo(f"     {hint}", err=True)


def _is_usage(error: Exception) -> bool:
    """Whether it is the parser's: a wrong option, value or verb (Click's ClickException)."""
    return hasattr(error, "format_message") and hasattr(error, "exit_code")


def _say_usage(error: Any) -> None:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "kws"
    if type(error).__name__ == "NoArgsIsHelpError":
        typer.echo(error.format_message(), err=True)
        return
    text = " ".join(error.format_message().split())
    _say(text, f"{path} --help")
