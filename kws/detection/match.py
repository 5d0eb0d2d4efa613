"""Detections held against ground truth: hits, wrong words, misses, false accepts.

The rule is `match`, and its drawing is there; everything that counts errors on a stream uses it.
"""

import bisect
import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from kws import labels as kws_labels
from kws.detection.detector import Detection
from kws.detection.params import MatchParams

if TYPE_CHECKING:
    from kws.scenes.ground_truth import GroundTruth, Word

OutcomeKind = Literal["hit", "wrong_word", "miss"]
Cause = Literal["wrong_word", "repeat", "unknown_word", "background"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one keyword in the ground truth.

    Attributes:
      word: the keyword as it was said.
      kind: `hit`, `wrong_word` (another keyword was detected instead) or `miss`.
      detection: the one that belongs to it; None for a miss.
      latency_ms: from the word's end to the hit (negative: before its end); None unless a hit.
    """

    word: "Word"
    kind: OutcomeKind
    detection: Detection | None
    latency_ms: int | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class FalseAccept:
    """A detection of what was not said.

    Attributes:
      detection: the detection.
      cause: `wrong_word`: instead of another keyword; `repeat`: once more in the window of a
        keyword that has its detection; `unknown_word`: in the window of a word that is no
        keyword; `background`: in no word's window.
      word: the word in whose window it lies; None for `background`.
    """

    detection: Detection
    cause: Cause
    word: "Word | None"


@dataclasses.dataclass(frozen=True, kw_only=True)
class MatchedStream:
    """One stream, judged: an outcome for every keyword said, in order, and the false accepts."""

    outcomes: list[Outcome]
    false_accepts: list[FalseAccept]


def match(
    detections: Sequence[Detection], truth: "GroundTruth", params: MatchParams
) -> MatchedStream:
    """Assigns at most one detection to each word, and at most one word to each detection.

    A detection counts at its `end_ms`. A word's window reaches from `before_ms` before its start
    to `after_ms` after its end, both ends included:

        said            |--- yes ---|              |--- tree ---|          |--- no ---|
        window      [bb |           | aaaaaaa] [bb |            | aaaaaaa]

        detected             yes                           no        no
                             |                             |         |
                             hit, latency < 0              |         repeat: false accept
                                                           |
                   wrong word: "yes" was said, "no" detected:
                   a miss of the one and a false accept of the other

        said            |--- yes ---|         |-- (bed) --|        (nothing said)
        detected                                    yes                  yes
                    miss                      false accept         false accept
                                              (unknown_word)       (background)

    In this order:

    1. Hits. Detections are taken in time; each claims, among the words of its own label whose
       window holds it and which are unclaimed, the one whose window closes first. (No other
       assignment finds more hits.)
    2. Wrong words. Each detection left over, in time, claims the unclaimed keyword whose window
       holds it; of several, the one that ends last.
    3. False accepts are all that is left, and the wrong words as well: a device acted on what was
       not said. A second detection of a word is one, too (`repeat`): the device acted twice.

    A keyword that claimed no hit is missed, with or without a wrong word.
    """
    ordered = sorted(detections, key=lambda detection: detection.end_ms)
    keywords = _Windows([w for w in truth.words if w.label not in kws_labels.RESERVED], params)
    others = _Windows([w for w in truth.words if w.label == kws_labels.UNKNOWN], params)
    claims: dict[int, tuple[OutcomeKind, Detection]] = {}

    left_over = []
    for detection in ordered:
        open_words = [
            i
            for i in keywords.holding(detection.end_ms)
            if i not in claims and keywords.words[i].label == detection.label
        ]
        if open_words:
            claims[min(open_words, key=lambda i: keywords.words[i].end_ms)] = ("hit", detection)
        else:
            left_over.append(detection)

    false_accepts = []
    for detection in left_over:
        holding = keywords.holding(detection.end_ms)
        open_words = [i for i in holding if i not in claims]
        cause: Cause
        word: Word | None
        if open_words:
            claimed = max(open_words, key=lambda i: keywords.words[i].end_ms)
            # A word of the same label would have been claimed as a hit: this is another one.
            claims[claimed] = ("wrong_word", detection)
            cause, word = "wrong_word", keywords.words[claimed]
        elif holding:
            cause, word = "repeat", keywords.words[holding[-1]]
        elif unknown := others.holding(detection.end_ms):
            cause, word = "unknown_word", others.words[unknown[-1]]
        else:
            cause, word = "background", None
        false_accepts.append(FalseAccept(detection=detection, cause=cause, word=word))

    outcomes = [_outcome(word, claims.get(i)) for i, word in enumerate(keywords.words)]
    return MatchedStream(outcomes=outcomes, false_accepts=false_accepts)


def _outcome(word: "Word", claim: tuple[OutcomeKind, Detection] | None) -> Outcome:
    if claim is None:
        return Outcome(word=word, kind="miss", detection=None, latency_ms=None)
    kind, detection = claim
    latency_ms = round(detection.end_ms - word.end_ms) if kind == "hit" else None
    return Outcome(word=word, kind=kind, detection=detection, latency_ms=latency_ms)


class _Windows:
    """Words by time, and which of their windows hold a moment."""

    def __init__(self, words: Sequence["Word"], params: MatchParams):
        self.words = sorted(words, key=lambda word: (word.start_ms, word.end_ms))
        self._opens = [word.start_ms - params.before_ms for word in self.words]
        self._closes = [word.end_ms + params.after_ms for word in self.words]
        self._longest_ms = max(
            (close - open_ for open_, close in zip(self._opens, self._closes, strict=True)),
            default=0,
        )

    def holding(self, time_ms: float) -> list[int]:
        """Indices of the words whose window holds the moment, in order of their start."""
        first = bisect.bisect_left(self._opens, time_ms - self._longest_ms)
        last = bisect.bisect_right(self._opens, time_ms)
        return [i for i in range(first, last) if self._closes[i] >= time_ms]
