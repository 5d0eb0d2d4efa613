"""Where everything is logged while the terminal shows what a person wants to know."""

import contextlib
import datetime
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from absl import logging as absl_logging

from kws import credentials
from pipeline.steps import OURS


@contextlib.contextmanager
def log_file(folder: Path, verbose: bool = False) -> Iterator[Path]:
    """Sends every log line to a new file of the folder, and to the console only if asked."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{datetime.datetime.now():%Y%m%d-%H%M%S}.log"
    handler = logging.FileHandler(log)
    handler.setFormatter(_Redacting("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    before = root.handlers[:], root.level
    root.handlers = [handler, *([logging.StreamHandler()] if verbose else [])]
    root.setLevel(logging.INFO)
    for name in OURS:  # libraries reset the root's level as they are imported
        logging.getLogger(name).setLevel(logging.INFO)
    absl_logging.use_absl_handler()
    root.removeHandler(absl_logging.get_absl_handler())
    absl_logging.set_verbosity(absl_logging.INFO)
    logging.captureWarnings(True)
    # TensorFlow's and TFLite's C++ code writes to file descriptor 2, past Python's logging.
    sys.stderr.flush()
    terminal = os.dup(2)
    if not verbose:
        os.dup2(_descriptor(handler), 2)
    try:
        yield log
    finally:
        sys.stderr.flush()
        os.dup2(terminal, 2)
        os.close(terminal)
        handler.close()
        root.handlers, root.level = before


class _Redacting(logging.Formatter):
    """Libraries log the addresses that they open: what looks like a credential is left out."""

    def format(self, record: logging.LogRecord) -> str:
        return credentials.redacted(super().format(record))


def _descriptor(handler: logging.FileHandler) -> int:
    assert handler.stream is not None  # opened by the constructor, as delay is not asked for
    return handler.stream.fileno()
