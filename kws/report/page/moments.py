"""The worst misses and false accepts of the test streams: which they are, and what was heard."""

import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from kws.report.page.facts import Facts
from kws.streaming.detector import keyword_indices, smooth
from kws.streaming.params import DetectorParams, MatchParams

BEFORE_MS, AFTER_MS, LONGEST_MS = 800, 700, 4000
"""Shown around a word or a detection, and in all."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Moment:
    """A piece of a stream where something went wrong.

    Attributes:
      kind: "miss", "wrong_word" or "false_accept".
      keyword: whose posterior is shown.
      word: what was really said; None in a background.
      stream: its name.
      said_ms: start and end of the word in the stream; None in a background.
      detected_ms: where it fired; None for a miss.
      score: the highest smoothed posterior of the keyword there.
      threshold: that it was held against.
      about: speaker, SNR, source, cause: what else is known.
      start_ms, end_ms: of the piece.
    """

    kind: str
    keyword: str
    word: str | None
    stream: str
    said_ms: tuple[int, int] | None
    detected_ms: int | None
    score: float
    threshold: float
    about: tuple[str, ...]
    start_ms: int
    end_ms: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Heard:
    """What a moment is drawn from.

    Attributes:
      audio: int16 `[samples]`.
      sample_rate: Hz.
      times_ms: `[n]`, of the rows in the piece.
      posteriors, smoothed: `[n]`, of the moment's keyword; smoothed is None where the rule has
        no average.
    """

    audio: np.ndarray
    sample_rate: int
    times_ms: np.ndarray
    posteriors: np.ndarray
    smoothed: np.ndarray | None


class Streams:
    """The posteriors and sounds of the test split; each stream is smoothed once."""

    def __init__(self, facts: Facts):
        self._posteriors, self._streams = facts.posteriors, facts.streams
        self._labels = list(facts.labels)
        self._detector = DetectorParams.model_validate(facts.streaming["test"]["detector"])
        self._rows: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray | None]] = {}
        self._words: dict[str, list[dict[str, Any]]] = {}

    @property
    def threshold(self) -> float:
        return self._detector.detection_threshold

    def there(self, stream: str) -> bool:
        """Its files have not been removed."""
        return self._npz(stream).is_file() and self._wav(stream).is_file()

    def word(self, stream: str, start_ms: int) -> dict[str, Any]:
        """What the ground truth knows of a word; empty where there is none."""
        if stream not in self._words:
            file = self._streams / f"{stream}.json"
            self._words[stream] = json.loads(file.read_text())["words"] if file.is_file() else []
        return next((w for w in self._words[stream] if w["start_ms"] == start_ms), {})

    def highest(self, stream: str, keyword: str, start_ms: int, end_ms: int) -> float:
        """The highest smoothed posterior of a keyword in a piece of time."""
        times, posteriors, smoothed = self._of(stream, keyword)
        inside = (times >= start_ms) & (times <= end_ms)
        values = (posteriors if smoothed is None else smoothed)[inside]
        return float(values.max(initial=0.0))

    def heard(self, moment: Moment) -> Heard:
        """Sound and posteriors of the piece."""
        times, posteriors, smoothed = self._of(moment.stream, moment.keyword)
        inside = (times >= moment.start_ms) & (times <= moment.end_ms)
        with soundfile.SoundFile(self._wav(moment.stream)) as file:
            rate = file.samplerate
            file.seek(min(file.frames, moment.start_ms * rate // 1000))
            audio = file.read((moment.end_ms - moment.start_ms) * rate // 1000, dtype="int16")
        return Heard(
            audio=audio,
            sample_rate=rate,
            times_ms=times[inside],
            posteriors=posteriors[inside],
            smoothed=None if smoothed is None else smoothed[inside],
        )

    def _of(self, stream: str, keyword: str) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        if stream not in self._rows:
            with np.load(self._npz(stream)) as stored:
                times, rows = stored["times_ms"], stored["posteriors"]
            scores = None
            if self._detector.rule != "steps":
                smoothed = smooth(times, rows, self._detector, self._labels)
                scores = np.maximum(smoothed.keyword_scores, 0)
            self._rows[stream] = times, rows, scores
        times, rows, scores = self._rows[stream]
        column = self._labels.index(keyword)
        if scores is None:
            return times, rows[:, column], None
        # Scores are of keywords only, in the order of the labels.
        place = keyword_indices(self._labels).index(column)
        return times, rows[:, column], scores[:, place]

    def _npz(self, stream: str) -> Path:
        return self._posteriors / f"{stream}.npz"

    def _wav(self, stream: str) -> Path:
        return self._streams / f"{stream}.wav"


def worst(facts: Facts, streams: Streams, most: int) -> tuple[list[Moment], list[Moment]]:
    """Misses, those first that came least near to the threshold; false accepts, the surest first.

    Args:
      facts: of the run.
      streams: of the same.
      most: of either.
    """
    known = [row for row in facts.events if streams.there(row["stream"])]
    late = MatchParams.model_validate(facts.streaming["test"]["match"]).after_ms
    misses = sorted(_misses(known, streams, late), key=lambda moment: moment.score)
    accepts = sorted(_false_accepts(known, streams), key=lambda moment: -moment.score)
    return misses[:most], accepts[:most]


def _misses(rows: Sequence[dict[str, Any]], streams: Streams, late: int) -> Iterator[Moment]:
    for row in rows:
        if row["kind"] not in ("miss", "wrong_word"):
            continue
        score = streams.highest(row["stream"], row["label"], row["start_ms"], row["end_ms"] + late)
        yield _moment(row, row["label"], score, streams)


def _false_accepts(rows: Sequence[dict[str, Any]], streams: Streams) -> Iterator[Moment]:
    for row in rows:
        if row["kind"] == "false_accept":
            yield _moment(row, row["detected"], row["score"], streams)


def _moment(row: dict[str, Any], keyword: str, score: float, streams: Streams) -> Moment:
    said = None if row.get("start_ms") is None else (row["start_ms"], row["end_ms"])
    detected = row.get("detected_ms")
    known = [*(said or ()), *([detected] if detected is not None else [])]
    start = max(0, min(known) - BEFORE_MS)
    end = min(max(known) + AFTER_MS, start + LONGEST_MS)
    truth = streams.word(row["stream"], said[0]) if said else {}
    about = []
    if truth.get("snr_db") is not None:
        about.append(f"SNR {truth['snr_db']:.0f} dB")
    about += [str(truth[key]) for key in ("speaker", "source") if truth.get(key)]
    if row.get("cause"):
        about.append(str(row["cause"]).replace("_", " "))
    if row["kind"] == "wrong_word":
        about.append(f"taken for “{row['detected']}”")
    return Moment(
        kind=row["kind"], keyword=keyword, word=row.get("word"), stream=row["stream"],
        said_ms=said, detected_ms=detected, score=score, threshold=streams.threshold,
        about=tuple(about), start_ms=start, end_ms=end,
    )  # fmt: skip
