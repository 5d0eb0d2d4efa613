"""Streams of posteriors and their ground truth in, a report of what a user would notice out."""

import collections
import dataclasses
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from kws.scenes.params import in_order
from kws.streaming.det import DetCurves, candidate_thresholds, det_curves
from kws.streaming.detector import Detection, detect, keyword_indices
from kws.streaming.exposure import recorded_speech_caveat
from kws.streaming.figures import KINDS, Figures, count
from kws.streaming.match import FalseAccept, MatchedStream, Outcome, match
from kws.streaming.params import DetectorParams, MatchParams
from kws.streaming.rates import MS_PER_HOUR, HourlyRate
from kws.streaming.scored_stream import StreamPosteriors
from kws.streaming.sources import Origin, accepts_of_negatives, false_accepts_by_source

if TYPE_CHECKING:
    from kws.scenes.ground_truth import GroundTruth


@dataclasses.dataclass(frozen=True, kw_only=True)
class StreamingReport:
    """A detector judged on streams.

    Attributes:
      total: over all keywords.
      per_keyword: by keyword; a false accept belongs to the keyword that was detected.
      per_condition: by condition, over the streams of words laid in it; empty for a mixture.
      confusions: (said, detected) -> wrong words.
      matched: by stream id, in the order given: every outcome and false accept.
      hours: of each kind of stream.
      false_accepts_by_source: by what was heard when they fired, see `kws.streaming.sources`.
      negatives: false accepts and hours of recorded and of synthesized negatives.
      det: the same streams at every threshold.
      detector, match: the settings.
    """

    total: Figures
    per_keyword: dict[str, Figures]
    per_condition: dict[str, Figures]
    confusions: dict[tuple[str, str], int]
    matched: dict[str, MatchedStream]
    hours: dict[str, float]
    false_accepts_by_source: dict[str, HourlyRate]
    negatives: dict[Origin, HourlyRate]
    det: DetCurves
    detector: DetectorParams
    match: MatchParams

    @property
    def caveats(self) -> list[str]:
        """What the figures do not show, a sentence each, for whoever reads them."""
        hours = (self.negatives[origin].exposure for origin in ("recorded", "synthesized"))
        caveat = recorded_speech_caveat(*hours)
        return [caveat] if caveat else []

    def to_dict(self) -> dict[str, Any]:
        """For `evaluation.json`: all but the single events, which `events` lists."""
        return {
            "total": self.total.to_dict(),
            "per_keyword": {label: f.to_dict() for label, f in self.per_keyword.items()},
            "per_condition": {name: f.to_dict() for name, f in self.per_condition.items()},
            "confusions": [
                {"said": said, "detected": detected, "count": count}
                for (said, detected), count in sorted(self.confusions.items())
            ],
            "hours": self.hours,
            "false_accepts_by_source": {
                source: rate.to_dict() for source, rate in self.false_accepts_by_source.items()
            },
            "negatives": {origin: rate.to_dict() for origin, rate in self.negatives.items()},
            "caveats": self.caveats,
            "det": self.det.to_dict(),
            "streams": len(self.matched),
            "detector": self.detector.model_dump(),
            "match": self.match.model_dump(),
        }

    def events(self) -> Iterable[dict[str, Any]]:
        """One row for each word and each false accept, by stream and time: `detections.jsonl`.

        A wrong word gives one row, not two.
        """
        for stream_id, matched in self.matched.items():
            rows = [
                _row(outcome.kind, outcome.word, outcome.detection)
                | {"latency_ms": outcome.latency_ms}
                for outcome in matched.outcomes
            ]
            rows += [
                _row("false_accept", accept.word, accept.detection) | {"cause": accept.cause}
                for accept in matched.false_accepts
                if accept.cause != "wrong_word"
            ]
            rows.sort(key=lambda row: row["detected_ms"] or row["end_ms"])
            yield from ({"stream": stream_id, **row} for row in rows)


def evaluate_streams(
    streams: Sequence[StreamPosteriors],
    labels: Sequence[str],
    detector: DetectorParams,
    match_params: MatchParams,
) -> StreamingReport:
    """Detects, matches and counts.

    Args:
      streams: any number, of both kinds.
      labels: of the model's outputs.
      detector: the operating point.
      match_params: when a detection counts as a hit.

    Raises:
      ValueError: two streams have the same id.
    """
    matched: dict[str, MatchedStream] = {}
    every = _Counted()
    by_condition: dict[str, _Counted] = collections.defaultdict(_Counted)
    for stream in streams:
        truth = stream.truth
        if truth.stream_id in matched:
            raise ValueError(f"stream_id={truth.stream_id!r} occurs twice")
        detections = detect(stream.times_ms, stream.posteriors, detector, labels)
        matched[truth.stream_id] = one = match(detections, truth, match_params)
        every.add(truth, one)
        if truth.condition:
            by_condition[truth.condition].add(truth, one)
    outcomes, accepts, hours = every.outcomes, every.accepts, every.hours

    keywords = [labels[i] for i in keyword_indices(labels)]
    said = dict.fromkeys([*keywords, *(outcome.word.label for outcome in outcomes)])
    confusions = collections.Counter(
        (outcome.word.label, outcome.detection.label)
        for outcome in outcomes
        if outcome.kind == "wrong_word" and outcome.detection is not None
    )
    per_keyword = {
        label: count(
            [outcome for outcome in outcomes if outcome.word.label == label],
            {
                kind: [accept for accept in some if accept.detection.label == label]
                for kind, some in accepts.items()
            },
            hours,
        )
        for label in said
    }
    judged = [(stream.truth, matched[stream.truth.stream_id]) for stream in streams]
    return StreamingReport(
        total=every.figures(),
        per_keyword=per_keyword,
        per_condition={name: by_condition[name].figures() for name in in_order(by_condition)},
        confusions=dict(confusions),
        matched=matched,
        hours=hours,
        false_accepts_by_source=false_accepts_by_source(judged),
        negatives=accepts_of_negatives(judged),
        det=det_curves(streams, labels, detector, match_params, candidate_thresholds(detector)),
        detector=detector,
        match=match_params,
    )


class _Counted:
    """Outcomes, and false accepts and hours by kind of stream, of the streams added."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self.accepts: dict[str, list[FalseAccept]] = {kind: [] for kind in KINDS}
        self.hours = dict.fromkeys(KINDS, 0.0)

    def add(self, truth: "GroundTruth", matched: MatchedStream) -> None:
        self.hours[truth.kind] += truth.duration_ms / MS_PER_HOUR
        self.outcomes += matched.outcomes
        self.accepts[truth.kind] += matched.false_accepts

    def figures(self) -> Figures:
        return count(self.outcomes, self.accepts, self.hours)


def _row(kind: str, word: Any, detection: Detection | None) -> dict[str, Any]:
    return {
        "kind": kind,
        "label": word.label if word else None,
        "word": word.word if word else None,
        "start_ms": word.start_ms if word else None,
        "end_ms": word.end_ms if word else None,
        "clip_id": word.clip_id if word else None,
        "detected": detection.label if detection else None,
        "detected_ms": detection.end_ms if detection else None,
        "score": round(detection.score, 6) if detection else None,
    }
