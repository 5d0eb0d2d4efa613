"""Of other words the clips of the lowest hashes are taken, as many as are asked for."""

import hashlib

import numpy as np
import pytest

from kws.corpus.clip_table import gather
from kws.corpus.inspect import FileReport
from kws.corpus.layout import Word
from kws.corpus.params import IngestParams
from kws.corpus.plan import count_unused, find_rare_words, includes
from kws.splits import SPLITS

WORDS = [
    Word(f"{word}/{split}{i}.wav", word, f"{i}", split)
    for word, count in (("yes", 40), ("cat", 50), ("dog", 30), ("owl", 2))
    for split in SPLITS
    for i in range(count)
]


def hash_of(word: Word) -> bytes:
    return hashlib.blake2b(f"3:{word.name}".encode(), digest_size=8).digest()


@pytest.mark.parametrize("percentage", [0, 1, 33, 100, 150, 199, 200, 1000])
def test_the_clips_of_lowest_hash_are_taken_as_many_as_are_wanted(percentage):
    params = IngestParams(
        keywords=("yes",), unknown_percentage=percentage, rare_word_clips=10, seed=3
    )
    clips = gather([(WORDS, [FileReport(word.name, 1000) for word in WORDS])]).clips
    kept = np.ones(len(clips), bool)
    per_word = clips.count_by_split(clips.words, kept)
    rare = find_rare_words(per_word, params)
    assert rare == {"owl"}
    included = includes(clips, kept, per_word, rare, params)
    taken = set(clips.names_of_rows(np.flatnonzero(included)))

    expected = {w.name for w in WORDS if w.word == "yes" or (w.word, w.split) == ("owl", "test")}
    wanted = -(-40 * percentage // 100)
    for split in SPLITS:
        others = [w for w in WORDS if w.word in ("cat", "dog") and w.split == split]
        expected |= {word.name for word in sorted(others, key=hash_of)[:wanted]}
    assert taken == expected
    unused = count_unused(per_word, rare, params)
    assert unused["not_sampled"] == dict.fromkeys(SPLITS, max(0, 80 - wanted))
    assert unused["rare_word"] == {"train": 2, "eval": 2, "test": 0}
