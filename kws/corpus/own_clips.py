"""One person's own recordings of keywords: read, checked, and some of them kept back.

In an ordinary corpus nobody who speaks in training is tested. Here a model is to learn one voice,
and only clips of that voice can tell whether it has: so the clips are divided, not the speakers.
"""

import csv
import dataclasses
import hashlib
import io
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import soundfile

from kws import storage
from kws.audio.align import align
from kws.audio.clip import clip_id
from kws.audio.read import Unreadable, read
from kws.corpus.listing import Listing, list_files, summary
from kws.corpus.params import IngestParams
from kws.corpus.source_yield import MAX_LOSS, USABLE, SourceYield
from kws.corpus.windows import rank
from kws.errors import KwsError
from kws.labels import (
    RESERVED,
    SILENCE,
    UNKNOWN,
    canonical,
    label_of,
    refuse_near_matches,
    same_word,
)
from kws.splits import TEST, TRAIN

log = logging.getLogger(__name__)

MANIFEST = "manifest.csv"
MIN_DURATION_MS = 150
"""No keyword is said in less."""
MAX_DURATION_MS = 60_000
SILENT_DBFS = -60.0
"""Quieter recordings have no word in them that a frontend could hear."""
FEWEST = 4
"""Clips of keywords: with fewer, nothing could be kept back that says anything."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class OwnClip:
    """A recording as it is learned from or judged by.

    Attributes:
      audio: int16 `[samples]`, at the rate and of the length of the ingestion's clips.
      word: what is said; `label`: the keyword that it is, or `_unknown_`.
      clip_id: hash of the sound.
    """

    audio: np.ndarray
    word: str
    label: str
    clip_id: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class OwnClips:
    """What a person recorded.

    Attributes:
      train: of keywords and of other words.
      held_out: of keywords; nothing is trained on them.
      unusable: file -> why it could not be used.
    """

    train: tuple[OwnClip, ...]
    held_out: tuple[OwnClip, ...]
    unusable: dict[str, str]

    @property
    def keyword_clips(self) -> int:
        return len(self.held_out) + sum(clip.label not in RESERVED for clip in self.train)

    def write(self, parent: Path, sample_rate: int) -> Path:
        """Writes WAV files and the manifest that says the split of each, once; gives their folder.

        Args:
          parent: the folder is made in this one, named after its content.
          sample_rate: Hz.
        """
        placed = [(c, TRAIN) for c in self.train] + [(c, TEST) for c in self.held_out]
        text = io.StringIO()
        table = csv.writer(text)
        table.writerow(["path", "label", "split"])
        for clip, split in placed:
            label = UNKNOWN if clip.word.startswith("_") else clip.word
            # No speaker: each clip then counts as one of its own, who is in one split.
            table.writerow([f"{clip.clip_id}.wav", label, split])
        name = hashlib.sha256(text.getvalue().encode()).hexdigest()[:16]
        target = parent / name
        if not target.is_dir():
            with storage.atomic_folder(target) as folder:
                for clip, _ in placed:
                    file = folder / f"{clip.clip_id}.wav"
                    soundfile.write(file, clip.audio, sample_rate, "PCM_16")
                (folder / MANIFEST).write_text(text.getvalue(), "utf-8")
        return target


def read_clips(folder: Path, keyword: str, params: IngestParams, held_out_share: float) -> OwnClips:
    """Reads recordings and divides them, by a hash of their sound.

    The folder has a folder for each word, `<word>/<recording>.wav`, where a word that is no keyword
    counts as `_unknown_` (record there what the device wakes up to wrongly); or it is flat, all of
    `keyword`. A longer recording is cut to its loudest window, a shorter one is padded.

    Args:
      folder: of the recordings: WAV, FLAC, Ogg, MP3.
      keyword: of a flat folder; "" where there is but one, or in a folder of words.
      params: its keywords, rate, clip length, and seed of the division.
      held_out_share: of each keyword's clips, at least one of two or more.

    Raises:
      KwsError: no such folder, no such keyword, a word that looks like a keyword, or too few clips
        that can be used.
    """
    keywords = list(params.keywords)
    listing, found = _words(folder, keyword, keywords)
    unusable = {name: str(why) for name, why in listing.left_out.items()}
    yields = {label_of(word, keywords): SourceYield() for word in found.values()}
    samples = params.sample_rate * params.clip_duration_ms // 1000
    clips: dict[str, OwnClip] = {}
    for name, word in found.items():
        label = label_of(word, keywords)
        try:
            audio = read(
                folder / name,
                params.sample_rate,
                max_duration_ms=MAX_DURATION_MS,
                min_duration_ms=MIN_DURATION_MS,
                silent_dbfs=SILENT_DBFS,
            ).audio
        except Unreadable as error:
            unusable[name] = str(error)
            yields[label].add(name, error.reason, error.detail)
            continue
        yields[label].add(name, USABLE, "")
        aligned = align(audio, samples, params.sample_rate)
        clip = OwnClip(audio=aligned, word=word, label=label, clip_id=clip_id(aligned, ""))
        if clip.clip_id in clips:  # else it could be trained on and kept back
            unusable[name] = "duplicate: the same sound as another file"
            continue
        clips[clip.clip_id] = clip
    for label, one in yields.items():
        one.refuse_loss(f"{folder}: clips of {label!r}", MAX_LOSS)
    for name, why in unusable.items():
        log.warning("%s is left out: %s", folder / name, why)
    _check_enough(clips.values(), folder, unusable)
    held = {
        clip.clip_id
        for one in keywords
        for clip in _kept_back(
            [c for c in clips.values() if c.label == one], held_out_share, params.seed
        )
    }
    if not held:
        raise KwsError(
            f"{folder} has one clip of each keyword: none can be kept back to judge by",
            hint="record a keyword at least twice, ten times are better",
        )
    ordered = sorted(clips.values(), key=lambda clip: clip.clip_id)
    return OwnClips(
        train=tuple(clip for clip in ordered if clip.clip_id not in held),
        held_out=tuple(clip for clip in ordered if clip.clip_id in held),
        unusable=unusable,
    )


def _words(folder: Path, keyword: str, keywords: Sequence[str]) -> tuple[Listing, dict[str, str]]:
    """The recordings below the folder, and the word of each.

    Raises:
      KwsError: there is none, or it cannot be told what is said.
    """
    if not folder.is_dir():
        raise KwsError(f"{folder} is no folder", hint="give a folder of recordings of a keyword")
    if keyword:
        refuse_near_matches({keyword: "keyword"}, keywords)
        known = same_word(keyword, keywords)
        if known is None:
            raise KwsError(
                f"keyword {keyword!r} is none of the model's: {', '.join(keywords)}",
                hint="personalising fits a model to a voice; for a new keyword run the pipeline",
            )
        keyword = known
    listing = list_files(folder).recordings()
    names = listing.files
    if not names:
        raise KwsError(
            f"{folder} holds no recordings{summary(listing.left_out)}",
            hint="about ten clips of a keyword, each a second or so: WAV, FLAC, Ogg or MP3",
        )
    flat = [name for name in names if len(PurePosixPath(name).parts) == 1]
    if not keyword and flat:
        if len(keywords) > 1:
            raise KwsError(
                f"which keyword is said in {folder / flat[0]}?",
                hint=f"name it by --keyword, one of {', '.join(keywords)}; or put each word's "
                "clips into a folder of its name",
            )
        keyword = keywords[0]
    if keyword:
        return listing, dict.fromkeys(names, keyword)
    words = {name: canonical(PurePosixPath(name).parts[0]) for name in names}
    if SILENCE in words.values():
        raise KwsError(
            f"{folder} has a folder {SILENCE}: silence is no word that a person says",
            hint=f"what the device woke up to wrongly belongs into {UNKNOWN}",
        )
    refuse_near_matches({word: str(folder / name) for name, word in words.items()}, keywords)
    if all(same_word(word, keywords) is None for word in words.values()):
        raise KwsError(
            f"{folder} has folders of {', '.join(sorted(set(words.values())))}, none of a keyword",
            hint=f"the model's keywords: {', '.join(keywords)}",
        )
    return listing, words


def _check_enough(clips: Iterable[OwnClip], folder: Path, unusable: dict[str, str]) -> None:
    usable = [clip for clip in clips if clip.label not in RESERVED]
    if len(usable) >= FEWEST:
        return
    first = next(iter(unusable.items()), None)
    reasons = f"; {len(unusable)} could not be used, {first[0]}: {first[1]}" if first else ""
    raise KwsError(
        f"{folder} has {len(usable)} usable clips of keywords{reasons}",
        hint=f"at least {FEWEST} are needed, ten are better: some are kept back to judge by",
    )


def _kept_back(clips: Sequence[OwnClip], share: float, seed: int) -> list[OwnClip]:
    if len(clips) < 2 or not share:
        return []
    ordered = sorted(clips, key=lambda clip: rank(seed, f"held out {clip.clip_id}"))
    return ordered[: min(len(clips) - 1, max(1, round(share * len(clips))))]
