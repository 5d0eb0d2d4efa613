"""A user's own recordings of keywords: read, checked, and some of them kept back."""

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from kws.audio.align import align
from kws.audio.clip import Clip, clip_id
from kws.audio.listing import Listing, list_files, summary
from kws.audio.read import Unreadable, read
from kws.audio.source_yield import MAX_LOSS, USABLE, SourceYield
from kws.augment.seed import digest
from kws.errors import KwsError
from kws.features.params import FeatureParams
from kws.labels import RESERVED, canonical, label_of, refuse_near_matches, same_word

SOURCE = "user"
MIN_DURATION_MS = 150
"""No keyword is said in less."""
MAX_DURATION_MS = 60_000
SILENT_DBFS = -60.0
"""Quieter recordings have no word in them that a frontend could hear."""
FEWEST = 4
"""Clips of keywords: with fewer, nothing could be kept back that says anything."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class UserClips:
    """What a user recorded.

    Attributes:
      train, held_out: clips at the model's rate and of its length, of keywords and of other words;
        the held-out ones are of keywords, and nothing is trained on them.
      unusable: file -> why it could not be used.
    """

    train: tuple[Clip, ...]
    held_out: tuple[Clip, ...]
    unusable: dict[str, str]

    @property
    def keyword_clips(self) -> int:
        return len(self.held_out) + sum(clip.label not in RESERVED for clip in self.train)


def read_clips(
    folder: Path,
    keyword: str | None,
    labels: Sequence[str],
    params: FeatureParams,
    held_out_share: float,
    seed: int,
) -> UserClips:
    """Reads recordings and divides them, by a hash of their sound.

    The folder has a folder for each word, `<word>/<recording>.wav`, where a word that is no keyword
    counts as `_unknown_` (record there what the device wakes up to wrongly); or it is flat, all of
    `keyword`. A longer recording is cut to its loudest window, a shorter one is padded.

    Args:
      folder: of the recordings: WAV, FLAC, Ogg, MP3.
      keyword: of a flat folder; may be left out where the model has but one keyword.
      labels: of the model.
      params: its rate and clip length.
      held_out_share: of each keyword's clips, at least one of two or more.
      seed: of the division.

    Raises:
      KwsError: no such folder, no such keyword, a word that looks like a keyword, or too few clips
        that can be used.
    """
    keywords = [label for label in labels if label not in RESERVED]
    listing, found = _words(folder, keyword, keywords)
    unusable = {name: str(why) for name, why in listing.left_out.items()}
    yields = {label_of(word, keywords): SourceYield() for word in found.values()}
    clips: dict[str, Clip] = {}
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
        aligned = align(audio, params.clip_samples, params.sample_rate)
        clip = Clip(
            audio=aligned,
            sample_rate=params.sample_rate,
            label=label,
            word=word,
            speaker=SOURCE,
            source=SOURCE,
            clip_id=clip_id(aligned, SOURCE),
            novelty="keyword" if label in keywords else "heard",
        )
        if clip.clip_id in clips:  # else it could be trained on and kept back
            unusable[name] = "duplicate: the same sound as another file"
            continue
        clips[clip.clip_id] = clip
    for label, one in yields.items():
        one.refuse_loss(f"{folder}: clips of {label!r}", MAX_LOSS)
    _check_enough(clips.values(), folder, unusable)
    held = {
        clip.clip_id
        for one in keywords
        for clip in _kept_back([c for c in clips.values() if c.label == one], held_out_share, seed)
    }
    ordered = sorted(clips.values(), key=lambda clip: clip.clip_id)
    return UserClips(
        train=tuple(clip for clip in ordered if clip.clip_id not in held),
        held_out=tuple(clip for clip in ordered if clip.clip_id in held),
        unusable=unusable,
    )


def _words(
    folder: Path, keyword: str | None, keywords: Sequence[str]
) -> tuple[Listing, dict[str, str]]:
    """The recordings below the folder, and the word of each.

    Raises:
      KwsError: there is none, or it cannot be told what is said.
    """
    if not folder.is_dir():
        raise KwsError(f"--clips {folder} is no folder", hint="a folder of recordings of a keyword")
    if keyword is not None:
        refuse_near_matches({keyword: "--keyword"}, keywords)
        known = same_word(keyword, keywords)
        if known is None:
            raise KwsError(
                f"--keyword {keyword!r} is none of the model's: {', '.join(keywords)}",
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
    if keyword is None and flat:
        if len(keywords) > 1:
            raise KwsError(
                f"which keyword is said in {folder / flat[0]}?",
                hint=f"say it by --keyword, one of {', '.join(keywords)}; or put each word's "
                "clips into a folder of its name",
            )
        keyword = keywords[0]
    if keyword is not None:
        return listing, dict.fromkeys(names, keyword)
    words = {name: canonical(PurePosixPath(name).parts[0]) for name in names}
    refuse_near_matches({word: str(folder / name) for name, word in words.items()}, keywords)
    if all(same_word(word, keywords) is None for word in words.values()):
        raise KwsError(
            f"{folder} has folders of {', '.join(sorted(set(words.values())))}, none of a keyword",
            hint=f"the model's keywords: {', '.join(keywords)}",
        )
    return listing, words


def _check_enough(clips: Iterable[Clip], folder: Path, unusable: dict[str, str]) -> None:
    usable = [clip for clip in clips if clip.label not in RESERVED]
    if len(usable) >= FEWEST:
        return
    first = next(iter(unusable.items()), None)
    reasons = f"; {len(unusable)} could not be used, {first[0]}: {first[1]}" if first else ""
    raise KwsError(
        f"{folder} has {len(usable)} usable clips of keywords{reasons}",
        hint=f"at least {FEWEST} are needed, ten are better: some are kept back to judge by",
    )


def _kept_back(clips: Sequence[Clip], share: float, seed: int) -> list[Clip]:
    if len(clips) < 2 or not share:
        return []
    ordered = sorted(clips, key=lambda clip: digest(seed, "held out", clip.clip_id))
    return ordered[: min(len(clips) - 1, max(1, round(share * len(clips))))]
