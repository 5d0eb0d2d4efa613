"""Phonemes into syllables, by the maximal onset principle with English onsets."""

import itertools

from kws.voices.pronounce import PRIMARY, SECONDARY, VOWELS

_STOPS_AND_LIQUIDS = ("pl", "pɹ", "bl", "bɹ", "tɹ", "dɹ", "kl", "kɹ", "ɡl", "ɡɹ")
_ONSETS = frozenset(
    [
        *_STOPS_AND_LIQUIDS,
        *("fl", "fɹ", "θɹ", "ʃɹ", "sl", "sp", "st", "sk", "sm", "sn", "sw", "sf"),
        *("tw", "kw", "dw", "ɡw", "θw", "hw"),
        *("pj", "bj", "kj", "ɡj", "mj", "fj", "vj", "hj", "lj", "nj", "tj", "dj", "Tj"),
        *("spl", "spɹ", "stɹ", "skɹ", "skw", "spj", "skj"),
    ]
)
"""Of two and three consonants; a single one other than ŋ always starts a syllable."""


def split(phonemes: str) -> list[str]:
    """The syllables of one word; joined they give the word. Stress stays before its vowel."""
    letters = phonemes.strip(".")
    vowels = [place for place, letter in enumerate(letters) if letter in VOWELS]
    if len(vowels) < 2:
        return [letters] if letters else []
    cuts = [0]
    for vowel, following in itertools.pairwise(vowels):
        start = following
        while letters[start - 1] in (PRIMARY, SECONDARY):
            start -= 1
        while start > vowel + 1 and _begins(letters[start - 1 : following]):
            start -= 1
        cuts.append(start)
    return [letters[a:b] for a, b in zip(cuts, [*cuts[1:], len(letters)], strict=True)]


def _begins(letters: str) -> bool:
    """Whether a syllable may begin so."""
    onset = "".join(c for c in letters if c not in (PRIMARY, SECONDARY))
    return (len(onset) == 1 and onset != "ŋ") or onset in _ONSETS


def split_all(phonemes: str) -> list[tuple[int, str]]:
    """The syllables of a phrase, each with the number of its word."""
    return [
        (number, syllable)
        for number, word in enumerate(phonemes.strip(".").split())
        for syllable in split(word)
    ]


def sayable(phonemes: str) -> bool:
    """Whether an English mouth would say it: known onsets, short endings, nothing doubled."""
    for _, syllable in split_all(phonemes):
        letters = "".join(c for c in syllable if c not in (PRIMARY, SECONDARY))
        vowels = [place for place, letter in enumerate(letters) if letter in VOWELS]
        if not vowels:
            return False
        onset, coda = letters[: vowels[0]], letters[vowels[-1] + 1 :]
        if onset and not _begins(onset):
            return False
        if len(coda) > 2 or any(c in "hjw" for c in coda) or coda[1:2] in ("ɹ", "l", "ŋ"):
            return False
    plain = [c for c in phonemes if c not in (PRIMARY, SECONDARY)]
    return all(a != b for a, b in itertools.pairwise(plain))
