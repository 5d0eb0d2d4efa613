"""Evaluates posteriors of streams against their ground truth, as a user would experience them.

False accepts are reported by the sound during which they happened:

    keywords      in the window of a keyword: another one was detected, or the same once more
    near_words    in the window of another word that sounds like the detected keyword
    other_words   in the window of any other word
    background    between the words of a stream of words: its background noise
    negatives     in a recording without keywords; `negatives/<collection>` where the ground truth
                  names the collection

Negatives are also separated into recorded and synthesized ones (`accepts_of_negatives`). The first
four share the hours of the streams of words; every collection of negatives has its own hours. A
false accept counts where the detector fired.
"""

import collections
import dataclasses
import functools
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

from kws.detection.det import DetCurves, candidate_thresholds, det_curves
from kws.detection.detector import Detection, detect, keyword_indices
from kws.detection.match import FalseAccept, MatchedStream, Outcome, match
from kws.detection.params import DetectorParams, MatchParams
from kws.detection.posteriors import StreamPosteriors
from kws.detection.rates import (
    KINDS,
    MS_PER_HOUR,
    Figures,
    HourlyRate,
    count,
    hourly_rate,
    recorded_speech_caveat,
)
from kws.errors import KwsError
from kws.scenes.params import in_order

if TYPE_CHECKING:
    from kws.scenes.ground_truth import GroundTruth, Span


Origin = Literal["recorded", "synthesized"]
IN_WORDS = ("keywords", "near_words", "other_words", "background")
NEGATIVES = "negatives"
NEAR = 0.85
"""Of `kws.voices.phonetics`: a vowel changed, or a consonant for one of another place ("step" for
"stop", "commuter" for "computer"); "bed" for "yes" is farther."""


def false_accepts_by_source(
    judged: Iterable[tuple["GroundTruth", MatchedStream]],
) -> dict[str, HourlyRate]:
    """False accepts per hour by source; the counts add up to all false accepts.

    A source that had no time to be heard is left out.
    """
    counts: collections.Counter[str] = collections.Counter()
    heard_ms: dict[str, float] = collections.defaultdict(float)
    for truth, matched in judged:
        for source, duration_ms in _durations_ms(truth).items():
            heard_ms[source] += duration_ms
        counts.update(source_of(accept, truth) for accept in matched.false_accepts)
    return {
        source: hourly_rate(counts[source], heard_ms[source] / MS_PER_HOUR)
        for source in sorted(heard_ms, key=_rank)
    }


def accepts_of_negatives(
    judged: Iterable[tuple["GroundTruth", MatchedStream]],
) -> dict[Origin, HourlyRate]:
    """False accepts per hour while nobody said a keyword: of recordings, and of synthesized speech.

    Only the former say what the model does in the world. Either may have no time at all. What
    the ground truth does not mark as synthesized is recorded.
    """
    counts: collections.Counter[Origin] = collections.Counter()
    duration_ms: collections.Counter[Origin] = collections.Counter()
    for truth, matched in judged:
        for span in truth.negatives:
            duration_ms[_origin(span)] += span.end_ms - span.start_ms
        if truth.kind == "negatives":
            marked_ms = sum(span.end_ms - span.start_ms for span in truth.negatives)
            duration_ms["recorded"] += max(0, truth.duration_ms - marked_ms)
        for accept in matched.false_accepts:
            at_ms = accept.detection.end_ms
            inside = [s for s in truth.negatives if s.start_ms < at_ms <= s.end_ms]
            if inside or truth.kind == "negatives":
                counts[_origin(inside[0]) if inside else "recorded"] += 1
    return {
        origin: hourly_rate(counts[origin], duration_ms[origin] / MS_PER_HOUR)
        for origin in get_args(Origin)
    }


def _origin(span: "Span") -> Origin:
    return "synthesized" if span.synthesized else "recorded"


def source_of(accept: FalseAccept, truth: "GroundTruth") -> str:
    """The source of one false accept, as above."""
    at_ms = accept.detection.end_ms
    inside = [span for span in truth.negatives if span.start_ms < at_ms <= span.end_ms]
    if inside:
        return _negatives(inside[0].source)
    if truth.kind == "negatives":
        return NEGATIVES
    if accept.cause == "background":
        return "background"
    if accept.cause == "unknown_word":
        near = accept.word is not None and sounds_like(accept.word.word, accept.detection.label)
        return "near_words" if near else "other_words"
    return "keywords"


@functools.lru_cache(maxsize=10_000)
def sounds_like(word: str, keyword: str) -> bool:
    """Whether a part of what was said, or all, is nearly the keyword; False if it is not English.

    Its first call takes two seconds: the rules of pronunciation are read.
    """
    from kws.voices import phonetics, pronounce

    try:
        return phonetics.heard_in(pronounce.word(keyword), pronounce.word(word)) <= NEAR
    except KwsError:
        return False


def _durations_ms(truth: "GroundTruth") -> dict[str, float]:
    durations: dict[str, float] = collections.defaultdict(float)
    for span in truth.negatives:
        durations[_negatives(span.source)] += span.end_ms - span.start_ms
    rest_ms = truth.duration_ms - sum(durations.values())
    if truth.kind == "words":
        return {**dict.fromkeys(IN_WORDS, rest_ms), **durations}
    if rest_ms > 0:
        durations[NEGATIVES] += rest_ms
    return durations


def _negatives(collection: str) -> str:
    return f"{NEGATIVES}/{collection}" if collection else NEGATIVES


def _rank(source: str) -> tuple[int, str]:
    place = IN_WORDS.index(source) if source in IN_WORDS else len(IN_WORDS)
    return place, source


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
      false_accepts_by_source: by what was heard when they fired, see `kws.detection.evaluate`.
      negatives: false accepts and hours of recorded and of synthesized negatives.
      det: the same streams at every threshold.
      detector: its settings.
      match: when a detection counts as a hit.
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
