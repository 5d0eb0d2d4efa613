"""Words to phonemes, by hibari's own grapheme-to-phoneme rules (American English).

The alphabet is misaki's, which hibari and Kokoro both read: stress marks `ˈ` and `ˌ` stand before
the stressed vowel, capital letters are diphthongs.
"""

import functools
import unicodedata
from string import ascii_letters

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
    text = unicodedata.normalize("NFC", text)
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
    text = unicodedata.normalize("NFC", text)
    _check_text(text, what="sentence")
    return _phonemes(text)


def guessed(text: str) -> list[str]:
    """The words of a phrase that no English dictionary has: they are said as they are spelled.

    A made-up name is one, and so is a word of another language, which an English voice will say as
    no speaker of that language does.
    """
    return [part for part in text.split() if not _is_english(part.strip("'’-.&"))]


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
    for part in text.split():
        strange = [one for one in part if one.isalpha() and one not in ascii_letters]
        # English writes café and naïve; without the accent they are in its dictionary.
        if strange and not _is_english(_without_accents(part)):
            raise KwsError(
                f"{what} {text!r} contains {strange[0]!r}: the voices read English only, and "
                f"{part!r} is not an English word",
                hint="spell it as an English reader would have to say it, or give recordings of "
                "it: docs/data.md",
            )


def _without_accents(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(one for one in decomposed if not unicodedata.combining(one))


@functools.lru_cache(4096)
def _is_english(part: str) -> bool:
    """Whether hibari's dictionary has a word, or its root with an ending."""
    if not any(character.isalpha() for character in part):
        return True  # figures are read out
    lexicon = g2p().lexicon
    part = part.replace("’", "'").removesuffix("'s")
    forms = {part, part.lower(), part.capitalize(), part.upper()}
    if any(form in known for form in forms for known in (lexicon.golds, lexicon.silvers)):
        return True
    stems = (lexicon.stem_s, lexicon.stem_ed, lexicon.stem_ing)
    if any(stem(part.lower(), "NN", None, None)[0] for stem in stems):
        return True
    return "-" in part and all(_is_english(piece) for piece in part.split("-") if piece)


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
