"""Before and after a personalisation: what was won on the user's clips, and lost elsewhere."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from kws.features.example import FeatureExample
from kws.labels import RESERVED
from kws.streaming.rates import Share, share


class Scoring(Protocol):
    """What is asked of a model; `kws.micro.load.load_folder` gives one."""

    labels: list[str]

    def posteriors(self, features: np.ndarray) -> np.ndarray:
        """float32 `[n, labels]` of `[n, frames, channels]`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Heard:
    """A model on some examples.

    Attributes:
      right: share of examples whose label has the highest posterior.
      false_positives: share of the examples of no keyword that were taken for one.
      mean_score: of the right label, over all examples: finer than a share of few.
    """

    right: Share
    false_positives: Share
    mean_score: float

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "right": self.right.to_dict(),
            "false_positives": self.false_positives.to_dict(),
            "mean_score": None if math.isnan(self.mean_score) else self.mean_score,
        }


Pair = tuple[Heard, Heard]
"""Before and after."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Comparison:
    """The int8 model before and after, on the same examples.

    Attributes:
      held_out: the user's clips that were kept back, as they are; None without any.
      in_noise: their noisy copies; None without any.
      original: the run's test split.
    """

    held_out: Pair | None
    in_noise: Pair | None
    original: Pair

    def to_dict(self) -> dict[str, Any]:
        """For `evaluation.json`."""
        return {
            name: {
                when: heard.to_dict() for when, heard in zip(("before", "after"), pair, strict=True)
            }
            for name in ("held_out", "in_noise", "original")
            if (pair := getattr(self, name)) is not None
        }


def compare(
    before: Scoring,
    after: Scoring,
    held_out: Sequence[FeatureExample],
    original: Sequence[FeatureExample],
) -> Comparison:
    """Scores two models on the user's held-out examples and on the original ones."""

    def both(examples: Sequence[FeatureExample]) -> Pair | None:
        if not examples:
            return None
        return hear(before, examples), hear(after, examples)

    judged = both(original)
    assert judged is not None  # a run has a test split: nothing is pushed without
    return Comparison(
        held_out=both([one for one in held_out if one.augmentation == "none"]),
        in_noise=both([one for one in held_out if one.augmentation != "none"]),
        original=judged,
    )


def hear(model: Scoring, examples: Sequence[FeatureExample]) -> Heard:
    """Judges a model on examples."""
    posteriors = model.posteriors(np.stack([example.features for example in examples]))
    truth = np.array([example.label_index for example in examples])
    answers = posteriors.argmax(axis=1)
    keywords = [i for i, label in enumerate(model.labels) if label not in RESERVED]
    others = ~np.isin(truth, keywords)
    return Heard(
        right=share(int((answers == truth).sum()), len(truth)),
        false_positives=share(int(np.isin(answers[others], keywords).sum()), int(others.sum())),
        mean_score=float(posteriors[np.arange(len(truth)), truth].mean()),
    )


def worse(comparison: Comparison, max_drop: float) -> list[str]:
    """What speaks against the new model, a sentence each; empty where nothing does.

    Args:
      comparison: of the two.
      max_drop: accuracy that may be lost on the original split, and false positives won there.
    """
    before, after = comparison.original
    found = []
    # The tolerance is for binary fractions: a change of exactly the limit is allowed.
    if before.right.estimate - after.right.estimate > max_drop + 1e-9:
        found.append(
            f"accuracy on the original test split fell from {before.right.estimate:.1%} to "
            f"{after.right.estimate:.1%}, by more than max_drop={max_drop:g}"
        )
    if after.false_positives.estimate - before.false_positives.estimate > max_drop + 1e-9:
        found.append(
            "other words and sounds of the original test split taken for a keyword rose from "
            f"{before.false_positives.estimate:.1%} to {after.false_positives.estimate:.1%}, by "
            f"more than max_drop={max_drop:g}"
        )
    pairs = [pair for pair in (comparison.held_out, comparison.in_noise) if pair is not None]
    was, now = (sum(pair[when].right.count for pair in pairs) for when in (0, 1))
    if now < was:
        found.append(
            f"the clips that were kept back, and their noisy copies, are recognised {now} times, "
            f"before {was} times: nothing was won"
        )
    return found
