"""A page to listen to the synthesized clips that were dropped, each beside one that was not."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kws.report.templating import flac_url, render
from kws.voices.outliers import DroppedClip
from kws.voices.render import SAMPLE_RATE

PAGE_FILE = "dropped_clips.html"
MOST_PLAYED = 200
"""Clips on the page; some 40 kB each with its neighbour. The others are counted."""

Load = Callable[[str], np.ndarray | None]
"""The clip with a key, int16 at 16 kHz; None where it is gone."""


def render_page(clips: Sequence[DroppedClip], load: Load) -> str:
    """The page, in a file that needs nothing else.

    Args:
      clips: at least one; the first ones are on the page.
      load: of the cache that the corpus was made from.
    """
    played = clips[:MOST_PLAYED]
    by_word: dict[str, list[tuple[dict[str, Any], dict[str, Any], str]]] = {}
    for clip in played:
        dropped = _player(clip.key, clip.file, clip.milliseconds, load)
        accepted = _player(clip.like_key, clip.like_file, clip.like_milliseconds, load)
        by_word.setdefault(clip.word, []).append((dropped, accepted, clip.reason))
    return render(
        "dropped_clips.html",
        words=list(by_word.items()),
        count=len(clips),
        left_out=len(clips) - len(played),
    )


def _player(key: str, file: str, milliseconds: int, load: Load) -> dict[str, Any]:
    audio = load(key)
    url = None if audio is None else flac_url(audio, SAMPLE_RATE)
    return {"file": file, "milliseconds": milliseconds, "url": url}
