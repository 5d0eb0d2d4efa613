"""How much the libraries below say: nothing, unless --verbose asks for it.

TensorFlow speaks in three ways: its C++ code by `TF_CPP_MIN_LOG_LEVEL`, its Python code and absl by
`logging`, others by `warnings`. Codecs below libsndfile print to standard output itself, in the
middle of what may be JSON. Our own messages use none of them.
"""

import contextlib
import ctypes
import logging
import os
import sys
import threading
import warnings
from collections.abc import Iterator

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
