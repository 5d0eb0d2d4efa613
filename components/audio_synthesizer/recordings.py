"""The long recordings and rooms of a corpus that each split may use."""

import dataclasses
import functools
import os
import re
from collections.abc import Sequence

import numpy as np
from absl import logging
from tfx.dsl.io import fileio

from components import staging
from kws.audio import clip as clips
from kws.audio import noise, read
from kws.augment.level import to_int16
from kws.augment.rooms import Room, recorded_room
from kws.augment.seed import digest, generator
from kws.corpus import layout
from kws.corpus.long_recordings import LONG_RECORDINGS_FILE, LongRecordings
from kws.corpus.splits import Part
from kws.errors import KwsError
from kws.export import feature_reader
from kws.labels import BACKGROUND_FOLDER, SILENCE
from kws.scenes.negatives import Piece
from kws.splits import Split
from kws.voices.corpus import is_synthesized

HELD_BACKGROUND_MS = 45 * 60_000.0
"""Of backgrounds that one worker holds in memory for a split: 86 MB at 16 kHz."""
HELD_TALK_MS = 30 * 60_000.0
"""Of people who talk around the words of noisy copies, likewise: 58 MB."""
PART_MS = 30_000.0
"""Of a recording, where there are more than that."""
_SILENCES = 200
"""Clips of a run's backgrounds that one worker holds."""
_PINK_S, _PINK_RMS = 10, 1000.0
NOT_SPEECH = frozenset(["sound", "sounds", "noise", "noises", "music"])
"""Names of negatives in which nobody talks."""


def corpus_of(examples_folder: str, input_base: str) -> str:
    """Where `find_backgrounds` and `find_negatives` look: beside the examples, where ingestion
    says what it found (of any corpus, in any span), or else in the corpus itself."""
    noted = fileio.exists(os.path.join(examples_folder, LONG_RECORDINGS_FILE))
    return examples_folder if noted else input_base


def load_stream_talkers(talkers: Sequence[Sequence[Piece]], sample_rate: int) -> list[np.ndarray]:
    """int16 `[samples]` of each talker; silence and what cannot be read are left out."""
    loaded = []
    for pieces in talkers:
        audios = []
        for piece in pieces:
            try:
                audios.append(load_piece(piece, sample_rate))
            except read.Unreadable as error:
                logging.warning("Talker %s is left out: %s", piece.path, error)
        joined = np.concatenate(audios) if audios else np.zeros(0, np.int16)
        if joined.any():
            loaded.append(joined)
    return loaded


def find_backgrounds(
    folder: str, split: Split, eval_percentage: float, test_percentage: float
) -> list[Piece]:
    """The readable backgrounds of a split, in a stable order.

    Args:
      folder: of the corpus, or with ingestion's note of its long recordings.
      split: which.
      eval_percentage, test_percentage: as in IngestParams; they split a corpus folder.

    Raises:
      KwsError: there is none.
    """
    noted = _noted(folder)
    if noted is None:
        parts = layout.backgrounds(folder, split, eval_percentage, test_percentage)
    else:
        parts = noted.backgrounds[split]
    pieces = _readable(parts)
    if not pieces:
        raise KwsError(
            f"{BACKGROUND_FOLDER} has no recording that can be read for split {split}"
            f" ({len(parts)} files found)",
            hint="put recordings of noise there, a minute or longer each: three files or more are "
            f"split by name, and {BACKGROUND_FOLDER}/{split}/ belongs to {split} alone",
        )
    return pieces


def find_negatives(
    folder: str, split: Split, eval_percentage: float, test_percentage: float
) -> list[Piece]:
    """The readable recordings without keywords of a split; often none."""
    noted = _noted(folder)
    if noted is None:
        parts = layout.negatives(folder, split, eval_percentage, test_percentage)
    else:
        parts = noted.negatives[split]
    return _readable(parts)


def find_rooms(folder: str, split: Split, count: int, seed: int) -> list[str]:
    """Paths of at most `count` recorded rooms of a split, chosen by hash; often none."""
    noted = _noted(folder)
    paths = [part.path for part in noted.rooms[split]] if noted else []

    def order(path: str) -> bytes:
        # By the end of the path, which is the same wherever the corpus lies.
        return digest(seed, "room", *path.split("/")[-3:])

    return sorted(sorted(paths, key=order)[:count])


def load_rooms(paths: Sequence[str], sample_rate: int) -> tuple[Room, ...]:
    """Recorded rooms; what cannot be read or is silent is left out."""
    rooms = []
    for path in paths:
        try:
            response = read.read_first_channel(staging.short_recording(path), sample_rate)
        except read.Unreadable as error:
            logging.warning("Room %s is left out: %s", path, error)
            continue
        if room := recorded_room(response, sample_rate, os.path.basename(path)):
            rooms.append(room)
    return tuple(rooms)


def sample_backgrounds(pieces: Sequence[Piece], seed: int) -> list[Piece]:
    """All backgrounds, or where they last longer than a worker should hold, parts of them.

    Of as many recordings as possible: each gives one part before any gives a second.
    """
    return _sample(pieces, HELD_BACKGROUND_MS, seed, by_turns=True)


def sample_talkers(negatives: Sequence[Piece], seed: int) -> list[Piece]:
    """The negatives in which people talk, or where they are too long, parts spread evenly.

    Negatives that are named after something else by their file (`sounds-03.wav`), folder or source
    (`music`) are left out.
    """
    talk = [piece for piece in negatives if not NOT_SPEECH & set(_names(piece))]
    return _sample(talk, HELD_TALK_MS, seed, by_turns=False)


def _sample(pieces: Sequence[Piece], most_ms: float, seed: int, by_turns: bool) -> list[Piece]:
    """All pieces, or where they last longer than `most_ms`, parts of them, chosen by hash."""
    if sum(piece.duration_ms for piece in pieces) <= most_ms:
        return list(pieces)
    ranked = []
    for piece in pieces:
        # Side by side from a random place on.
        count = max(int(piece.duration_ms // PART_MS), 1)
        part_ms = min(piece.duration_ms, PART_MS)
        rng = generator(seed, "part", _key(piece))
        first_ms = piece.start_ms + rng.uniform(0, piece.duration_ms - count * part_ms)
        for turn, number in enumerate(rng.permutation(count)):
            start_ms = first_ms + number * part_ms
            part = dataclasses.replace(piece, start_ms=start_ms, stop_ms=start_ms + part_ms)
            rank = digest(seed, "part", _key(piece), int(number))
            ranked.append((turn if by_turns else 0, rank, part))
    chosen, held_ms = [], 0.0
    for _, _, part in sorted(ranked, key=lambda one: one[:2]):
        if held_ms >= most_ms:
            break
        chosen.append(part)
        held_ms += part.duration_ms
    return sorted(chosen, key=lambda part: (part.path, part.start_ms))


def _names(piece: Piece) -> tuple[str, ...]:
    """What a piece is named after: its source, the beginning of its file's name, its folder."""
    folder = os.path.basename(os.path.dirname(piece.path))
    return piece.source.lower(), _collection(piece.path), folder.lower()


def _key(piece: Piece) -> str:
    """The same wherever the corpus lies."""
    return f"{piece.source}/{os.path.basename(piece.path)}@{piece.start_ms:.0f}"


def _noted(folder: str) -> LongRecordings | None:
    path = os.path.join(folder, LONG_RECORDINGS_FILE)
    if not fileio.exists(path):
        return None
    with fileio.open(path) as file:
        return LongRecordings.from_json(file.read())


def load_piece(piece: Piece, sample_rate: int) -> np.ndarray:
    """int16 mono `[samples]` of one piece at `sample_rate` Hz."""
    with staging.long_recording(piece.path) as opened:
        return read.read_window(opened, piece.start_ms, piece.duration_ms, sample_rate).audio


def load_backgrounds(pieces: Sequence[Piece], sample_rate: int) -> list[np.ndarray]:
    """The sound of backgrounds; digital silence and what breaks while it is read are left out.

    Raises:
      KwsError: nothing is left.
    """
    return _load(pieces, sample_rate, "background", "add recordings of noise")


def load_silence(split_folder: str, sample_rate: int, seed: int) -> list[np.ndarray]:
    """The sound of the `_silence_` clips among audio examples: pieces of a run's backgrounds.

    Returns:
      int16 `[samples]` each; ten seconds of pink noise where no such clip has any sound.
    """
    found = []
    for serialized in feature_reader.records(split_folder):
        # Looked for in the bytes first: most clips are words.
        if SILENCE.encode() in serialized:
            clip = clips.decode(serialized)
            if clip.label == SILENCE and clip.audio.any():
                found.append((clip.clip_id, clip.audio))
    if not found:
        pink = noise.pink(_PINK_S * sample_rate, generator(seed, "pink"))
        return [to_int16(pink * np.float32(_PINK_RMS / pink.std()))]
    return [audio for _, audio in sorted(found, key=lambda one: one[0])[:_SILENCES]]


def load_talkers(pieces: Sequence[Piece], sample_rate: int) -> list[np.ndarray]:
    """The sound of people who talk, as `load_backgrounds` otherwise; none of no pieces."""
    if not pieces:
        return []
    return _load(pieces, sample_rate, "negative", "add recordings of speech without keywords")


def _load(pieces: Sequence[Piece], sample_rate: int, what: str, hint: str) -> list[np.ndarray]:
    loaded = []
    for piece in pieces:
        try:
            audio = load_piece(piece, sample_rate)
        except read.Unreadable as error:
            logging.warning("Recording of a %s, %s, is left out: %s", what, piece.path, error)
            continue
        if audio.any():
            loaded.append(audio)
        else:
            logging.warning("Recording of a %s, %s, is left out: digital silence", what, piece.path)
    if not loaded:
        names = ", ".join(piece.path for piece in pieces)
        raise KwsError(f"no {what} can be heard: {names}", hint=hint)
    return loaded


def _readable(parts: Sequence[Part]) -> list[Piece]:
    pieces = []
    read_text = functools.cache(_text)
    for path, start_share, end_share, source in parts:
        try:
            with staging.long_recording(path) as opened:
                duration_ms = read.duration_ms(opened)
        except read.Unreadable as error:
            logging.warning("Recording %s is left out: %s", path, error)
            continue
        start_ms, stop_ms = start_share * duration_ms, end_share * duration_ms
        synthesized = is_synthesized(path, read_text)
        piece = Piece(path, start_ms, stop_ms, source or _collection(path), synthesized)
        # Less than a millisecond is no sound at all at 8 kHz and below.
        if piece.duration_ms >= 1:
            pieces.append(piece)
    return pieces


def _text(path: str) -> str | None:
    if not fileio.exists(path):
        return None
    with fileio.open(path) as file:
        return file.read()


def _collection(path: str) -> str:
    """What the file's name begins with: `speech-03.wav` gives `speech`, `84-121.flac` nothing."""
    found = re.match(r"[^\W\d_]*", os.path.basename(path))
    return found.group().lower() if found else ""
