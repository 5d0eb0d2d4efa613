"""The worst misses and false accepts of the test streams: their times, scores and audio."""

import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from kws.detection.detector import keyword_indices, smooth
from kws.detection.params import DetectorParams, MatchParams
from kws.report.report_data import ReportData

BEFORE_MS, AFTER_MS, LONGEST_MS = 800, 700, 4000
"""Context before and after a word or a detection, and the longest example."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ErrorExample:
    """A section of a stream with an error in it.

    Attributes:
      kind: "miss", "wrong_word" or "false_accept".
      keyword: whose posterior is shown.
      word: that was spoken; None in a background.
      stream: its name.
      word_ms: start and end of the word in the stream; None in a background.
      detected_ms: time of the detection; None for a miss.
      score: the highest smoothed posterior of the keyword there.
      threshold: of the detector.
      details: speaker, SNR, source, cause: what else is known.
      start_ms: where the section begins in the stream.
      end_ms: where it ends.
    """

    kind: str
    keyword: str
    word: str | None
    stream: str
    word_ms: tuple[int, int] | None
    detected_ms: int | None
    score: float
    threshold: float
    details: tuple[str, ...]
    start_ms: int
    end_ms: int

    @property
    def title(self) -> str:
        """`“yes” missed (0.31 of 0.60)`."""
        score = f"{self.score:.2f} of {self.threshold:.2f}"
        if self.kind != "false_accept":
            return f"“{self.keyword}” missed ({score})"
        where = f"“{self.word}”" if self.word else "the background"
        return f"“{self.keyword}” detected in {where} ({score})"

    @property
    def place(self) -> str:
        """`words-test-00, 1:02.3`: the stream, and the time of the word or detection in it."""
        seconds = (self.word_ms or (self.detected_ms or 0,))[0] / 1000
        return f"{self.stream}, {int(seconds // 60)}:{seconds % 60:04.1f}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Excerpt:
    """Audio and posteriors of an error example.

    Attributes:
      audio: int16 `[samples]`.
      sample_rate: Hz.
      times_ms: `[n]`, of the posteriors.
      posteriors: `[n]`, of the example's keyword.
      smoothed: `[n]`, the same smoothed; None if the detector's rule does not average.
    """

    audio: np.ndarray
    sample_rate: int
    times_ms: np.ndarray
    posteriors: np.ndarray
    smoothed: np.ndarray | None


class StreamReader:
    """Posteriors and audio of the test split; each stream is smoothed once."""

    def __init__(self, data: ReportData):
        self._posteriors, self._streams = data.posteriors, data.streams
        self._labels = list(data.labels)
        self._detector = DetectorParams.model_validate(data.streaming["test"]["detector"])
        self._rows: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray | None]] = {}
        self._words: dict[str, list[dict[str, Any]]] = {}

    @property
    def threshold(self) -> float:
        return self._detector.detection_threshold

    def exists(self, stream: str) -> bool:
        """Whether the stream's files are still there."""
        return self._npz(stream).is_file() and self._wav(stream).is_file()

    def word(self, stream: str, start_ms: int) -> dict[str, Any]:
        """The ground truth of the word that starts there; empty if there is none."""
        if stream not in self._words:
            file = self._streams / f"{stream}.json"
            self._words[stream] = json.loads(file.read_text())["words"] if file.is_file() else []
        return next((w for w in self._words[stream] if w["start_ms"] == start_ms), {})

    def highest_score(self, stream: str, keyword: str, start_ms: int, end_ms: int) -> float:
        """The highest smoothed posterior of a keyword between two times."""
        times, posteriors, smoothed = self._scores(stream, keyword)
        inside = (times >= start_ms) & (times <= end_ms)
        values = (posteriors if smoothed is None else smoothed)[inside]
        return float(values.max(initial=0.0))

    def excerpt(self, example: ErrorExample) -> Excerpt:
        """Audio and posteriors of the example."""
        times, posteriors, smoothed = self._scores(example.stream, example.keyword)
        inside = (times >= example.start_ms) & (times <= example.end_ms)
        with soundfile.SoundFile(self._wav(example.stream)) as file:
            rate = file.samplerate
            file.seek(min(file.frames, example.start_ms * rate // 1000))
            audio = file.read((example.end_ms - example.start_ms) * rate // 1000, dtype="int16")
        return Excerpt(
            audio=audio,
            sample_rate=rate,
            times_ms=times[inside],
            posteriors=posteriors[inside],
            smoothed=None if smoothed is None else smoothed[inside],
        )

    def _scores(
        self, stream: str, keyword: str
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
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


def worst_errors(
    data: ReportData, streams: StreamReader, most: int
) -> tuple[list[ErrorExample], list[ErrorExample]]:
    """Misses with the lowest scores first, and false accepts with the highest scores first.

    Args:
      data: of the run.
      streams: of the same run.
      most: examples of either kind.
    """
    known = [row for row in data.events if streams.exists(row["stream"])]
    after_ms = MatchParams.model_validate(data.streaming["test"]["match"]).after_ms
    misses = sorted(_misses(known, streams, after_ms), key=lambda example: example.score)
    accepts = sorted(_false_accepts(known, streams), key=lambda example: -example.score)
    return misses[:most], accepts[:most]


def _misses(
    rows: Sequence[dict[str, Any]], streams: StreamReader, after_ms: int
) -> Iterator[ErrorExample]:
    for row in rows:
        if row["kind"] in ("miss", "wrong_word"):
            end_ms = row["end_ms"] + after_ms
            score = streams.highest_score(row["stream"], row["label"], row["start_ms"], end_ms)
            yield _example(row, row["label"], score, streams)


def _false_accepts(rows: Sequence[dict[str, Any]], streams: StreamReader) -> Iterator[ErrorExample]:
    for row in rows:
        if row["kind"] == "false_accept":
            yield _example(row, row["detected"], row["score"], streams)


def _example(
    row: dict[str, Any], keyword: str, score: float, streams: StreamReader
) -> ErrorExample:
    word_ms = None if row.get("start_ms") is None else (row["start_ms"], row["end_ms"])
    detected = row.get("detected_ms")
    times = [*(word_ms or ()), *([detected] if detected is not None else [])]
    start = max(0, min(times) - BEFORE_MS)
    end = min(max(times) + AFTER_MS, start + LONGEST_MS)
    truth = streams.word(row["stream"], word_ms[0]) if word_ms else {}
    details = []
    if truth.get("snr_db") is not None:
        details.append(f"SNR {truth['snr_db']:.0f} dB")
    details += [str(truth[key]) for key in ("speaker", "source") if truth.get(key)]
    if row.get("cause"):
        details.append(str(row["cause"]).replace("_", " "))
    if row["kind"] == "wrong_word":
        details.append(f"detected as “{row['detected']}”")
    return ErrorExample(
        kind=row["kind"], keyword=keyword, word=row.get("word"), stream=row["stream"],
        word_ms=word_ms, detected_ms=detected, score=score, threshold=streams.threshold,
        details=tuple(details), start_ms=start, end_ms=end,
    )  # fmt: skip
