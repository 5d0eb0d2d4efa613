"""One word in several accents: what the same letters sound like from other mouths.

The grapheme-to-phoneme rules know one American pronunciation, every voice says that one, and a
model trained on it misses people who speak otherwise: "computer" with a released t, without an r at
its end, or, as many do whose first language is not English, with each vowel as it is spelled and no
syllable weaker than the others:

    kəmpjˈuTəɹ      as an American says it in passing: a flapped t, every r
    kəmpjˈutəɹ      as one says it with care: the t released
    kəmpjˈutə       non-rhotic, as in most of England or Australia: no r but before a vowel
    kɔmpjˈutɛɹ      full vowels: no schwa
    kˈɔmpjˌutˌɛɹ    full vowels, syllable-timed: every syllable stressed, the first most

Wells, "Accents of English", 1982: chapter 3 for the first three ("R Dropping", "Tapping and T
Voicing"), chapter 9 for the others (India, Africa).
"""

import itertools
import re

from kws.voices.pronounce import PRIMARY, SECONDARY, VOWELS

_LENGTHENED = frozenset("ɑɔɜ")
"""An r that is not said leaves these vowels long, and others with a schwa behind them."""
_SCHWAS = frozenset("əᵊ")
_SPELLED = {"a": "ɑ", "e": "ɛ", "i": "ɪ", "o": "ɔ", "u": "ʊ", "y": "ɪ"}
"""What is said in place of a schwa, by the first letter of the vowel as it is spelled."""
_UNSPELLED = "ʌ"
"""Where the letters do not tell: there are more vowels than are spelled, or fewer."""
_VOWEL_LETTERS = re.compile("[aeiouy]+")


def accents(phonemes: str, text: str) -> tuple[str, ...]:
    """The distinct pronunciations of a word or phrase, the given one first.

    Args:
      phonemes: as `pronounce.word` gives them.
      text: as it is spelled.
    """
    released = phonemes.replace("T", "t")
    full = _with_full_vowels(released, text)
    said = [phonemes, released, _without_coda_r(released), full, _syllable_timed(full)]
    return tuple(dict.fromkeys(said))


def _with_full_vowels(phonemes: str, text: str) -> str:
    words = itertools.zip_longest(phonemes.split(), text.lower().split(), fillvalue="")
    return " ".join(_word_with_full_vowels(said, spelled) for said, spelled in words if said)


def _word_with_full_vowels(phonemes: str, text: str) -> str:
    count = sum(letter in VOWELS for letter in phonemes)
    spelled = _VOWEL_LETTERS.findall(text)
    if len(spelled) == count + 1 and text.endswith("e"):
        spelled.pop()  # silent
    known = iter(spelled if len(spelled) == count else itertools.repeat(""))
    said = ""
    for letter in phonemes:
        if letter in VOWELS:
            vowel = next(known)[:1]
            letter = _SPELLED.get(vowel, _UNSPELLED) if letter in _SCHWAS else letter
        said += letter
    return said


def _syllable_timed(phonemes: str) -> str:
    return " ".join(_word_syllable_timed(word) for word in phonemes.split())


def _word_syllable_timed(phonemes: str) -> str:
    plain = phonemes.translate({ord(PRIMARY): None, ord(SECONDARY): None})
    if sum(letter in VOWELS for letter in plain) < 2:
        return phonemes
    stresses = itertools.chain(PRIMARY, itertools.repeat(SECONDARY))
    return "".join(next(stresses) + c if c in VOWELS else c for c in plain)


def _without_coda_r(phonemes: str) -> str:
    said = ""
    for place, letter in enumerate(phonemes):
        following = phonemes[place + 1 :].lstrip(PRIMARY + SECONDARY)[:1]
        if letter != "ɹ" or following in VOWELS or not said or said[-1] not in VOWELS:
            said += letter
        elif said[-1] in _LENGTHENED:
            said += "ː"
        elif said[-1] != "ə":
            said += "ə"
    return said
