"""Compares a candidate with the last blessed model on the same streams: is it shown to be worse?

Both models get the same words and the same hours, so they are compared pair by pair. Errors that
both or neither made say nothing about a difference; only errors of one of them count:

- Misses: words that one detected and the other missed. If the models were equally good, each such
  word would be the candidate's miss with probability one half: McNemar's exact test (Q. McNemar,
  Psychometrika 12, 1947), one-sided.
- False accepts: two within `SAME_MS` of each other are one event that fooled both models. The
  remaining ones occur in the same hours at two rates; given their sum, the candidate's count is
  binomial with one half if the rates are equal (J. Przyborowski and H. Wilenski, "Homogeneity of
  results in testing samples from Poisson series", Biometrika 31, 1940). One-sided, exact.

A gate's value is the probability that an equally good model would make at least so many of the
unshared errors. The gate refuses below 2.5 %, where the candidate is worse beyond the 95 %
bounds. With few words and hours nothing can be shown and nothing is refused; absolute limits
cover that case.

Keywords that only one of the models knows are left out: their words count as other words, and
their detections are ignored. A miss is defined as everywhere (`match`).

`label_gate` uses the model in service to judge new labels. A candidate that learned wrong labels
is right about wrong labels, so comparing it with the last model would blame the last model.
Instead the last model's miss rate is compared with its miss rate when it was judged itself. It
rises if labels are wrong, and also if people, rooms or microphones have changed: in both cases
somebody should look before a model learns from the data.
"""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kws import labels as kws_labels
from kws.detection.detector import Detection, detect
from kws.detection.match import FalseAccept, MatchedStream, match
from kws.detection.params import DetectorParams, MatchParams
from kws.detection.posteriors import StreamPosteriors
from kws.detection.rates import CONFIDENCE
from kws.gates import Gate

if TYPE_CHECKING:
    from kws.scenes.ground_truth import GroundTruth


LEVEL = (1 - CONFIDENCE) / 2
SAME_MS = 1000
"""False accepts of two models so close to each other have the same cause."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Judged:
    """A model on the streams.

    Attributes:
      streams: its posteriors.
      labels: of its outputs.
      detector: its own settings.
    """

    streams: Sequence[StreamPosteriors]
    labels: Sequence[str]
    detector: DetectorParams


@dataclasses.dataclass(frozen=True, kw_only=True)
class Odd:
    """Errors that only one of two models made, and what they say.

    Attributes:
      candidate: made by the candidate alone.
      last: made by the last model alone.
      both: made by both.
    """

    candidate: int
    last: int
    both: int

    @property
    def chance(self) -> float:
        """That so many of the odd errors, or more, were the candidate's if both were alike."""
        from scipy import stats

        odd = self.candidate + self.last
        return float(stats.binom.sf(self.candidate - 1, odd, 0.5)) if odd else 1.0

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return dataclasses.asdict(self) | {"chance": self.chance}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two models on the same streams.

    Attributes:
      keywords: that both know, in the candidate's order.
      words: of these keywords said.
      hours: of all streams.
      misses: how many only one of the two made, and how many both.
      false_accepts: likewise.
    """

    keywords: tuple[str, ...]
    words: int
    hours: float
    misses: Odd
    false_accepts: Odd

    def to_dict(self) -> dict[str, Any]:
        """For `evaluation.json`."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        odd = {name: values[name].to_dict() for name in ("misses", "false_accepts")}
        return values | odd | {"keywords": list(self.keywords)}

    def gates(self) -> list[Gate]:
        """`streaming.misses_against_last` and `streaming.false_accepts_against_last`."""
        only = f" ({', '.join(self.keywords)} alone)"
        exposures = (f"of {self.words} words", f"in {self.hours:.2f} h")
        return [
            Gate(
                name=f"streaming.{name}_against_last",
                value=odd.chance,
                limit=LEVEL,
                at_most=False,
                detail=(
                    f"chance of so many {what} {exposure} were it as good as the last blessed "
                    f"model: {odd.candidate} that the last one did not make, {odd.last} that it "
                    f"alone made, {odd.both} of both{only}"
                ),
            )
            for name, what, exposure, odd in (
                ("misses", "misses", exposures[0], self.misses),
                ("false_accepts", "false accepts", exposures[1], self.false_accepts),
            )
        ]


def shared_keywords(candidate: Sequence[str], last: Sequence[str]) -> tuple[str, ...]:
    """Keywords of both, in the candidate's order."""
    return tuple(
        label for label in candidate if label in set(last) and label not in kws_labels.RESERVED
    )


def compare(candidate: Judged, last: Judged, match_params: MatchParams) -> Comparison:
    """Counts the errors of two models on the same streams.

    Raises:
      ValueError: they heard other streams, or have no keyword in common.
    """
    if [s.truth for s in candidate.streams] != [s.truth for s in last.streams]:
        raise ValueError("two models can only be compared on the same streams")
    keywords = shared_keywords(candidate.labels, last.labels)
    if not keywords:
        raise ValueError("two models without a keyword in common cannot be compared")
    misses, accepts = [0, 0, 0], [0, 0, 0]
    words, duration_ms = 0, 0
    for one, other in zip(candidate.streams, last.streams, strict=True):
        truth = _of_keywords(one.truth, keywords)
        new, old = (
            _matched(stream, judged, truth, keywords, match_params)
            for stream, judged in ((one, candidate), (other, last))
        )
        # Outcomes come in the order of the words, which are the same.
        for outcome, before in zip(new.outcomes, old.outcomes, strict=True):
            missed = (outcome.kind != "hit", before.kind != "hit")
            if any(missed):
                misses[_column(*missed)] += 1
        for column, number in enumerate(_pair(new.false_accepts, old.false_accepts)):
            accepts[column] += number
        words += len(new.outcomes)
        duration_ms += truth.duration_ms
    return Comparison(
        keywords=keywords,
        words=words,
        hours=duration_ms / 3_600_000,
        misses=Odd(candidate=misses[0], last=misses[1], both=misses[2]),
        false_accepts=Odd(candidate=accepts[0], last=accepts[1], both=accepts[2]),
    )


def _column(candidate: bool, last: bool) -> int:
    return 2 if candidate and last else 0 if candidate else 1


def _of_keywords(truth: "GroundTruth", keywords: Sequence[str]) -> "GroundTruth":
    """The same stream with every other keyword said as `_unknown_`."""
    words = tuple(
        word
        if word.label in keywords or word.label in kws_labels.RESERVED
        else word.model_copy(update={"label": kws_labels.UNKNOWN})
        for word in truth.words
    )
    return truth.model_copy(update={"words": words})


def _matched(
    stream: StreamPosteriors,
    judged: Judged,
    truth: "GroundTruth",
    keywords: Sequence[str],
    match_params: MatchParams,
) -> MatchedStream:
    found: list[Detection] = detect(
        stream.times_ms, stream.posteriors, judged.detector, judged.labels
    )
    return match([one for one in found if one.label in keywords], truth, match_params)


def _pair(candidate: Sequence[FalseAccept], last: Sequence[FalseAccept]) -> tuple[int, int, int]:
    """How many are the candidate's alone, the last one's alone, and of both.

    In time, each is paired with the first of the other's that is left and near enough: no pairing
    makes more pairs, and it is the same from either side.
    """
    new, old = (sorted(a.detection.end_ms for a in some) for some in (candidate, last))
    i = j = both = 0
    while i < len(new) and j < len(old):
        if abs(new[i] - old[j]) <= SAME_MS:
            i, j, both = i + 1, j + 1, both + 1
        elif new[i] < old[j]:
            i += 1
        else:
            j += 1
    return len(new) - both, len(old) - both, both


NAME = "streaming.miss_rate_rise_of_last"


def label_gate(comparison: Comparison, when_judged: float, limit: float) -> Gate:
    """The gate on what the last model misses more than it used to.

    Args:
      comparison: with the candidate, on this run's streams.
      when_judged: the last model's miss rate on the streams that it was blessed on.
      limit: by how much it may have risen.

    Returns:
      A gate that fails where no word was said: nothing was checked then.
    """
    missed = comparison.misses.last + comparison.misses.both
    now = missed / comparison.words if comparison.words else float("nan")
    return Gate(
        name=NAME,
        value=now - when_judged,
        limit=limit,
        at_most=True,
        detail=(
            f"the last blessed model misses {now:.1%} of the {comparison.words} words of these "
            f"streams, and missed {when_judged:.1%} when it was judged; where that is much more, "
            "the labels are wrong, or the recordings are of another kind"
        ),
    )
