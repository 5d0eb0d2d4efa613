"""Everyday sentences in any number, from a small grammar of our own (`data/grammar.txt`).

For bulk negative speech: no meaning, but all sounds of English in natural surroundings, thousands
of word pairs, questions, requests, numbers, names. The grammar makes far more than 10^12 sentences.
"""

import functools
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kws.errors import KwsError
from kws.voices import phonetics, pronounce

GRAMMAR_FILE = Path(__file__).parent / "data" / "grammar.txt"
NEAR_SHARE = 0.25
"""Of the sentences, where there are near-words: these have one inside."""
_REFERENCE = re.compile(r"\{(\w+)\}")
_TRIES = 200


def generate(
    count: int, seed: int, keywords: Sequence[str] = (), near: Sequence[str] = ()
) -> list[str]:
    """`count` different sentences in which no keyword is heard; more begin with the fewer.

    Args:
      count: how many.
      seed: of the choices.
      keywords: none of them, nor what could be taken for one, is heard in a sentence, not even
        across words.
      near: words and phrases to be said in every fourth sentence.

    Raises:
      KwsError: if nearly every sentence holds a keyword.
    """
    codes = [phonetics.encode(pronounce.word(keyword)) for keyword in keywords]
    found: dict[str, None] = {}
    number, refused = 0, 0
    while len(found) < count:
        batch = [_sentence(seed, number + i, near) for i in range(count - len(found))]
        number += len(batch)
        said = phonetics.table([phonetics.encode(pronounce.sentence(text)) for text in batch])
        kept = np.ones(len(batch), bool)
        for code in codes:
            kept &= phonetics.distances(code, said, anywhere=True) >= phonetics.DISTINCT
        found.update(dict.fromkeys(text for text, keep in zip(batch, kept, strict=True) if keep))
        refused += len(batch) - int(kept.sum())
        if refused > _TRIES + 20 * count:
            raise KwsError(
                f"nearly every sentence holds one of {list(keywords)}",
                hint="set voices.bulk_sentences to 0",
            )
    return list(found)


def _sentence(seed: int, number: int, near: Sequence[str]) -> str:
    digest = hashlib.sha256(f"{seed}\0{number}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    symbol = "near_sentence" if near and rng.random() < NEAR_SHARE else "sentence"
    text = _expand(symbol, rng, near)
    text = re.sub(r"\ba (?=[aeio]|un(?!i)|um|us(?!e))", "an ", text)
    return text[0].upper() + text[1:]


def _expand(symbol: str, rng: np.random.Generator, near: Sequence[str]) -> str:
    choices = near if symbol == "near" else grammar()[symbol]
    choice = choices[int(rng.integers(len(choices)))]
    return _REFERENCE.sub(lambda reference: _expand(reference[1], rng, near), choice)


@functools.cache
def grammar() -> dict[str, tuple[str, ...]]:
    """Every symbol with its choices."""
    rules: dict[str, tuple[str, ...]] = {}
    for line in GRAMMAR_FILE.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            symbol, _, choices = line.partition(":")
            parts = tuple(choice.strip() for choice in choices.split("|"))
            rules[symbol] = (*rules.get(symbol, ()), *parts)
    return rules
