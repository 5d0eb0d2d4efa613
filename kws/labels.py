"""Labels: what a model can say. 0 is silence, 1 any other sound or word, then the keywords."""

from collections.abc import Sequence

SILENCE = "_silence_"
UNKNOWN = "_unknown_"
RESERVED = (SILENCE, UNKNOWN)

BACKGROUND_FOLDER = "_background_noise_"
"""Folder of a Speech Commands layout with long recordings of noise."""
NEGATIVES_FOLDER = "_negatives_"
"""Folder with long recordings (speech, sounds) in which no keyword is said; split by subfolder
`train/`, `eval/`, `test/` where there are such, else by a hash of the file name."""


def label_list(keywords: Sequence[str]) -> list[str]:
    """The labels in the order of the model's outputs: `[_silence_, _unknown_, *keywords]`."""
    return [*RESERVED, *keywords]


def label_of(word: str, keywords: Sequence[str]) -> str:
    """The label of a spoken word: itself if it is a keyword, else `_unknown_`."""
    return word if word in keywords or word in RESERVED else UNKNOWN
