"""Words to phonemes, by hibari's own grapheme-to-phoneme rules (American English).

The alphabet is misaki's, which hibari and Kokoro both read: stress marks `ˈ` and `ˌ` stand before
the stressed vowel, capital letters are diphthongs.
"""

import functools
import unicodedata

from kws.errors import KwsError

PRIMARY = "ˈ"
SECONDARY = "ˌ"
VOWELS = frozenset("AIOQWYaiuæɐɑɒɔəɛɜɪʊʌᵊᵻ")
_ALSO_IN_WORDS = frozenset(" '’-.&")


def word(text: str) -> str:
    """Phonemes of a word or short phrase said alone: each word stressed, a full stop at the end.

    In running text "up" carries secondary stress and "you" none; alone they would be swallowed.

    Raises:
      KwsError: for nothing, control characters, or what an English voice cannot read.
    """
    _check_text(text, what="word")
    for character in text:
        if not (character.isalnum() or character in _ALSO_IN_WORDS):
            raise KwsError(
                f"word {text!r} contains {character!r}, which is not said",
                hint="letters, digits, spaces, apostrophes, hyphens, full stops and & are",
            )
    stressed = [stress(part) for part in _phonemes(text).rstrip(".").split()]
    return " ".join(stressed) + "."


def sentence(text: str) -> str:
    """Phonemes of a sentence, stressed as in running text.

    Raises:
      KwsError: as `word` does.
    """
    _check_text(text, what="sentence")
    return _phonemes(text)


def sounds(phonemes: str) -> tuple[str, ...]:
    """The phonemes of each word without stress and punctuation: equal for homophones."""
    letters = "".join(c for c in phonemes if c.isalpha() or c == " ")
    return tuple(part.replace(PRIMARY, "").replace(SECONDARY, "") for part in letters.split())


def stress(phonemes: str) -> str:
    """Primary stress for a word that has none: from its first secondary one, or its first vowel."""
    if PRIMARY in phonemes:
        return phonemes
    if SECONDARY in phonemes:
        return phonemes.replace(SECONDARY, PRIMARY, 1)
    for position, letter in enumerate(phonemes):
        if letter in VOWELS:
            return phonemes[:position] + PRIMARY + phonemes[position:]
    return phonemes


def _check_text(text: str, what: str) -> None:
    if not text.strip():
        raise KwsError(f"{what} {text!r} is empty: there is nothing to say")
    for character in text:
        if unicodedata.category(character).startswith("C"):
            raise KwsError(
                f"{what} {text!r} contains the control character U+{ord(character):04X}",
                hint="plain letters are said",
            )
        if character.isalpha() and not unicodedata.name(character, "").startswith("LATIN"):
            raise KwsError(
                f"{what} {text!r} contains {character!r}: the voices read English only",
                hint="spell it with Latin letters",
            )


@functools.lru_cache(4096)
def _phonemes(text: str) -> str:
    phonemes = g2p()(text)
    if not any(letter in VOWELS for letter in phonemes):
        raise KwsError(
            f"{text!r} cannot be said: no phonemes were found for it",
            hint="spell it as an English word",
        )
    return phonemes


@functools.cache
def g2p():
    """hibari's grapheme-to-phoneme converter, loaded once (0.4 s)."""
    from hibari.g2p import G2P

    return G2P()
