"""What all verbs have in common: --verbose, an example under --help, and one line an error."""

import contextlib
import functools
import inspect
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from kws.cli import ending, verbosity
from kws.cli.examples import EXAMPLES
from kws.errors import KwsError, of_system
from kws.terminal import echo

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
        verbosity.choose(verbose)
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
    with verbosity.as_chosen(), ending.noted(say_stopped) as stop:
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
            return ending.SIGNALLED + stop.number
    return FAILED


def _say_stopped(given: Sequence[str], number: int) -> None:
    verb = next((word for word in given if not word.startswith("-")), "")
    _say(f"stopped by {signal.Signals(number).name}", RESUMED.get(verb))


def _unforeseen(error: Exception) -> tuple[str, str | None]:
    text = " ".join(str(error).split())
    what = f"{type(error).__name__}: {text}" if text else type(error).__name__
    hint = "this was not foreseen; --verbose shows where it happened"
    return what, None if verbosity.is_verbose() else hint


def _say(message: str, hint: str | None) -> None:
    """An error on standard error, the hint below; with --verbose, first where it came from."""
    if verbosity.is_verbose() and sys.exc_info()[0] is not None:
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
