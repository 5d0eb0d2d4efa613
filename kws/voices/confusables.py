"""Confusables: words and phrases that sound like a keyword, for training and tests.

There are five kinds, shown here for "computer" and "ok toaster":

    word      real words that sound alike                 commuter     (for each word of a phrase)
    phrase    two words, or a phrase with a word changed  come boot    hey toaster, toaster ok
    part      a part of the keyword, single words         pewter       ok, toaster, toast
    nonword   one or two phonemes replaced, lost, added   kuhmtyoodoor  ok sohstuhr
    repeated  syllables repeated                          pyoopyoopyoo  ok ok

None of them is or contains a keyword (so no "com-com-puter"): each is at least
`phonetics.DISTINCT` from every keyword (`INVENTED_DISTINCT` for words that nobody knows), and
every keyword is at least `HELD` from any part of it.

Real words come from hibari's dictionary: a word counts as common if hibari's part-of-speech tagger
knows it (about 20,000 words). The thousand most usual ones are our own list,
`data/common_words.txt`.
"""

import dataclasses
import functools
import hashlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from kws.errors import KwsError
from kws.voices import phonetics, pronounce
from kws.voices.pronounce import PRIMARY, SECONDARY, VOWELS

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
def common_words() -> Lexicon:
    """The common words, in alphabetical order; loaded once (0.5 s)."""
    tagger = pronounce.g2p().tagger
    names = {word.lower() for word in (*tagger.vocab, *tagger.tagdict)}
    return _lexicon({name for name in names if len(name) > 2} | {*usual_word().words})


@functools.cache
def usual_word() -> Lexicon:
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


Candidate = tuple[str, str]
Kind = Literal["word", "phrase", "part", "nonword", "repeated"]

FIRST_WORDS = ("hey", "okay", "hello", "hi", "the", "my", "no", "oh", "one", "buy", "good", "a")
LAST_WORDS = (
    *("mister", "please", "kitchen", "monster", "sister", "weather", "music", "dinner", "teacher"),
    *("money", "mother", "basket", "river", "service", "pasta", "tomorrow", "number", "coaster"),
)
"""Common words that take the place of a phrase's first and other words."""

_NEIGHBOURS = 400
_SAME_STEM = 6
"""Words with the same first five letters, at most."""
_PHRASE_PARTS = 12
_MAX_PART_DISTANCE = 1.6
_CHANGE_COST = (0.0, 0.75)
"""Substitutions in non-words cost at most so much: the nearest phonemes."""
_STRESSED = {"əɹ": "ɜɹ", "ə": "ʌ", "ᵻ": "ɪ", "ᵊ": "ʌ", "ɐ": "ʌ"}
"""What reduced vowels become when their syllable is said alone."""
_CONSONANTS = "pbtdkɡʧʤfvθðszʃmnlɹwjh"
_FULL_VOWELS = "iɪɛæɑɔʊuʌAIOWY"


def confusable_candidates(
    keyword: str, said: str, seed: int
) -> Iterator[tuple[Kind, Iterator[Candidate]]]:
    """Every kind with its candidates. `said` is the keyword's phonemes."""
    yield "word", words(said)
    yield "phrase", phrases(keyword, said)
    yield "part", parts(keyword, said)
    yield "nonword", nonwords(said, seed)
    yield "repeated", repeated(keyword, said)


def words(said: str) -> Iterator[Candidate]:
    """Common words by nearness; for a phrase to each of its words in turn."""
    rankings = [_nearest(part) for part in said.strip(".").split()]
    stems: dict[str, int] = {}
    for rank in zip(*rankings, strict=True):
        for word in rank:
            stem = word[:5]
            stems[stem] = stems.get(stem, 0) + 1
            if stems[stem] <= _SAME_STEM:
                yield word, pronounce.word(word)


def phrases(keyword: str, said: str) -> Iterator[Candidate]:
    """Two common words that together sound alike; a phrase with its words swapped or changed."""
    if " " in keyword.strip():
        yield from _changed(keyword.split())
    else:
        yield from _pairs(said)


def parts(keyword: str, said: str) -> Iterator[Candidate]:
    """Single words, then words that are a piece of the keyword, then runs of its syllables."""
    names = keyword.split()
    if len(names) > 1:
        for size in range(len(names) - 1, 0, -1):
            for first in range(len(names) - size + 1):
                text = " ".join(names[first : first + size])
                yield text, pronounce.word(text)
    whole = said.strip(".").split()
    for word_said in whole:
        yield from _pieces(word_said)
    runs = phonetics.syllabify_all(said)
    for size in range(len(runs) - 1, 0, -1):
        for first in (0, len(runs) - size):
            groups = _grouped(runs[first : first + size])
            phonemes = alone(" ".join(groups.values()))
            # A word of the phrase that is whole keeps its own spelling.
            spelt = {
                number: names[number]
                if len(names) == len(whole) and piece == whole[number]
                else spell(alone(piece))
                for number, piece in groups.items()
            }
            yield " ".join(spelt.values()), phonemes


def repeated(keyword: str, said: str) -> Iterator[Candidate]:
    """Each syllable twice and three times, the first ones over, and a phrase's words twice."""
    names = keyword.split()
    if len(names) > 1:
        for name in names:
            yield f"{name} {name}", pronounce.word(f"{name} {name}")
    runs = [syllable for _, syllable in phonetics.syllabify_all(said)]
    orders = [[run] * times for times in (3, 2) for run in dict.fromkeys(runs)]
    if len(runs) > 2:
        orders += [[runs[0], runs[0], *runs[1:-1]], [runs[0], runs[-1], runs[-1]]]
    if len(runs) > 1:
        orders += [[runs[-1], *runs[:-1]], [runs[0], runs[0], runs[-1], runs[-1]]]
    for order in orders:
        phonemes = alone("".join(order))
        yield spell(phonemes), phonemes


def nonwords(said: str, seed: int) -> Iterator[Candidate]:
    """The keyword with one or two phonemes replaced by near ones, lost or added; 2,000 draws."""
    rng = np.random.default_rng(seed)
    letters = said.strip(".")
    places = [i for i, c in enumerate(letters) if c.isalpha() and c not in (PRIMARY, SECONDARY)]
    for _ in range(2000):
        changed = list(letters)
        count = min(len(places), 1 + int(rng.random() < 0.6))
        for place in rng.choice(places, size=count, replace=False):
            changed[place] = _altered(letters[place], rng)
        phonemes = alone("".join(changed))
        if phonetics.sayable(phonemes):
            yield spell(phonemes), phonemes


def alone(phonemes: str) -> str:
    """As a word said alone: stressed, no flap at its beginning, a full stop at the end."""
    words_alone = []
    for part in phonemes.strip(".").split():
        first, rest = (part[0], part[1:]) if part[0] not in (PRIMARY, SECONDARY) else ("", part)
        kept = ({"T": "t", "ɾ": "t"}.get(first, first) + rest).replace("ɾ", "T")
        # A syllable that was stressed twice stays so only the first time.
        head, mark, tail = kept.partition(PRIMARY)
        kept = pronounce.stress(head + mark + tail.replace(PRIMARY, ""))
        for reduced, full in _STRESSED.items():
            kept = kept.replace(PRIMARY + reduced, PRIMARY + full)
        words_alone.append(kept)
    return " ".join(words_alone) + "."


def _nearest(said: str) -> list[str]:
    known = common_words()
    distances = phonetics.distances(phonetics.encode(said), known.codes)
    return [known.words[i] for i in np.argsort(distances, kind="stable")[:_NEIGHBOURS]]


def _pairs(said: str) -> Iterator[Candidate]:
    """For each cut with a vowel on both sides, usual words near to the halves; nearest first."""
    known = usual_word()
    letters = said.strip(".")
    found: dict[tuple[str, str], float] = {}
    for cut in range(1, len(letters)):
        head, tail = letters[:cut], letters[cut:]
        if head[-1] in (PRIMARY, SECONDARY) or not all(
            any(c in VOWELS for c in half) for half in (head, tail)
        ):
            continue
        halves = []
        for half in (head, alone(tail).strip(".")):
            distances = phonetics.distances(phonetics.encode(half), known.codes)
            order = np.argsort(distances, kind="stable")[:_PHRASE_PARTS]
            halves.append([(known.words[i], float(distances[i])) for i in order])
        for first, first_distance in halves[0]:
            for second, second_distance in halves[1]:
                total = first_distance + second_distance
                if total <= 2 * _MAX_PART_DISTANCE:
                    pair = (first, second)
                    found[pair] = min(total, found.get(pair, np.inf))
    # A pair that is too near is refused later; each word leads only a few pairs, for variety.
    uses: dict[str, int] = {}
    for first, second in sorted(found, key=lambda pair: (found[pair], pair)):
        if max(uses.get(first, 0), uses.get(second, 0)) < 3:
            text = f"{first} {second}"
            yield text, pronounce.word(text)
            uses[first] = uses.get(first, 0) + 1
            uses[second] = uses.get(second, 0) + 1


def _changed(names: list[str]) -> Iterator[Candidate]:
    """The phrase backwards; then one word at a time replaced, by common ones and by near ones."""
    texts = [" ".join(reversed(names))]
    near = [_nearest(pronounce.word(name)) for name in names]
    for rank in range(_NEIGHBOURS):
        for place in range(len(names)):
            usual = FIRST_WORDS if place == 0 else LAST_WORDS
            for choice in (usual[rank : rank + 1], near[place][rank : rank + 1]):
                texts += [" ".join([*names[:place], c, *names[place + 1 :]]) for c in choice]
    for text in dict.fromkeys(texts):
        yield text, pronounce.word(text)


def _pieces(word_said: str) -> Iterator[Candidate]:
    """Common words that are heard inside the word, longest first."""
    known = common_words()
    whole = phonetics.encode(word_said)
    found = []
    for first in range(len(whole)):
        for end in range(first + 2, len(whole) + 1):
            if first == 0 or end == len(whole):
                distances = phonetics.distances(whole[first:end], known.codes)
                found += [(first - end, int(i)) for i in np.flatnonzero(distances <= 0.1)]
    for _, index in sorted(set(found)):
        yield known.words[index], pronounce.word(known.words[index])


def _altered(letter: str, rng: np.random.Generator) -> str:
    """A near phoneme for it, or none, or it with another one."""
    pool = _FULL_VOWELS if letter in VOWELS else _CONSONANTS
    how = rng.random()
    if letter not in VOWELS and how < 0.15:
        return ""
    if letter not in VOWELS and how < 0.25:
        return "".join(rng.permutation([letter, str(rng.choice(list("lɹjw")))]))
    costs = {other: phonetics.substitution_cost(letter, other) for other in pool}
    low, high = _CHANGE_COST
    near = [other for other, cost in costs.items() if low < cost <= high]
    return str(rng.choice(near)) if near else letter


def _grouped(runs: list[tuple[int, str]]) -> dict[int, str]:
    """Syllables of the same word together, by the number of the word."""
    groups: dict[int, str] = {}
    for word, syllable in runs:
        groups[word] = groups.get(word, "") + syllable
    return groups


HELD = 0.15
"""A keyword nearer than this to a part of a word is in it: "go" in "goat", not quite in "god"."""
INVENTED_DISTINCT = 0.55
"""For phrases, non-words and repetitions: a listener expects the keyword rather than these."""
_ROUND: tuple[Kind, ...] = (
    *("word", "part", "phrase", "word", "nonword", "word", "phrase", "word", "part", "nonword"),
    *("word", "phrase", "word", "nonword", "repeated"),
)
"""Kinds take turns so; where one has no more, the others go on."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class NearWord:
    """What is said instead of a keyword.

    Attributes:
      text: unique, and safe as a folder's name; a respelling in ASCII where it is no English word.
      phonemes: as `pronounce.word` gives them.
      kind: see above.
    """

    text: str
    phonemes: str
    kind: Kind


def near_words(
    keyword: str,
    count: int,
    seed: int = 0,
    others: Sequence[str] = (),
    excluded: Sequence[str] = (),
) -> list[NearWord]:
    """The first `count` near-words of a keyword, best first; more begin with the fewer.

    Args:
      keyword: a word or phrase.
      count: how many.
      seed: which non-words come; the other kinds are ranked by nearness.
      others: more keywords that no near-word may be or hold.
      excluded: texts that are not wanted.

    Raises:
      KwsError: if the keyword cannot be said, or has fewer near-words.
    """
    if count == 0:
        return []
    said = pronounce.word(keyword)
    avoided = [said, *(pronounce.word(other) for other in others)]
    unwanted = {keyword.casefold(), *(t.casefold() for t in (*others, *excluded))}
    streams = {
        kind: _distinct(kind, candidates, avoided, unwanted)
        for kind, candidates in confusable_candidates(keyword, said, _digest(keyword, seed))
    }
    found: list[NearWord] = []
    heard: list[tuple[int, ...]] = []
    for kind in itertools.cycle(_ROUND):
        if len(found) == count or not streams:
            break
        for near in streams.get(kind, ()):
            code = phonetics.encode(near.phonemes)
            if heard and float(phonetics.distances(code, phonetics.table(heard)).min()) == 0:
                continue
            if near.text in {other.text for other in found}:
                continue
            found.append(near)
            heard.append(code)
            break
        else:
            streams.pop(kind, None)
    if len(found) < count:
        raise KwsError(
            f"{keyword!r} has {len(found)} near-words, {count} are asked for",
            hint=f"set voices.near_words to at most {len(found)}",
        )
    return found


def _distinct(
    kind: Kind, candidates: Iterable[tuple[str, str]], avoided: list[str], unwanted: set[str]
) -> Iterator[NearWord]:
    """Those candidates that are no keyword and hold none."""
    least = phonetics.DISTINCT if kind in ("word", "part") else INVENTED_DISTINCT
    for text, phonemes in candidates:
        if text.casefold() in unwanted:
            continue
        # A respelling that reads as the keyword would mislead whoever looks at the folders.
        if kind == "nonword" and _is_or_holds(pronounce.word(text), avoided, phonetics.DISTINCT):
            continue
        if _is_or_holds(phonemes, avoided, least):
            continue
        yield NearWord(text=text, phonemes=phonemes, kind=kind)


def _is_or_holds(phonemes: str, keywords: list[str], least: float) -> bool:
    return any(
        phonetics.distance(keyword, phonemes) < least
        or phonetics.heard_in(keyword, phonemes) < HELD
        for keyword in keywords
    )


def _digest(*parts: object) -> int:
    return int.from_bytes(hashlib.sha256("\0".join(map(str, parts)).encode()).digest()[:8], "big")
