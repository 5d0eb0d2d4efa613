"""The corpus of synthesized speech that a configuration describes."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kws import storage
from kws.storage import cache_root
from pipeline.config import Config
from pipeline.progress import Progress

if TYPE_CHECKING:
    import numpy as np

    from kws.speech.judge import Judgement


def voices_folder(config: Config) -> Path:
    """Where it is, or will be: named after the section `voices`."""
    digest = hashlib.sha256(config.voices.to_json().encode()).hexdigest()[:16]
    return cache_root() / "corpora" / digest


def synthesize(config: Config, workers: int, progress: Progress | None) -> Path:
    """Makes it, unless it is there; clips come from the cache where they can.

    Raises:
      KwsError: for a word that cannot be said.
    """
    from kws.voices import corpus

    folder = voices_folder(config)
    cache = cache_root() / "voices"
    corpus.build(config.voices, folder, cache, workers, progress, _judge)
    return folder


def write_dropped_clips(config: Config, folder: Path) -> str | None:
    """Writes a page with the clips that `synthesize` dropped, or removes that of an earlier run.

    Args:
      config: of the corpus, which has been made.
      folder: for the page.

    Returns:
      A sentence about them; None where nothing is synthesized, or nothing was judged.
    """
    if not (config.data.is_synthesized and config.voices.drop_outliers):
        return None
    from kws.report.dropped_clips import PAGE_FILE, render_page
    from kws.voices.cache import ClipCache
    from kws.voices.outliers import dropped_from

    page = folder / PAGE_FILE
    clips = dropped_from(voices_folder(config))
    if not clips:
        page.unlink(missing_ok=True)
        return "No synthesized clip of a keyword was dropped"
    storage.atomic_write(page, render_page(clips, ClipCache(cache_root() / "voices").get).encode())
    words = Counter(clip.word for clip in clips)
    counts = ", ".join(f"{count} of “{word}”" for word, count in words.items())
    return f"Synthesized clips unlike all others of their word were dropped: {counts} ({page})"


def _judge(clips: "Sequence[np.ndarray]") -> "Judgement | None":
    from kws.speech.judge import FEWEST_CLIPS, judge_clips

    return judge_clips(clips) if len(clips) >= FEWEST_CLIPS else None
