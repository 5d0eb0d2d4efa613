"""Typed phrases to overrides of a preset: `kws run --keyword "ok toaster"` needs nothing else."""

import json
import re
import unicodedata
from collections.abc import Sequence

from kws.errors import KwsError

MAX_NAME = 40
TOO_FAST = 1.35
"""A phrase that must be said faster than this to fit into a clip is refused."""


def overrides(phrases: Sequence[str]) -> list[str]:
    """`section.key=value` overrides that make a preset listen to the phrases.

    Raises:
      KwsError: for no phrase, one given twice, or one that English voices cannot say.
    """
    from kws.voices import pronounce

    keywords = [" ".join(phrase.split()) for phrase in phrases]
    for place, keyword in enumerate(keywords):
        if keyword.startswith(("_", ".", "-")):
            raise KwsError(
                f"keyword {keyword!r} cannot name a folder", hint="begin it with a letter or digit"
            )
        said = pronounce.sounds(pronounce.word(keyword))
        for other in keywords[:place]:
            if pronounce.sounds(pronounce.word(other)) == said:
                raise KwsError(f"keywords {other!r} and {keyword!r} sound the same: give one")
    return [
        f"name={name_of(keywords)}",
        f"keywords={json.dumps(keywords)}",
        "voices.homophones=drop",
    ]


def name_of(keywords: Sequence[str]) -> str:
    """A pipeline's name from its keywords: "ok-toaster"; ASCII letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", "-".join(keywords)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:MAX_NAME].strip("-") or "keyword"


def spelling_note(keywords: Sequence[str]) -> str:
    """A warning that names the words which no English dictionary has; "" if there are none.

    Raises:
      KwsError: see `pronounce.word`.
    """
    from kws.voices import pronounce

    for keyword in keywords:
        pronounce.word(keyword)
    words = [word for keyword in keywords for word in pronounce.guessed(keyword)]
    if not words:
        return ""
    one = len(words) == 1
    return (
        f"{', '.join(words)}: not in the English dictionary, and the voices read English only. "
        f"{'It is' if one else 'They are'} said as the spelling suggests: hear it first (kws say "
        f'"{keywords[0]}"), or add recordings (docs/data.md).'
    )


def check_length(keywords: Sequence[str], max_word_ms: int) -> None:
    """Refuses a phrase that takes so long that it would have to be gabbled.

    Args:
      keywords: phrases.
      max_word_ms: what the configuration leaves for them; 0: no limit.

    Raises:
      KwsError: says how long it takes and what to set.
    """
    from kws.voices import engines, pronounce, render
    from kws.voices.engine import Request

    for keyword in keywords if max_word_ms else ():
        request = Request(
            engine=engines.HIBARI, text=keyword, phonemes=pronounce.word(keyword), voice="heart"
        )
        spoken_ms = len(render.render(request)) * 1000 // render.SAMPLE_RATE
        if spoken_ms > TOO_FAST * max_word_ms:
            room_ms = -(-spoken_ms // 100) * 100
            raise KwsError(
                f"{keyword!r} takes {spoken_ms / 1000:.1f} s to say, "
                f"voices.max_word_ms={max_word_ms} leaves {max_word_ms / 1000:.1f} s",
                hint=f"choose a shorter phrase, or --set clip_duration_ms={room_ms + 100} "
                f"--set voices.max_word_ms={room_ms}",
            )
