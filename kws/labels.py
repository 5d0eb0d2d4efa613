"""Labels: what a model can say. 0 is silence, 1 any other sound or word, then the keywords.

Labels are compared in Unicode's form NFC: macOS writes `öffnen` into folder names as an `o` and two
dots. A name that differs from a keyword by case, spaces or what nobody sees is not another word
but a mistake, and taught as `_unknown_` it would be the opposite of what it is: it is refused.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

import pydantic

from kws.errors import DataError

SILENCE = "_silence_"
UNKNOWN = "_unknown_"
RESERVED = (SILENCE, UNKNOWN)

BACKGROUND_FOLDER = "_background_noise_"
"""Folder of a Speech Commands layout with long recordings of noise."""
NEGATIVES_FOLDER = "_negatives_"
"""Folder with long recordings (speech, sounds) in which no keyword is said; split by subfolder
`train/`, `eval/`, `test/` where there are such, else by a hash of the file name."""
_FOLDERS = (*RESERVED, BACKGROUND_FOLDER, NEGATIVES_FOLDER)
_LONGEST_WORD = 100
_INVISIBLE = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
"""Characters that show nothing, although Unicode does not count them among its formats."""


def label_list(keywords: Sequence[str]) -> list[str]:
    """The labels in the order of the model's outputs: `[_silence_, _unknown_, *keywords]`."""
    return [*RESERVED, *keywords]


def label_of(word: str, keywords: Sequence[str]) -> str:
    """The label of a spoken word: the keyword that it is, else `_unknown_`."""
    if word in keywords or word in RESERVED:
        return word
    return same_word(word, keywords) or UNKNOWN


def canonical(word: str) -> str:
    """The word in NFC, the form in which words are compared."""
    return unicodedata.normalize("NFC", word)


def same_word(word: str, keywords: Iterable[str]) -> str | None:
    """The keyword that is this word in another Unicode form, or in the same; None: it is none."""
    word = canonical(word)
    return next((keyword for keyword in keywords if canonical(keyword) == word), None)


def near_match(word: str, keywords: Iterable[str]) -> str | None:
    """The keyword, or reserved name, that a word is mistaken for; None if it is one, or like none.

    `Yes`, `yes ` and `ok_toaster` are like `yes` and `ok toaster`, and so are wide letters. Names
    that are reserved are told by case and spaces alone: `unknown` may be a word like any other.
    """
    keywords = [keyword for keyword in keywords if keyword not in _FOLDERS]
    if word in _FOLDERS or same_word(word, keywords) is not None:
        return None
    for folder in _FOLDERS:
        if _loosely(word) == folder:
            return folder
    if word.startswith("_"):
        return None
    loose = _loosely(word, separators="_-")
    return next((k for k in keywords if _loosely(k, separators="_-") == loose), None)


def refuse_near_matches(words: Mapping[str, str] | Iterable[str], keywords: Sequence[str]) -> None:
    """Refuses words that only look different from a keyword.

    Args:
      words: of folders or rows; a mapping says where each was found.
      keywords: of the model.

    Raises:
      DataError: names the word, where it was found, and the keyword.
    """
    for word in words:
        meant = near_match(word, keywords)
        if meant is None:
            continue
        place = f"{words[word]}: " if isinstance(words, Mapping) else ""
        what = "the reserved name" if meant in _FOLDERS else "the keyword"
        raise DataError(
            f"{place}{word!r} is not {what} {meant!r}, but looks like it: did you mean {meant!r}?",
            hint=f"rename it to {meant!r}, or to something less alike if it is another word",
        )


def word_problem(word: str) -> str | None:
    """What keeps a word from being the name of a label and of its folder; None: nothing does."""
    if not word.strip():
        return "it is empty"
    if word != word.strip():
        return f"it begins or ends with a space: write {word.strip()!r}"
    if word[0] in "_.-":
        return f"{word[0]!r} at the front is reserved: begin with a letter or digit"
    if len(word) > _LONGEST_WORD:
        return f"it has {len(word)} characters, at most {_LONGEST_WORD} are allowed"
    for character in word:
        if character in "/\\" or not character.isprintable():
            return f"it contains {character!r}, and its recordings are in a folder of that name"
    return None


def check_words(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words in NFC.

    Raises:
      ValueError: one cannot be the name of a label and of its folder.
    """
    words = tuple(canonical(word) for word in words)
    for word in words:
        problem = word_problem(word)
        if problem is not None:
            shown = word if len(word) <= _LONGEST_WORD else f"{word[:20]}…"
            raise ValueError(f"{shown!r} cannot be a word: {problem}")
    return words


def check_keywords(keywords: tuple[str, ...]) -> tuple[str, ...]:
    """The keywords in NFC.

    Raises:
      ValueError: one cannot be a label, or two are one word but for case, spaces or invisible
        characters.
    """
    keywords = check_words(keywords)
    for index, keyword in enumerate(keywords):
        if keyword in keywords[:index]:
            raise ValueError(f"keywords names a keyword twice: {keyword}")
        alike = near_match(keyword, keywords[:index])
        if alike is not None:
            raise ValueError(f"keywords {alike!r} and {keyword!r} look alike: keep one of them")
    return keywords


Words = Annotated[tuple[str, ...], pydantic.AfterValidator(check_words)]
"""The type of a field of words that are labels or the names of folders."""
Keywords = Annotated[tuple[str, ...], pydantic.AfterValidator(check_keywords)]
"""The type of a field of keywords."""


def _loosely(word: str, separators: str = "") -> str:
    """Without case, width, invisible characters and surrounding or doubled spaces."""
    word = unicodedata.normalize("NFKC", word).casefold()
    kept = (
        " " if character in separators else character
        for character in unicodedata.normalize("NFKC", word)
        if character not in _INVISIBLE
        and not "\ufe00" <= character <= "\ufe0f"
        and (character.isspace() or unicodedata.category(character) not in ("Cf", "Cc"))
    )
    return " ".join("".join(kept).split())
