"""Streaming accuracy as TensorFlow's speech commands tutorial counts it.

`test_streaming_accuracy` of tensorflow/examples/speech_commands compares a list of found words with
a list of spoken ones, both as `(label, time)`, and says four shares of the spoken words. Here only
to compare with it: what a user notices is said by `kws.detection.match`, whose rules differ (a hit
must come near the word's end, one detection serves one word, false accepts are counted per hour).
"""

import dataclasses
from collections.abc import Sequence

Timed = tuple[str, float]
"""A label, and when, in ms."""

TOLERANCE_MS = 1500
"""The tutorial's default."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class TutorialAccuracy:
    """Counts; the tutorial prints each as a share of the words.

    Attributes:
      words: that were said.
      matched: detections near a word: correct or wrong.
      correct: of the same label, the first at that word.
      wrong: another label, or once more at a word that had one.
      false_positives: detections near no word.
    """

    words: int
    matched: int
    correct: int
    wrong: int
    false_positives: int

    def __str__(self) -> str:
        if not self.words:
            return f"no word was said, {self.false_positives} false positives"
        shares = (
            f"{100 * count / self.words:.1f}% {name}"
            for count, name in (
                (self.matched, "matched"),
                (self.correct, "correctly"),
                (self.wrong, "wrongly"),
                (self.false_positives, "false positives"),
            )
        )
        return ", ".join(shares)


def tutorial_accuracy(
    found: Sequence[Timed], said: Sequence[Timed], tolerance_ms: float = TOLERANCE_MS
) -> TutorialAccuracy:
    """Counts, in the tutorial's way.

    Each found word is held against the first spoken one, in time, that lies at most `tolerance_ms`
    away; it is correct if the labels agree and nothing was found there before, else wrong. With
    none so near it is a false positive.

    Args:
      found: detections, in order of time.
      said: spoken words.
      tolerance_ms: on both sides.
    """
    spoken = sorted(said, key=lambda word: word[1])
    taken: set[float] = set()
    matched = correct = false_positives = 0
    for label, time_ms in found:
        near = next((word for word in spoken if abs(word[1] - time_ms) <= tolerance_ms), None)
        if near is None:
            false_positives += 1
            continue
        matched += 1
        correct += near[0] == label and near[1] not in taken
        taken.add(near[1])
    return TutorialAccuracy(
        words=len(spoken),
        matched=matched,
        correct=correct,
        wrong=matched - correct,
        false_positives=false_positives,
    )
