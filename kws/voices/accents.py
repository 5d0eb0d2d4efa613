"""One word in several accents: what the same letters sound like from other mouths.

The grapheme-to-phoneme rules know one American pronunciation, every voice says that one, and a
model trained on it misses people who speak otherwise: "computer" with a released t, or without an
r at its end. Two rules make the difference between most speakers of English:

    kəmpjˈuTəɹ    as an American says it in passing: a flapped t, every r
    kəmpjˈutəɹ    as one says it with care, or as a second language: the t released
    kəmpjˈutə     non-rhotic, as in most of England or Australia: no r but before a vowel

Wells, "Accents of English", 1982, chapter 3: "R Dropping", "Tapping and T Voicing".
"""

from kws.voices.pronounce import PRIMARY, SECONDARY, VOWELS

_LENGTHENED = frozenset("ɑɔɜ")
"""An r that is not said leaves these vowels long, and others with a schwa behind them."""


def accents(phonemes: str) -> tuple[str, ...]:
    """The distinct pronunciations of a word, the given one first.

    Args:
      phonemes: as `pronounce.word` gives them.
    """
    released = phonemes.replace("T", "t")
    return tuple(dict.fromkeys([phonemes, released, _without_coda_r(released)]))


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
