"""Phonetic similarity: an edit distance over phonemes, weighted by articulation; and syllables.

The cost of a substitution reflects what the mouth does differently: place, manner and voicing of a
consonant, and the position of a vowel in the vowel chart (backness and height, start and end of a
diphthong). Free variation in English costs nothing: unstressed ə, ɪ and ᵻ, ʌ and ə, a flapped t or
d, the vowels of "cot" and "caught". The weights are this project's own estimate of what listeners
confuse; they are not backed by a listening test.

Syllables are split by the maximal onset principle with the onsets of English.
"""

import functools
import itertools

import numpy as np

from kws.voices.pronounce import PRIMARY, SECONDARY, VOWELS

DISTINCT = 0.35
"""Words that are nearer than this are taken for the same by many listeners: one voicing ("gomputer"
for "computer"), one neighbouring vowel ("ship", "sheep"), a dropped ə, h or j."""

_PLACE = {
    **dict.fromkeys("pbmw", 0.0),
    **dict.fromkeys("fv", 0.5),
    **dict.fromkeys("θð", 1.0),
    **dict.fromkeys("tdTsznl", 1.5),
    **dict.fromkeys("ʃʒʧʤɹɻ", 2.0),
    "j": 2.5,
    **dict.fromkeys("kɡŋ", 3.0),
    "h": 4.0,
}
"""From the lips to the throat."""
_MANNER = {
    **dict.fromkeys("pbtdkɡ", "stop"),
    **dict.fromkeys("ʧʤ", "affricate"),
    **dict.fromkeys("fvθðszʃʒh", "fricative"),
    **dict.fromkeys("mnŋ", "nasal"),
    **dict.fromkeys("lɹɻ", "liquid"),
    **dict.fromkeys("wj", "glide"),
    "T": "tap",
}
_VOICELESS = frozenset("ptkfθsʃʧh")
_CHART = {
    "i": ((0.0, 0.0),),
    "ɪ": ((0.2, 0.25),),
    "ɛ": ((0.1, 0.6),),
    "æ": ((0.1, 0.9),),
    "a": ((0.4, 1.0),),
    "ɑ": ((0.8, 1.0),),
    "ɔ": ((0.95, 0.7),),
    "ʊ": ((0.8, 0.25),),
    "u": ((0.9, 0.0),),
    "ə": ((0.5, 0.5),),
    "ɜ": ((0.5, 0.55),),
    "A": ((0.1, 0.45), (0.1, 0.2)),
    "I": ((0.4, 1.0), (0.2, 0.25)),
    "O": ((0.85, 0.5), (0.85, 0.25)),
    "Q": ((0.5, 0.5), (0.8, 0.25)),
    "W": ((0.5, 1.0), (0.8, 0.25)),
    "Y": ((0.95, 0.7), (0.2, 0.25)),
}
"""(backness, height): 0 is front and close, 1 is back and open. Two points: a diphthong."""
_MANNER_COST = {
    frozenset(("stop", "affricate")): 0.4,
    frozenset(("fricative", "affricate")): 0.35,
    frozenset(("liquid", "glide")): 0.35,
    frozenset(("stop", "tap")): 0.2,
    frozenset(("stop", "fricative")): 0.5,
    frozenset(("stop", "nasal")): 0.5,
}
_OTHER_MANNER_COST = 0.6
_VOICING_COST = 0.3
_STRESS_COST = 0.1
_VOWEL_FOR_CONSONANT_COST = 1.1
_CODA_R = "ɻ"
"""An r that no vowel follows: half of the English-speaking world does not say it."""
_INDEL_COST = {"ə": 0.3, "h": 0.3, "j": 0.3, "T": 0.5, _CODA_R: 0.2}
_VOWEL_INDEL_COST = 0.7
_CONSONANT_INDEL_COST = 0.6
_FREE = {
    **{frozenset(pair): 0.0 for pair in ("Tt", "Td", "ɹɻ")},
    **{frozenset(pair): 0.2 for pair in ("θf", "ðv")},
}
_CANONICAL = {"ɾ": "T", "ʌ": "ə", "ɐ": "ə", "ᵊ": "ə", "ᵻ": "ə", "ɒ": "ɑ"}

_SYMBOLS = (*_PLACE, *_CHART, *(f"{vowel}{PRIMARY}" for vowel in _CHART))
_CODE = {symbol: code for code, symbol in enumerate(_SYMBOLS)}
PADDING = -1


def encode(phonemes: str) -> tuple[int, ...]:
    """Numbers of the phonemes; stress is part of the vowel, spaces and punctuation are dropped."""
    symbols: list[str] = []
    stressed = False
    letters = [c for c in phonemes if c.isalpha() or c in (PRIMARY, SECONDARY)]
    for place, letter in enumerate(letters):
        if letter in (PRIMARY, SECONDARY):
            stressed = True
            continue
        symbol = _CANONICAL.get(letter, letter)
        following = "".join(letters[place + 1 :]).lstrip(PRIMARY + SECONDARY)[:1]
        if letter == "ɹ" and following not in VOWELS:
            symbol = _CODA_R
        if letter == "ɪ" and not stressed:
            symbol = "ə"
        if letter == "ɔ" and following != "ɹ":
            symbol = "ɑ"
        if symbol in _CHART and stressed:
            symbol, stressed = symbol + PRIMARY, False
        if symbol in _CODE:
            symbols.append(symbol)
    return tuple(_CODE[symbol] for symbol in symbols)


def table(pronunciations: list[tuple[int, ...]]) -> np.ndarray:
    """Encoded pronunciations as one matrix, int8 `[words, longest]`, filled up with `PADDING`."""
    longest = max(map(len, pronunciations), default=0)
    codes = np.full((len(pronunciations), longest), PADDING, np.int8)
    for row, said in zip(codes, pronunciations, strict=True):
        row[: len(said)] = said
    return codes


def distances(said: tuple[int, ...], codes: np.ndarray, anywhere: bool = False) -> np.ndarray:
    """Weighted edit distance of one pronunciation to many, float32 `[words]`.

    Args:
      said: as `encode` gives it.
      codes: as `table` gives it.
      anywhere: to the part of each word that fits best: near 0 where `said` is heard inside it.
    """
    substitution, indel = _costs()
    words, longest = codes.shape
    row = np.zeros((longest + 1, words), np.float32)
    # PADDING reads the last symbol's cost; those cells lie behind a word's end and are not used.
    insertions = indel[codes].T
    if not anywhere:
        row[1:] = np.cumsum(insertions, axis=0)
    for code in said:
        above = row
        row = np.empty_like(above)
        row[0] = above[0] + indel[code]
        kept = above[:-1] + substitution[code][codes].T
        dropped = above[1:] + indel[code]
        np.minimum(kept, dropped, out=row[1:])
        for place in range(longest):
            np.minimum(row[place + 1], row[place] + insertions[place], out=row[place + 1])
    lengths = (codes != PADDING).sum(axis=1)
    if not anywhere:
        return row[lengths, np.arange(words)]
    behind = np.arange(longest + 1)[:, np.newaxis] > lengths
    return np.where(behind, np.inf, row).min(axis=0).astype(np.float32)


def distance(first: str, second: str) -> float:
    """Weighted edit distance of two phoneme strings; 0 for homophones."""
    return float(distances(encode(first), table([encode(second)]))[0])


def heard_in(keyword: str, phonemes: str) -> float:
    """Distance of a keyword to the part of the phonemes that is most like it."""
    return float(distances(encode(keyword), table([encode(phonemes)]), anywhere=True)[0])


def substitution_cost(first: str, second: str) -> float:
    """Of one phoneme for another, both as in `pronounce`, as if unstressed."""
    a, b = (_CANONICAL.get(phoneme, phoneme) for phoneme in (first, second))
    return _substitution(a, b)


@functools.cache
def _costs() -> tuple[np.ndarray, np.ndarray]:
    """Substitution `[symbols, symbols]` and insertion or deletion `[symbols]`, float32."""
    substitution = np.array([[_substitution(a, b) for b in _SYMBOLS] for a in _SYMBOLS], np.float32)
    return substitution, np.array([_indel(symbol) for symbol in _SYMBOLS], np.float32)


def _substitution(first: str, second: str) -> float:
    a, b = first[0], second[0]
    stress = _STRESS_COST if len(first) != len(second) else 0.0
    if a == b:
        return stress
    if (a in VOWELS) != (b in VOWELS):
        return _VOWEL_FOR_CONSONANT_COST
    if a in VOWELS:
        return max(0.25, _way(a, b)) + stress
    if frozenset((a, b)) in _FREE:
        return _FREE[frozenset((a, b))]
    cost = _VOICING_COST * ((a in _VOICELESS) != (b in _VOICELESS))
    if _PLACE[a] != _PLACE[b]:
        cost += 0.3 + 0.05 * abs(_PLACE[a] - _PLACE[b])
    if _MANNER[a] != _MANNER[b]:
        cost += _MANNER_COST.get(frozenset((_MANNER[a], _MANNER[b])), _OTHER_MANNER_COST)
    return min(cost, 1.0)


def _way(a: str, b: str) -> float:
    """Mean distance on the vowel chart, of the starts and of the ends."""
    starts, ends = (np.subtract(_CHART[a][end], _CHART[b][end]) for end in (0, -1))
    return float(np.hypot(*starts) + np.hypot(*ends)) / 2


def _indel(symbol: str) -> float:
    if symbol[0] in VOWELS:
        return _INDEL_COST.get(symbol, _VOWEL_INDEL_COST)
    return _INDEL_COST.get(symbol, _CONSONANT_INDEL_COST)


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


def syllabify(phonemes: str) -> list[str]:
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


def syllabify_all(phonemes: str) -> list[tuple[int, str]]:
    """The syllables of a phrase, each with the number of its word."""
    return [
        (number, syllable)
        for number, word in enumerate(phonemes.strip(".").split())
        for syllable in syllabify(word)
    ]


def sayable(phonemes: str) -> bool:
    """Whether an English mouth would say it: known onsets, short endings, nothing doubled."""
    for _, syllable in syllabify_all(phonemes):
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
