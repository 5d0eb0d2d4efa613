"""How much the libraries below say: nothing, unless --verbose asks for it.

TensorFlow speaks in three ways: its C++ code by `TF_CPP_MIN_LOG_LEVEL`, its Python code and absl by
`logging`, others by `warnings`. Our own messages use none of them.
"""

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator

_ENVIRONMENT = "KWS_VERBOSE"
"""Set by --verbose, so that the processes a verb starts know it too; 1 in a shell does the same."""
_CPP = "TF_CPP_MIN_LOG_LEVEL"


def is_verbose() -> bool:
    """Whether --verbose was given, or KWS_VERBOSE is set and not 0."""
    return os.environ.get(_ENVIRONMENT, "0") not in ("", "0")


def choose(verbose: bool) -> None:
    """Lets the libraries speak from here on. Before TensorFlow is imported, or its C++ is mute."""
    if not verbose:
        return
    os.environ[_ENVIRONMENT] = "1"
    os.environ[_CPP] = "0"
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
        with warnings.catch_warnings():
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
