"""Common English words with their phonemes, by hibari's dictionary, and a spelling for others.

A word is common here if hibari's part-of-speech tagger knows it (some 20,000 words); the most usual
thousand are our own list, `data/common_words.txt`.
"""

import dataclasses
import functools
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from kws.voices import phonetics, pronounce

_SPELLING = {
    **{"ɑ": "ah", "æ": "a", "a": "ah", "ɔ": "aw", "ɒ": "o", "ə": "uh", "ɐ": "uh", "ʌ": "uh"},
    **{"ᵊ": "uh", "ɛ": "e", "ɜ": "ur", "ɪ": "i", "ᵻ": "i", "i": "ee", "u": "oo", "ʊ": "uu"},
    **{"A": "ay", "I": "eye", "O": "oh", "Q": "oh", "W": "ow", "Y": "oy"},
    **{"ɹ": "r", "ʃ": "sh", "ʒ": "zh", "ʧ": "ch", "ʤ": "j", "j": "y", "θ": "th", "ð": "dh"},
    **{"ŋ": "ng", "ɡ": "g", "ɾ": "d", "T": "d"},
}
USUAL_FILE = Path(__file__).parent / "data" / "common_words.txt"
_SKIPPED_ROOTS = (
    *("rape", "rapist", "fuck", "shit", "bitch", "whore", "slut", "nazi", "porn", "sex", "erect"),
    *("penis", "vagin", "nigg", "hitler", "suicid", "gay"),
)
"""A folder of clips to listen to does without these."""


@dataclasses.dataclass(frozen=True)
class Lexicon:
    """Words with phonemes, and the phonemes as `phonetics.table` has them."""

    words: tuple[str, ...]
    phonemes: tuple[str, ...]
    codes: np.ndarray


@functools.cache
def common() -> Lexicon:
    """The common words, in alphabetical order; loaded once (0.5 s)."""
    tagger = pronounce.g2p().tagger
    names = {word.lower() for word in (*tagger.vocab, *tagger.tagdict)}
    return _lexicon({name for name in names if len(name) > 2} | {*usual().words})


@functools.cache
def usual() -> Lexicon:
    """Our thousand most usual words, in alphabetical order."""
    return _lexicon(USUAL_FILE.read_text("utf-8").split())


def _lexicon(names: Iterable[str]) -> Lexicon:
    from hibari.g2p import Context

    known = pronounce.g2p().lexicon
    found = {}
    for name in sorted(names):
        plain = name.isascii() and name.isalpha() and any(letter in "aeiouy" for letter in name)
        if not plain or any(root in name for root in _SKIPPED_ROOTS):
            continue
        # Its rules for -s, -ed and -ing; as a noun, where "record" is several words.
        said, _ = known.get_word(name, "NN", None, Context())
        if said is None:
            said, _ = known.get_word(name.capitalize(), "NNP", None, Context())
        if said and any(c in pronounce.VOWELS for c in said):
            found[name] = said
    words, phonemes = tuple(found), tuple(found.values())
    return Lexicon(words, phonemes, phonetics.table([phonetics.encode(p) for p in phonemes]))


def spell(phonemes: str) -> str:
    """ASCII letters that read about like the phonemes: `ˈpjuTə` is "pyooduh". For folder names."""
    return "".join(
        _SPELLING.get(letter, letter) for letter in phonemes if letter.isalpha() or letter == " "
    ).translate(dict.fromkeys(map(ord, pronounce.PRIMARY + pronounce.SECONDARY)))
