"""Material: what one split of a corpus has to lay, read straight from its files.

The pipeline takes the clips that ingestion made; here there is no pipeline, for whoever wants a few
scenes or streams as files.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from kws.audio import read
from kws.audio.clip import Clip
from kws.augment.rooms import room_bank
from kws.augment.seed import digest
from kws.corpus import clip_spec, layout
from kws.corpus.folders import Corpus
from kws.corpus.inspect import FileReport
from kws.corpus.listing import LeftOut, list_files, read_text, summary
from kws.corpus.params import IngestParams
from kws.corpus.source_yield import MAX_LOSS, yield_of_recordings
from kws.corpus.splits import Part, pseudonym, salt_of
from kws.errors import KwsError
from kws.labels import UNKNOWN, label_of, refuse_near_matches
from kws.scenes.conditions import Surroundings
from kws.scenes.negatives import Piece, join_negatives, plan_negatives, plan_talkers
from kws.scenes.params import StreamParams
from kws.splits import Split
from kws.voices.corpus import is_synthesized


@dataclasses.dataclass(frozen=True, kw_only=True)
class Material:
    """Of one split.

    Attributes:
      words: clips of keywords and of other words, in the order of a hash.
      backgrounds: int16 recordings at the params' rate, in the order of their names.
      negatives: long recordings without keywords, on disk; often none.
      unusable: name -> why a file could not be read.
    """

    words: list[Clip]
    backgrounds: list[np.ndarray]
    negatives: list[Piece]
    unusable: dict[str, str]

    def share(self, number: int, count: int) -> list[Clip]:
        """The words of one of `count` streams, of either kind alike: no clip is in two of them."""
        keywords = [clip for clip in self.words if clip.label != UNKNOWN]
        others = [clip for clip in self.words if clip.label == UNKNOWN]
        return keywords[number::count] + others[number::count]


def gather(corpus: Corpus, split: Split, params: IngestParams, most: int) -> Material:
    """Reads the words and backgrounds of a split, and finds its negatives.

    Splits and clips are those of ingestion. But no other split is read: copies of a recording under
    another name, which ingestion finds and refuses, are not looked for.

    Args:
      corpus: the folders.
      split: whose speakers and recordings.
      params: keywords, rate, clip length, percentages; `seed` orders the words.
      most: so many words of a kind (keywords, others) are read at most.

    Raises:
      KwsError: the split has no background that can be heard; speakers are to be hashed and there
        is no salt.
    """
    found = layout.understand_corpus(corpus, list_files, read_text, params)
    refuse_near_matches({word.word: word.name for word in found.words}, params.keywords)
    unusable = {name: f"{reason}: {why}" for name, (reason, why) in found.misplaced.items()}
    mine = [word for word in found.words if word.split == split]
    mine.sort(key=lambda word: digest(params.seed, "material", word.name))
    words: list[Clip] = []
    for keyword in (True, False):
        kind = [word for word in mine if (word.word in params.keywords) == keyword]
        words += _clips(kind, corpus, params, most, unusable)
    backgrounds = []
    for piece in _pieces("backgrounds", found.backgrounds[split], corpus, unusable):
        audio = load(piece, params.sample_rate)
        if audio.any():
            backgrounds.append(audio)
    if not backgrounds:
        raise KwsError(
            f"split {split} of {corpus.folders[0].path} has no background that can be heard",
            hint="put recordings of noise into _background_noise_/",
        )
    return Material(
        words=words,
        backgrounds=backgrounds,
        negatives=_pieces("negatives", found.negatives[split], corpus, unusable),
        unusable=unusable,
    )


def surroundings(
    material: Material, params: StreamParams, split: Split, sample_rate: int
) -> Surroundings:
    """What the conditions of a split's streams need: talkers of its negatives, simulated rooms."""
    talkers = plan_talkers(material.negatives if params.needs_babble else [], params.seed)
    return Surroundings(
        backgrounds=material.backgrounds,
        talkers=[np.concatenate([load(p, sample_rate) for p in pieces]) for pieces in talkers],
        rooms=room_bank(params.seed, split, params.most_rooms, sample_rate),
    )


def load(piece: Piece, sample_rate: int) -> np.ndarray:
    """int16 mono `[samples]` of one piece at `sample_rate` Hz."""
    return read.read_window(piece.path, piece.start_ms, piece.duration_ms, sample_rate).audio


def sections(
    recordings: Sequence[Piece], length_s: float, sample_rate: int
) -> Iterator[np.ndarray]:
    """Long recordings cut and joined to about one length, int16 `[samples]`; each is heard once."""
    for pieces in plan_negatives(recordings, length_s * 1000):
        audios = [load(piece, sample_rate) for piece in pieces]
        yield join_negatives(audios, sample_rate, "section")[0]


def recordings_below(folder: Path) -> tuple[list[Piece], dict[str, LeftOut]]:
    """Every readable recording below a folder, whole, by name; and what is left out.

    Raises:
      KwsError: there is none, or most of their minutes cannot be read.
    """
    listing = list_files(folder).recordings()
    left_out = dict(listing.left_out)
    reports, pieces = [], []
    for name in listing.files:
        report = _inspect(name, folder / name)
        reports.append(report)
        if report.reason:
            left_out[name] = LeftOut(report.reason, report.detail)
        elif report.duration_ms >= 1:
            pieces.append(Piece(str(folder / name), 0.0, report.duration_ms))
    if not reports:
        raise KwsError(f"{folder} holds no recordings{summary(left_out)}")
    yield_of_recordings(reports).refuse_loss(str(folder), MAX_LOSS, "minutes")
    return pieces, left_out


def _clips(
    words: Iterable[layout.Word],
    corpus: Corpus,
    params: IngestParams,
    most: int,
    unusable: dict[str, str],
) -> list[Clip]:
    salt = salt_of(params.speaker_salt_env) if params.speaker_salt_env else None
    clips: list[Clip] = []
    for word in words:
        if len(clips) == most:
            break
        label = label_of(word.word, params.keywords)
        spec = clip_spec.ClipSpec(
            name=word.name,
            split=word.split,
            label=label,
            word=word.word,
            speaker=word.speaker if salt is None else pseudonym(word.speaker, salt),
            source=word.source or params.source,
            novelty="heard" if label == UNKNOWN else "keyword",
        )
        try:
            clips.append(clip_spec.make_clip(spec, corpus.path_of(word.name), params))
        except read.Unreadable as error:
            unusable[word.name] = str(error)
    return clips


def _pieces(
    kind: str, parts: Sequence[Part], corpus: Corpus, unusable: dict[str, str]
) -> list[Piece]:
    pieces, reports = [], []
    for part in parts:
        report = _inspect(part.path, Path(corpus.path_of(part.path)))
        reports.append(report)
        if report.reason:
            unusable[part.path] = f"{report.reason}: {report.detail}"
            continue
        path, duration_ms = corpus.path_of(part.path), report.duration_ms
        start_ms, stop_ms = part.start_share * duration_ms, part.end_share * duration_ms
        piece = Piece(path, start_ms, stop_ms, synthesized=is_synthesized(path, _text))
        if piece.duration_ms >= 1:
            pieces.append(piece)
    if reports:
        title = f"{kind} of {', '.join(folder.path for folder in corpus.folders)}"
        yield_of_recordings(reports).refuse_loss(title, MAX_LOSS, "minutes")
    return pieces


def _text(path: str) -> str | None:
    return Path(path).read_text() if Path(path).is_file() else None


def _inspect(name: str, path: Path) -> FileReport:
    size_bytes = path.stat().st_size if path.exists() else 0
    try:
        # Decoded to its end, so that none breaks later.
        return FileReport(name, read.survey(path).duration_ms, size_bytes=size_bytes)
    except read.Unreadable as error:
        return FileReport(name, 0, b"", error.reason, error.detail, size_bytes=size_bytes)
