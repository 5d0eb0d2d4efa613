"""What is nearly a keyword and must not be taken for it: adversarial words for training and test.

Five kinds, for "computer" and for "ok toaster":

    word      real words that sound alike                 commuter     (of each word of a phrase)
    phrase    two words, or a phrase with a word changed  come boot    hey toaster, toaster ok
    part      a part of it, single words                  pewter       ok, toaster, toast
    nonword   one or two phonemes replaced, lost, added   kuhmtyoodoor  ok sohstuhr
    repeated  syllables again and again                   pyoopyoopyoo  ok ok

None is a keyword or holds one (so no "com-com-puter"): from every keyword it is at least
`phonetics.DISTINCT` away, `INVENTED_DISTINCT` where nobody knows the word, and to each part of it a
keyword has at least the distance `HELD`.
"""

import dataclasses
import hashlib
import itertools
from collections.abc import Iterable, Iterator, Sequence

from kws.errors import KwsError
from kws.voices import near_sounds, phonetics, pronounce
from kws.voices.near_sounds import Kind

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
        for kind, candidates in near_sounds.candidates(keyword, said, _digest(keyword, seed))
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
