"""The three splits of a corpus. They are disjoint in speakers, voices and noise recordings."""

from typing import Literal

Split = Literal["train", "eval", "test"]
TRAIN: Split = "train"
EVAL: Split = "eval"
TEST: Split = "test"
SPLITS: tuple[Split, ...] = (TRAIN, EVAL, TEST)
