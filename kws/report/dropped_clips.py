"""A page to listen to the synthesized clips that were dropped, each beside one that was not."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from kws.report.page import embed
from kws.report.page.html import Html, note, table, tag, trusted
from kws.report.page.page import POLICY
from kws.voices.outliers import DroppedClip
from kws.voices.trim import SAMPLE_RATE

PAGE_FILE = "dropped_clips.html"
MOST_PLAYED = 200
"""Clips on the page; some 40 kB each with its neighbour. The others are counted."""
_STYLE = Path(__file__).parent / "page" / "style.css"

Load = Callable[[str], np.ndarray | None]
"""The clip with a key, int16 at 16 kHz; None where it is gone."""


def render_page(clips: Sequence[DroppedClip], load: Load) -> str:
    """The page, in a file that needs nothing else.

    Args:
      clips: at least one; the first ones are on the page.
      load: of the cache that the corpus was made from.
    """
    title = "Dropped clips"
    played = clips[:MOST_PLAYED]
    words = list(dict.fromkeys(clip.word for clip in played))
    tables = [
        _of_word(word, [clip for clip in played if clip.word == word], load) for word in words
    ]
    left = len(clips) - len(played)
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("link", rel="icon", href="data:,"),
        tag("style", trusted(_STYLE.read_text())),
    )
    about = note(
        "Synthesized clips that are unlike all others of their word, and are not trained on: a "
        "voice may have said another word, nothing, or half of it. Some of them are only said in "
        "an unusual way. Beside each is the accepted clip that is most like it. To train on them "
        "all the same: voices.drop_outliers=false."
    )
    body = tag(
        "body",
        tag("header", tag("h1", title), tag("p", f"{len(clips)} in all"), class_="top"),
        tag("main", about, *tables, note(f"{left} more are not on this page.") if left else None),
    )
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _of_word(word: str, clips: Sequence[DroppedClip], load: Load) -> Html:
    caption = f"Clips of “{word}” that were dropped"
    rows = [
        [
            _player(clip.key, clip.file, clip.milliseconds, load),
            _player(clip.like_key, clip.like_file, clip.like_milliseconds, load),
            tag("td", clip.reason, class_="wide"),
        ]
        for clip in clips
    ]
    header = ["dropped", "accepted, most like it", "why"]
    return tag("section", tag("h2", word), table(caption, header, rows, words=(1, 2)))


def _player(key: str, file: str, milliseconds: int, load: Load) -> Html:
    audio = load(key)
    name = tag("div", tag("span", file, class_="mono"), f", {milliseconds:,} ms")
    if audio is None:
        return tag("td", name, "no longer in the cache")
    source = embed.flac(audio, SAMPLE_RATE)
    player = tag(
        "audio", controls=True, preload="none", src=source, aria_label=file, style="width: 15rem"
    )
    return tag("td", name, player)
