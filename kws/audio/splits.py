"""Which split a recording belongs to: by speaker, by lists, and for long recordings by time.

The rule for words is that of Speech Commands (P. Warden, "Speech Commands: A Dataset for
Limited-Vocabulary Speech Recognition", 2018, section 7.3): a hash of the speaker's name, so that a
clip never changes sides when others come or go, unless a list names the file.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from kws.splits import EVAL, SPLITS, TEST, TRAIN, Split

_BUCKETS = 2**27 - 1
_NOHASH = re.compile(r"_nohash_.*$")


class Part(NamedTuple):
    """A long recording, or the part of it that one split may use.

    Attributes:
      path: of the recording.
      start_share, end_share: of its duration, 0 to 1.
    """

    path: str
    start_share: float = 0.0
    end_share: float = 1.0


def speaker_of(name: str) -> str:
    """`b/0a7c2a8d_nohash_1.wav` gives `0a7c2a8d`; a name without `_nohash_` its whole stem."""
    file_name = PurePosixPath(name).name
    return _NOHASH.sub("", file_name) if _NOHASH.search(file_name) else PurePosixPath(name).stem


def hash_percentage(speaker: str) -> float:
    """The Speech Commands hash of a speaker (SHA-1), 0 to 100."""
    digest = int(hashlib.sha1(speaker.encode()).hexdigest(), 16)
    return digest % (_BUCKETS + 1) * (100.0 / _BUCKETS)


def split_of_hash(speaker: str, eval_percentage: float, test_percentage: float) -> Split:
    """The split by hash alone."""
    share = hash_percentage(speaker)
    if share < eval_percentage:
        return EVAL
    return TEST if share < eval_percentage + test_percentage else TRAIN


def split_words(
    names: Iterable[str],
    lists: Mapping[Split, Iterable[str]],
    eval_percentage: float = 10,
    test_percentage: float = 10,
) -> dict[str, Split]:
    """The split of every word recording, disjoint in speakers.

    A listed file is where its list says, and a speaker with a listed file is never in train: the
    unlisted files go where the listed ones are (to test if they are in both). Other speakers: a
    split that has a list is full; one that has none draws by hash; the rest is train. Where there
    is one list only, the hash is salted: the lists of Speech Commands were drawn by the plain one,
    which would find nobody left.

    Args:
      names: `<word>/<file>`.
      lists: the names that a list gives to eval or test; missing or empty: no list.
      eval_percentage, test_percentage: of the speakers, where no list decides.
    """
    listed = {name: split for split in (EVAL, TEST) for name in lists.get(split, ())}
    of_speaker: dict[str, Split] = {}
    for name, split in listed.items():
        if of_speaker.get(speaker_of(name)) != TEST:
            of_speaker[speaker_of(name)] = split
    salt = " (not listed)" if listed else ""
    eval_percentage = 0 if EVAL in listed.values() else eval_percentage
    test_percentage = 0 if TEST in listed.values() else test_percentage

    def split_of(name: str) -> Split:
        speaker = speaker_of(name)
        if name in listed:
            return listed[name]
        if speaker in of_speaker:
            return of_speaker[speaker]
        return split_of_hash(speaker + salt, eval_percentage, test_percentage)

    return {name: split_of(name) for name in names}


def split_recordings(
    names: Sequence[str], eval_percentage: float = 10, test_percentage: float = 10
) -> dict[Split, list[Part]]:
    """The parts of long recordings (backgrounds, negatives) that each split may use.

    - `<folder>/train/…`, `/eval/…`, `/test/…`: that split, and only that.
    - Three or more recordings without such subfolders: by hash of the file name, except that every
      split gets at least one (eval the lowest hash, test the next, train the highest).
    - One or two: each is cut in thirds by time, train first, then eval, then test.
    - Loose files beside such subfolders: by hash.

    Args:
      names: paths inside the corpus, `<folder>/[<split>/]<file>`.

    Returns:
      Parts in the order of their paths, for each split.
    """
    parts: dict[Split, list[Part]] = {split: [] for split in SPLITS}
    loose = []
    for name in sorted(names):
        folder = PurePosixPath(name).parent.name
        placed = next((split for split in SPLITS if split == folder), None)
        if placed is None:
            loose.append(name)
        else:
            parts[placed].append(Part(name))
    if len(loose) < len(names):
        for name in loose:
            split = split_of_hash(PurePosixPath(name).stem, eval_percentage, test_percentage)
            parts[split].append(Part(name))
    elif len(loose) < len(SPLITS):
        for name in loose:
            for third, split in enumerate(SPLITS):
                parts[split].append(Part(name, third / 3, (third + 1) / 3))
    else:
        ranked = sorted(loose, key=lambda name: (hash_percentage(PurePosixPath(name).stem), name))
        shares = [hash_percentage(PurePosixPath(name).stem) for name in ranked]
        up_to_eval = sum(share < eval_percentage for share in shares)
        up_to_test = sum(share < eval_percentage + test_percentage for share in shares)
        up_to_eval = min(max(up_to_eval, 1), len(ranked) - 2)
        up_to_test = min(max(up_to_test, up_to_eval + 1), len(ranked) - 1)
        parts[EVAL] = [Part(name) for name in ranked[:up_to_eval]]
        parts[TEST] = [Part(name) for name in ranked[up_to_eval:up_to_test]]
        parts[TRAIN] = [Part(name) for name in ranked[up_to_test:]]
    return {split: sorted(found) for split, found in parts.items()}
