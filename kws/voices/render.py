"""Requests to clips in the cache, by one process or several; each clip is made once, ever."""

import concurrent.futures
import dataclasses
import multiprocessing
import time
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Protocol

import numpy as np

from kws.errors import KwsError
from kws.voices import engines, trim
from kws.voices.cache import ClipCache
from kws.voices.engine import Request


class Progress(Protocol):
    """Called before the first utterance, and whenever some are done."""

    def __call__(self, done: int, total: int, seconds: float, *, remaining_s: float) -> None:
        """Takes utterances done and in all, seconds since the start, and seconds left, about."""


CLIP_VERSION = 1
"""Raised when `render` or `trim` change what comes out."""
MAX_SPEED = 2.0
_HASTE = 1.04
_TRIES = 4
_BATCH = 4
_TRUSTED_S = 10.0
"""Seconds of work for which the engines' figures count as much as what was measured by then."""


def key(request: Request) -> str:
    """The clip's name in the cache."""
    version = engines.version(request.engine, request.voice)
    return request.content_hash(f"{version} clip {CLIP_VERSION}")


def render(request: Request) -> np.ndarray:
    """Says it, trims it, and says it faster while it is longer than `request.max_ms`.

    Returns:
      int16 `[samples]` at 16 kHz.

    Raises:
      KwsError: if nothing audible comes out.
    """
    engine = engines.load(request.engine)
    limit = request.max_ms * trim.SAMPLE_RATE // 1000
    faster = request
    for _ in range(_TRIES):
        try:
            clip = trim.to_clip(engine.say(faster), engine.sample_rate)
        except ValueError as error:
            raise KwsError(
                f"{engine.name} {request.voice} saying {request.text!r}: {error}"
            ) from error
        if not limit or len(clip) <= limit or faster.speed >= MAX_SPEED:
            break
        speed = min(MAX_SPEED, round(faster.speed * _HASTE * len(clip) / limit, 3))
        faster = dataclasses.replace(request, speed=speed)
    return clip


def synthesize(
    requests: Sequence[Request],
    cache_folder: Path,
    workers: int = 1,
    progress: Progress | None = None,
) -> int:
    """Brings every request's clip into the cache.

    What is there already is not said again, so that a run that was interrupted goes on where it
    was. The clips do not depend on the number of workers.

    Returns:
      How many were synthesized (the others were there).
    """
    start_s = time.monotonic()
    cache = ClipCache(cache_folder)
    distinct = {key(request): request for request in requests}
    missing = [request for name, request in distinct.items() if cache.get(name) is None]
    # Long ones first, so that no process is left alone with one at the end.
    missing.sort(key=lambda request: (request.engine != engines.KOKORO, -len(request.phonemes)))
    done = len(distinct) - len(missing)
    workers = max(1, min(workers, -(-len(missing) // _BATCH)))
    left_s = sum(map(engines.seconds, missing))
    worked_s = 0.0

    def report(said: Sequence[Request]) -> None:
        nonlocal done, left_s, worked_s
        done += len(said)
        batch_s = sum(map(engines.seconds, said))
        left_s, worked_s = left_s - batch_s, worked_s + batch_s
        if progress is not None:
            took_s = time.monotonic() - start_s
            slowness = (took_s * workers + _TRUSTED_S) / (worked_s + _TRUSTED_S)
            remaining_s = max(0.0, left_s * slowness / workers)
            progress(done, len(distinct), took_s, remaining_s=remaining_s)

    report([])
    for engine in {request.engine for request in missing}:
        engines.prepare(engine)
    if workers == 1:
        for request in missing:
            report(_render_batch([request], cache_folder))
    else:
        _in_processes(missing, cache_folder, workers, report)
    return len(missing)


def _in_processes(
    requests: Sequence[Request],
    cache_folder: Path,
    workers: int,
    report: Callable[[Sequence[Request]], None],
) -> None:
    batches = [requests[i : i + _BATCH] for i in range(0, len(requests), _BATCH)]
    # spawn: a fork would copy threads' locks of whatever the parent has loaded.
    pool = concurrent.futures.ProcessPoolExecutor(
        min(workers, len(batches)), mp_context=multiprocessing.get_context("spawn")
    )
    try:
        futures = [pool.submit(_render_batch, batch, cache_folder) for batch in batches]
        for future in concurrent.futures.as_completed(futures):
            report(future.result())
    except BrokenProcessPool as error:
        raise KwsError(
            "a voice process died, most likely of too little memory",
            hint="run again with fewer workers; what was said so far is kept",
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _render_batch(requests: Sequence[Request], cache_folder: Path) -> Sequence[Request]:
    cache = ClipCache(cache_folder)
    for request in requests:
        cache.put(key(request), render(request))
    return requests
