"""Synthesizes requests into cached clips, in one process or several; each clip is made only once.

An engine's float audio becomes a clip of 16 kHz int16: trimmed by energy, levelled and faded.
Clips are stored under a hash of their request.
"""

import concurrent.futures
import dataclasses
import hashlib
import io
import multiprocessing
import time
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Protocol

import numpy as np

from kws import storage
from kws.errors import KwsError
from kws.voices import engines
from kws.voices.engine import Request

SAMPLE_RATE = 16000
FRAME_SAMPLES = 160
"""10 ms: energy is judged by these."""
THRESHOLD_DB = -38.0
"""A frame belongs to the utterance if it is above this, relative to the loudest frame."""
MARGIN_FRAMES = (3, 5)
"""Kept before the first and after the last such frame: weak onsets and releases live there."""
FADE_SAMPLES = 80
LEVEL_DBFS = -20.0
"""RMS of the frames above the threshold: engines differ by 12 dB, and loudness must not tell a
keyword (mostly Kokoro) from another word (mostly hibari)."""
PEAK_DBFS = -1.0


def to_clip(audio: np.ndarray, sample_rate: int) -> np.ndarray:
    """The utterance in `audio`, float32 `[samples]`, as int16 `[samples]` at 16 kHz.

    Raises:
      ValueError: if the audio is silent, or holds NaN or infinity.
    """
    import soxr

    if not np.isfinite(audio).all():
        raise ValueError("the audio holds NaN or infinity")
    at_16k = soxr.resample(audio, sample_rate, SAMPLE_RATE) if sample_rate != SAMPLE_RATE else audio
    frames = np.pad(at_16k, (0, -len(at_16k) % FRAME_SAMPLES)).reshape(-1, FRAME_SAMPLES)
    power = np.square(frames, dtype=np.float64).mean(axis=1)
    if not len(power) or power.max() < 1e-8:
        raise ValueError("the audio is silent")
    loud = np.flatnonzero(power > power.max() * 10 ** (THRESHOLD_DB / 10))
    first = max(0, loud[0] - MARGIN_FRAMES[0]) * FRAME_SAMPLES
    end = min(len(at_16k), (loud[-1] + 1 + MARGIN_FRAMES[1]) * FRAME_SAMPLES)
    clip = at_16k[first:end].astype(np.float64)
    gain = 10 ** (LEVEL_DBFS / 20) / np.sqrt(power[loud].mean())
    clip *= min(gain, 10 ** (PEAK_DBFS / 20) / np.abs(clip).max())
    fade = min(FADE_SAMPLES, len(clip) // 2)
    ramp = (np.arange(fade) + 0.5) / fade
    clip[:fade] *= ramp
    clip[len(clip) - fade :] *= ramp[::-1]
    return np.round(clip * 32767).astype(np.int16)


def default_folder() -> Path:
    """`voices/` of the cache."""
    return storage.cache_root() / "voices"


class ClipCache:
    """int16 clips at 16 kHz under a hexadecimal key, one file each.

    A file is 32 bytes of SHA-256 over the FLAC stream that follows, so that a damaged file is
    noticed whatever the damage; it then counts as missing. Files appear by rename: several
    processes may share a folder.
    """

    def __init__(self, folder: Path | str):
        self.folder = Path(folder)

    def path(self, key: str) -> Path:
        """Where the clip is or would be."""
        return self.folder / key[:2] / f"{key}.clip"

    def get(self, key: str) -> np.ndarray | None:
        """The clip, int16 `[samples]`, or None where it is missing or damaged."""
        import soundfile

        try:
            stored = self.path(key).read_bytes()
        except FileNotFoundError:
            return None
        if hashlib.sha256(stored[32:]).digest() != stored[:32]:
            return None
        clip, _ = soundfile.read(io.BytesIO(stored[32:]), dtype="int16")
        return clip

    def put(self, key: str, clip: np.ndarray) -> None:
        """Stores the clip, int16 `[samples]`, replacing what was there."""
        import soundfile

        flac = io.BytesIO()
        soundfile.write(flac, clip, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
        content = hashlib.sha256(flac.getvalue()).digest() + flac.getvalue()
        storage.atomic_write(self.path(key), content)


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
    limit = request.max_ms * SAMPLE_RATE // 1000
    faster = request
    for _ in range(_TRIES):
        try:
            clip = to_clip(engine.say(faster), engine.sample_rate)
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
