"""What is chosen clip by clip is what sorting all clips would choose."""

from collections import Counter

import pytest

from kws.audio import choice
from kws.audio.layout import Word
from kws.audio.params import IngestParams
from kws.splits import SPLITS

WORDS = [
    Word(f"{word}/{split}{i}.wav", word, f"{i}", split)
    for word, count in (("yes", 40), ("cat", 50), ("dog", 30), ("owl", 2))
    for split in SPLITS
    for i in range(count)
]


def chosen(params: IngestParams) -> list[Word]:
    per_word = Counter((word.word, word.split) for word in WORDS)
    rare = choice.rare_words(per_word, params)
    others = [w for w in WORDS if w.word not in rare and w.word not in params.keywords]
    histogram = Counter((word.split, choice.bucket(word, params)) for word in others)
    boundary = choice.boundaries(histogram, per_word, params)
    inside = [
        (word.split, choice.order(word, params))
        for word in others
        if word.split in boundary and choice.bucket(word, params) == boundary[word.split][0]
    ]
    decided = choice.choose(inside, boundary, per_word, params)
    return [word for word in WORDS if decided.takes(word, params)]


@pytest.mark.parametrize("percentage", [0, 1, 33, 100, 150, 199, 200, 1000])
def test_the_clips_of_lowest_hash_are_taken_as_many_as_are_wanted(percentage):
    params = IngestParams(
        keywords=("yes",), unknown_percentage=percentage, rare_word_clips=10, seed=3
    )
    taken = chosen(params)
    for split in SPLITS:
        others = sorted(
            (w for w in WORDS if w.word in ("cat", "dog") and w.split == split),
            key=lambda word: choice.order(word, params),
        )
        expected = {word.name for word in others[: -(-40 * percentage // 100)]}
        found = {w.name for w in taken if w.word in ("cat", "dog") and w.split == split}
        assert found == expected
    assert {w.split for w in taken if w.word == "owl"} == {"test"}
    assert sum(word.word == "yes" for word in taken) == 120
