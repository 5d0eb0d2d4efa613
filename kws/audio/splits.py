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

from kws.labels import canonical
from kws.splits import EVAL, SPLITS, TEST, TRAIN, Split

_BUCKETS = 2**27 - 1
_NOHASH = re.compile(r"_nohash_.*$")


class Part(NamedTuple):
    """A long recording, or the part of it that one split may use.

    Attributes:
      path: of the recording.
      start_share, end_share: of its duration, 0 to 1.
      source: name of the source of a mix that it is from; "" where there is none.
    """

    path: str
    start_share: float = 0.0
    end_share: float = 1.0
    source: str = ""


def speaker_of(name: str) -> str:
    """`b/0a7c2a8d_nohash_1.wav` gives `0a7c2a8d`; a name without `_nohash_` its whole stem."""
    path = PurePosixPath(canonical(name))
    return _NOHASH.sub("", path.name) if _NOHASH.search(path.name) else path.stem


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


def split_speakers(
    folders: Iterable[tuple[Mapping[str, str], Mapping[str, Split]]],
    eval_percentage: float = 10,
    test_percentage: float = 10,
) -> dict[str, Split]:
    """The split of every speaker, over all folders of a corpus: nobody is in two of them.

    Where a file of theirs is listed, anywhere, speakers are where the list says, and that is test
    before eval before train if lists say several: nobody with a listed file is in train. Other
    speakers are drawn in each folder that has them, and the same order decides. There, a split that
    has a list is full; one that has none draws by hash; the rest is train. Where there is one list
    only, the hash is salted: the lists of Speech Commands were drawn by the plain one, which would
    find nobody left.

    Args:
      folders: of each, name -> speaker of its words, and name -> split of what it lists (names that
        are not there count as well).
      eval_percentage, test_percentage: of the speakers, where no list decides.
    """
    folders = list(folders)
    by_list: dict[str, Split] = {}
    for speakers, listed in folders:
        for name, split in listed.items():
            _raise_to(by_list, speakers.get(name) or speaker_of(name), split)
    drawn: dict[str, Split] = {}
    for speakers, listed in folders:
        full = set(listed.values())
        salt = " (not listed)" if full - {TRAIN} else ""
        shares = (
            0 if EVAL in full else eval_percentage,
            0 if TEST in full else test_percentage,
        )
        for speaker in set(speakers.values()) - by_list.keys():
            _raise_to(drawn, speaker, split_of_hash(speaker + salt, *shares))
    return {**drawn, **by_list}


def split_words(
    names: Iterable[str],
    lists: Mapping[Split, Iterable[str]],
    eval_percentage: float = 10,
    test_percentage: float = 10,
) -> dict[str, Split]:
    """The split of every word recording of one folder; see `split_speakers`.

    Args:
      names: `<word>/<file>`.
      lists: the names that a list gives to eval or test; missing or empty: no list.
      eval_percentage, test_percentage: of the speakers, where no list decides.
    """
    speakers = {name: speaker_of(name) for name in names}
    listed = {name: split for split in (EVAL, TEST) for name in lists.get(split, ())}
    of_speaker = split_speakers([(speakers, listed)], eval_percentage, test_percentage)
    return {name: of_speaker[speaker] for name, speaker in speakers.items()}


def _raise_to(found: dict[str, Split], speaker: str, split: Split) -> None:
    found[speaker] = max(found.get(speaker, TRAIN), split, key=SPLITS.index)


def split_recordings(
    names: Sequence[str], eval_percentage: float = 10, test_percentage: float = 10
) -> dict[Split, list[Part]]:
    """The parts of long recordings (backgrounds, negatives) that each split may use.

    - `<folder>/…train/…`, `…/eval/…`, `…/test/…`: that split, and only that.
    - Three or more recordings without such subfolders: by hash of the file name, except that every
      split gets at least one (eval the lowest hash, test the next, train the highest).
    - One or two: each is cut in thirds by time, train first, then eval, then test.
    - Loose files beside such subfolders: by hash.

    Recordings of the same file name (less its suffix) are taken for the same recording.

    Args:
      names: paths inside the corpus, `<folder>/[<split>/]<file>`.

    Returns:
      Parts in the order of their paths, for each split.
    """
    parts: dict[Split, list[Part]] = {split: [] for split in SPLITS}
    loose = []
    for name in sorted(names):
        folders = PurePosixPath(name).parts[1:-1]
        placed = next((split for folder in folders for split in SPLITS if split == folder), None)
        if placed is None:
            loose.append(name)
        else:
            parts[placed].append(Part(name))
    titles = sorted({PurePosixPath(name).stem for name in loose}, key=_by_hash)
    if len(loose) < len(names):
        of_title = {t: split_of_hash(t, eval_percentage, test_percentage) for t in titles}
    elif len(titles) < len(SPLITS):
        of_title = {}
        for name in loose:
            for third, split in enumerate(SPLITS):
                parts[split].append(Part(name, third / 3, (third + 1) / 3))
    else:
        shares = [hash_percentage(title) for title in titles]
        up_to_eval = sum(share < eval_percentage for share in shares)
        up_to_test = sum(share < eval_percentage + test_percentage for share in shares)
        up_to_eval = min(max(up_to_eval, 1), len(titles) - 2)
        up_to_test = min(max(up_to_test, up_to_eval + 1), len(titles) - 1)
        of_title = {
            title: EVAL if i < up_to_eval else TEST if i < up_to_test else TRAIN
            for i, title in enumerate(titles)
        }
    for name in loose if of_title else ():
        parts[of_title[PurePosixPath(name).stem]].append(Part(name))
    return {split: sorted(found) for split, found in parts.items()}


def _by_hash(title: str) -> tuple[float, str]:
    return hash_percentage(title), title
