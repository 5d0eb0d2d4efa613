"""The model in service as a judge of new labels: has it suddenly stopped hearing the words?

A candidate that learned wrong labels is right about wrong labels: were it only compared with the
last model on the same streams, the last one would seem to be at fault. So the last model's own
miss rate is held against what it was when that model was judged. It rises where labels are wrong,
and also where people, rooms or microphones are others than before: either way somebody should look
before a model learns from it.
"""

from kws.gates import Gate
from kws.streaming.compare import Comparison

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
