"""Assigns recordings to splits: by speaker, by lists, and for long recordings by time.

Words follow the rule of Speech Commands (P. Warden, "Speech Commands: A Dataset for
Limited-Vocabulary Speech Recognition", 2018, section 7.3): a hash of the speaker's name, so that a
clip never changes sides when others come or go, unless a list names the file.

Speakers' names can be replaced by pseudonyms, a keyed hash (BLAKE2b, RFC 7693): without the salt
nobody can try names until one fits. The salt comes from an environment variable, so it is in no
configuration, metadata or log.
"""

import hashlib
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from kws.errors import KwsError
from kws.labels import canonical
from kws.splits import EVAL, SPLITS, TEST, TRAIN, Split

HELD_OUT_BY_TIME = 0.2
"""Of few long recordings, each for eval and test: with less, gates on false accepts rest on
nothing, and with more, an hour of speech teaches a third less."""
_BUCKETS = 2**27 - 1
_NOHASH = re.compile(r"_nohash_.*$")


class Part(NamedTuple):
    """A long recording, or the part of it that one split may use.

    Attributes:
      path: of the recording.
      start_share: where the part begins, as a share of the duration, 0 to 1.
      end_share: where it ends, likewise.
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
      eval_percentage: of the speakers, where no list decides.
      test_percentage: likewise.
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
      eval_percentage: of the speakers, where no list decides.
      test_percentage: likewise.
    """
    speakers = {name: speaker_of(name) for name in names}
    listed = {name: split for split in (EVAL, TEST) for name in lists.get(split, ())}
    of_speaker = split_speakers([(speakers, listed)], eval_percentage, test_percentage)
    return {name: of_speaker[speaker] for name, speaker in speakers.items()}


def _raise_to(found: dict[str, Split], speaker: str, split: Split) -> None:
    found[speaker] = max(found.get(speaker, TRAIN), split, key=SPLITS.index)


def split_recordings(
    names: Sequence[str],
    eval_percentage: float = 10,
    test_percentage: float = 10,
    *,
    groups: Mapping[str, str] | None = None,
    assigned: dict[str, Split | None] | None = None,
) -> dict[Split, list[Part]]:
    """The parts of the long recordings of one folder (backgrounds, negatives) that each split uses.

    Recordings of one group belong together: of one speaker, of one session. A group is divided only
    if there are fewer groups than splits.

    - `<folder>/…train/…`, `…/eval/…`, `…/test/…`: that split, and only that.
    - Other recordings, in three or more groups: by hash of the group's name (eval the lowest, test
      the next, train the highest), except that every split that has no such subfolder gets at least
      one group, and that chance may not make eval or test much larger or smaller than asked.
    - In one or two groups: each is divided by time, three fifths for train, then a fifth each for
      eval and test; a group of three or more recordings by its recordings, a smaller one within
      each of them.

    Args:
      names: paths inside the corpus, `<folder>/[<split>/]<file>`.
      eval_percentage: of the groups.
      test_percentage: of the groups.
      groups: name -> its group; a recording that is not in it is a group by itself, named after its
        file without the suffix, so that recordings of the same name in two folders stay together.
      assigned: group -> split, or None for one that is divided by time, of the folders before: a
        known group keeps it. The groups of this folder are added.

    Returns:
      Parts in the order of their paths, for each split.
    """
    groups = groups or {}
    assigned = {} if assigned is None else assigned
    parts: dict[Split, list[Part]] = {split: [] for split in SPLITS}
    members: dict[str, list[str]] = {}
    for name in sorted(names):
        folders = PurePosixPath(name).parts[1:-1]
        placed = next((split for folder in folders for split in SPLITS if split == folder), None)
        if placed is None:
            members.setdefault(groups.get(name) or PurePosixPath(name).stem, []).append(name)
        else:
            parts[placed].append(Part(name))
    known = {group: assigned[group] for group in members if group in assigned}
    new = sorted(members.keys() - known.keys(), key=_by_hash)
    served = {split for split in SPLITS if parts[split]}
    if len(members) + len(served) < len(SPLITS):
        known |= dict.fromkeys(new)
    else:
        served |= set(SPLITS) if None in known.values() else {s for s in known.values() if s}
        known |= _assign(new, served, eval_percentage, test_percentage)
    assigned.update(known)
    for group, split in known.items():
        if split is None:
            _divide_by_time(members[group], parts)
        else:
            parts[split] += [Part(name) for name in members[group]]
    return {split: sorted(found) for split, found in parts.items()}


def _assign(
    groups: Sequence[str], served: set[Split], eval_percentage: float, test_percentage: float
) -> dict[str, Split]:
    """Group -> split by hash, so that every split that is not served gets at least one of them, as
    far as there are enough: eval first, then test.

    Args:
      groups: in the order of their hashes.
      served: splits that have recordings already.
      eval_percentage: of the groups.
      test_percentage: of the groups.
    """
    wanting = [split for split in (EVAL, TEST, TRAIN) if split not in served][: len(groups)]
    least = {split: int(split in wanting) for split in SPLITS}
    drawn = [split_of_hash(group, eval_percentage, test_percentage) for group in groups]
    count = len(groups)
    most = count - least[TEST] - least[TRAIN]
    in_eval = min(_near(drawn.count(EVAL), count * eval_percentage / 100, least[EVAL]), most)
    most = count - in_eval - least[TRAIN]
    in_test = min(_near(drawn.count(TEST), count * test_percentage / 100, least[TEST]), most)
    return {
        group: EVAL if i < in_eval else TEST if i < in_eval + in_test else TRAIN
        for i, group in enumerate(groups)
    }


def _near(drawn: int, wanted: float, least: int) -> int:
    """What the hash has drawn, but of a few groups no less than half of what is wanted, and no more
    than half as much again."""
    return min(max(drawn, least, math.floor(wanted / 2)), max(least, math.ceil(1.5 * wanted)))


def _divide_by_time(names: Sequence[str], parts: dict[Split, list[Part]]) -> None:
    """Adds to each split its share of the recordings of one group, in their order."""
    held_out = max(1, round(len(names) * HELD_OUT_BY_TIME))
    for place, name in enumerate(names):
        if len(names) >= len(SPLITS):
            after = len(names) - 1 - place
            split = TEST if after < held_out else EVAL if after < 2 * held_out else TRAIN
            parts[split].append(Part(name))
            continue
        parts[TRAIN].append(Part(name, 0.0, 1 - 2 * HELD_OUT_BY_TIME))
        parts[EVAL].append(Part(name, 1 - 2 * HELD_OUT_BY_TIME, 1 - HELD_OUT_BY_TIME))
        parts[TEST].append(Part(name, 1 - HELD_OUT_BY_TIME, 1.0))


def _by_hash(group: str) -> tuple[float, str]:
    return hash_percentage(group), group


SHORTEST_SALT = 8


def pseudonym(speaker: str, salt: str) -> str:
    """16 hex digits in place of a speaker; the same speaker and salt give the same ones."""
    key = hashlib.blake2b(salt.encode(), digest_size=32).digest()
    return hashlib.blake2b(speaker.encode(), key=key, digest_size=8).hexdigest()


def salt_of(variable: str) -> str:
    """The salt in an environment variable.

    Raises:
      KwsError: it is not set, or too short to be a secret.
    """
    salt = os.environ.get(variable, "")
    if len(salt) < SHORTEST_SALT:
        state = "is not set" if not salt else f"has {len(salt)} characters"
        raise KwsError(
            f"speakers are to be hashed, and the environment variable {variable} {state}",
            hint=f"give it a secret of {SHORTEST_SALT} characters or more, and keep it: another "
            "salt gives other names",
        )
    return salt
