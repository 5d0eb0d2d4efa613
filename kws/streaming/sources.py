"""What false accepts are made of: the sounds during which they happened, and the hours of each.

    keywords      in the window of a keyword: another one was detected, or the same once more
    near_words    in the window of another word that sounds like the keyword detected
    other_words   in the window of any other word
    background    between the words of a stream of words: its background noise
    negatives     in a recording without keywords; `negatives/<collection>` where the ground truth
                  says which collection the recording is from

Negatives are also told apart by whether they are recorded or synthesized (`accepts_of_negatives`).

The first four share the hours of the streams of words, in which they happened; every collection of
negatives has hours of its own. A false accept counts where it fired.
"""

import collections
import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, get_args

from kws.errors import KwsError
from kws.streaming.match import FalseAccept, MatchedStream
from kws.streaming.rates import MS_PER_HOUR, HourlyRate, hourly_rate

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
