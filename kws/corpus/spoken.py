"""Is a keyword said in a transcript? By its spelling and by its sounds: "no" is heard in "know"."""

import functools
import re
from collections.abc import Sequence

from kws.errors import KwsError

_SPELLED_ENDING = r"(?:'s|s|es)?"
_SOUNDED_ENDING = r"(?:s|z|ᵻz|ɪz|əz)?"
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


class KeywordFinder:
    """Finds keywords, their plurals and possessives."""

    def __init__(self, keywords: Sequence[str]):
        self._keywords = list(keywords)
        self._spelled = [_spelled(keyword) for keyword in keywords]
        self._sounded = [_sounded(sounds(keyword)) for keyword in keywords]

    def find(self, text: str, text_sounds: str) -> str | None:
        """The first keyword that is said, or None.

        Args:
          text: the transcript.
          text_sounds: what `sounds` says of it.
        """
        plain = f" {' '.join(_words(text))} "
        for keyword, spelled, sounded in zip(
            self._keywords, self._spelled, self._sounded, strict=True
        ):
            if spelled.search(plain) or (sounded is not None and sounded.search(text_sounds)):
                return keyword
        return None


def sounds(text: str) -> str:
    """The phonemes of a transcript, `|` around each word: `|nO|wA|`; "" for a word without any."""
    found = "|".join(_sounds_of(word) for word in _words(text))
    return f"|{found}|" if found else ""


def _words(text: str) -> list[str]:
    return [word.lower().replace("’", "'") for word in _WORD.findall(text)]


@functools.lru_cache(maxsize=200_000)
def _sounds_of(word: str) -> str:
    from kws.voices import pronounce

    try:
        return "|".join(pronounce.sounds(pronounce.word(word)))
    except KwsError:  # it is not English; its spelling must do
        return ""


def _spelled(keyword: str) -> re.Pattern[str]:
    return re.compile(f" {' '.join(map(re.escape, _words(keyword)))}{_SPELLED_ENDING} ")


def _sounded(keyword_sounds: str) -> re.Pattern[str] | None:
    """The same sounds, whatever words they are divided into: "okay" is said in "O K"."""
    letters = keyword_sounds.replace("|", "")
    if not letters:
        return None
    return re.compile(r"\|" + r"\|?".join(map(re.escape, letters)) + _SOUNDED_ENDING + r"\|")
