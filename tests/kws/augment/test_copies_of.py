"""How many noisy copies a clip has: keywords may have a number of their own, in training."""

import pytest

from kws.augment.params import NoisyCopyParams
from kws.splits import Split


@pytest.mark.parametrize(
    ("label", "split", "copies"),
    [("yes", "train", 9), ("_unknown_", "train", 2), ("_silence_", "train", 2), ("yes", "eval", 3)],
)
def test_a_keyword_has_its_own_number_in_training_alone(label: str, split: Split, copies: int):
    params = NoisyCopyParams(copies=2, keyword_copies=9, eval_copies=3)
    assert params.copies_of(label, split) == copies
    assert NoisyCopyParams(copies=2).copies_of("yes", "train") == 2


def test_keyword_copies_alone_are_copies_too():
    assert NoisyCopyParams(copies=0, keyword_copies=4).most_copies("train") == 4
    assert NoisyCopyParams(copies=0, keyword_copies=4, eval_copies=0).most_copies("eval") == 0
