"""Hard negatives: what a model wrongly accepts in the training split's streams is fed back to it.

The streams are laid of the training split's own words and recordings, so nothing of eval or test is
ever looked at. A model that was trained once is run over them as a device would run it; every false
accept gives one window of features, cut out of the stream's features (warm: the frontend's noise
estimate carries through the stream), with the label that it should have got:

    another keyword's                where a keyword was taken for another, and the window holds all
                                     of it
    `_unknown_`                      where other words, or recordings without keywords, were heard
    `_silence_`                      where nothing lies over the background

A window that holds a part of a keyword is left out, for it is neither the keyword nor anything
else; so is a second detection of the same word. (Hard example mining by false positives is as old
as Sung and Poggio, "Example-based learning for view-based human face detection", 1998, section
2.4.2: "bootstrapping".)
"""

import collections
import dataclasses
import hashlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pydantic

from kws.detection.detector import detect
from kws.detection.match import FalseAccept, match
from kws.detection.params import DetectorParams, MatchParams
from kws.features.example import FeatureExample, snr_bucket
from kws.features.params import FeatureParams
from kws.labels import RESERVED, SILENCE, UNKNOWN
from kws.params import Params

if TYPE_CHECKING:
    from kws.scenes.ground_truth import GroundTruth, Word

SOURCE = "mined"
"""The `source` and `augmentation` of mined examples, to tell them apart in every figure."""
KEYWORD_MARGIN_MS = 150
"""Of a keyword before and after its active speech: soft sounds that belong to it, too."""


class MiningParams(Params):
    """Hard negatives for a second training; its base is the first."""

    minutes: float = pydantic.Field(
        30.0, gt=0, description="of words over background, laid of the training split to be mined"
    )
    negatives_minutes: float = pydantic.Field(
        120.0, ge=0, description="of the training split's recordings without keywords, or all"
    )
    threshold: float = pydantic.Field(
        0.5, gt=0, lt=1, description="what the detector accepts while mining; lower finds more"
    )
    max_examples: int = pydantic.Field(
        1000, ge=1, description="a round; of more, those with the highest scores are taken"
    )
    rounds: int = pydantic.Field(1, ge=1, le=4, description="of mining and training again")
    epochs: int | None = pydantic.Field(
        None, ge=1, description="of each training after the first; None: training.epochs"
    )
    learning_rate: float | None = pydantic.Field(
        None, gt=0, description="likewise, the peak; None: training.learning_rate"
    )


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class HardNegative:
    """One false accept as an example.

    Attributes:
      example: the window's features, with the label that is right.
      score: of the detector, higher is harder.
      detected: the keyword that was wrongly accepted.
    """

    example: FeatureExample
    score: float
    detected: str


def mine_stream(
    features: np.ndarray,
    times_ms: np.ndarray,
    posteriors: np.ndarray,
    truth: "GroundTruth",
    labels: Sequence[str],
    params: FeatureParams,
    detector: DetectorParams,
    match_params: MatchParams,
) -> list[HardNegative]:
    """The false accepts of one stream as examples, in the order of time.

    Args:
      features: of the whole stream, `[stream frames, channels]`.
      times_ms: `[n]`, what `stream_posteriors` gave for it.
      posteriors: `[n, labels]`, likewise.
      truth: what was said.
      labels: of the outputs.
      params: of the features.
      detector: with the threshold at which false accepts are looked for; its `clip_stride_ms` is
        that of the posteriors.
      match_params: when a detection counts as a hit.
    """
    frames = params.feature_shape[0]
    stride_frames = int(detector.clip_stride_ms // params.window_stride_ms)
    span_ms = round((frames - 1) * params.window_stride_ms + params.window_size_ms)
    found = []
    detections = detect(times_ms, posteriors, detector, labels)
    for accept in match(detections, truth, match_params).false_accepts:
        detection = accept.detection
        averaged = np.flatnonzero((times_ms >= detection.start_ms) & (times_ms <= detection.end_ms))
        # Of the windows that were averaged, the one that says the keyword loudest.
        scores = posteriors[averaged, list(labels).index(detection.label)]
        row = int(averaged[scores.argmax()])
        end_ms = int(times_ms[row])
        word, label = _truth_of(accept, end_ms - span_ms, end_ms, truth)
        if label is None:
            continue
        first = row * stride_frames
        found.append(
            HardNegative(
                example=_example(features[first : first + frames], label, word, labels, truth, row),
                score=detection.score,
                detected=detection.label,
            )
        )
    return found


def hardest(found: Iterable[HardNegative], count: int) -> list[HardNegative]:
    """At most `count`, those with the highest scores; the same in whatever order they come."""
    return sorted(found, key=lambda hard: (-hard.score, hard.example.clip_id))[:count]


def summary(found: Sequence[HardNegative]) -> dict[str, Any]:
    """For `mined.json`: how many of each label, and which words are taken for which keyword."""
    labels = collections.Counter(hard.example.label for hard in found)
    confused = collections.Counter(
        (hard.example.word or hard.example.label, hard.detected) for hard in found
    )
    return {
        "examples": len(found),
        "labels": dict(sorted(labels.items())),
        "taken_for": [
            {"said": said, "detected": detected, "count": count}
            for (said, detected), count in sorted(
                confused.items(), key=lambda item: (-item[1], item[0])
            )
        ],
    }


def _truth_of(
    accept: FalseAccept, start_ms: int, end_ms: int, truth: "GroundTruth"
) -> "tuple[Word | None, str | None]":
    """The word that a window holds, and the label that it should get; None: it makes no example."""
    margin = {True: KEYWORD_MARGIN_MS, False: 0}
    inside = [
        word
        for word in truth.words
        if word.start_ms - margin[word.label not in RESERVED] < end_ms
        and word.end_ms + margin[word.label not in RESERVED] > start_ms
    ]
    keywords = [word for word in inside if word.label not in RESERVED]
    if keywords:
        (word, *more) = keywords
        whole = start_ms <= word.start_ms and word.end_ms <= end_ms
        right = accept.cause == "wrong_word" and not more and whole
        return (word, word.label) if right and word == accept.word else (None, None)
    if inside:
        return inside[-1], UNKNOWN
    in_negatives = truth.kind == "negatives" or any(
        span.start_ms < end_ms and span.end_ms > start_ms for span in truth.negatives
    )
    return None, UNKNOWN if in_negatives else SILENCE


def _example(
    window: np.ndarray,
    label: str,
    word: "Word | None",
    labels: Sequence[str],
    truth: "GroundTruth",
    row: int,
) -> FeatureExample:
    digest = hashlib.sha256(f"{truth.stream_id}/{row}/".encode() + window.tobytes())
    return FeatureExample(
        features=window.copy(),
        label_index=list(labels).index(label),
        label=label,
        word=word.word if word else "",
        speaker=word.speaker if word else "",
        source=SOURCE,
        snr_bucket=snr_bucket(word.snr_db if word else None),
        augmentation=SOURCE,
        novelty={SILENCE: "silence", UNKNOWN: "heard"}.get(label, "keyword"),
        clip_id=digest.hexdigest()[:16],
    )
