"""Learning rates: a function from the step to the rate, so that a resumed run needs no state."""

import math

from kws.training.params import TrainingParams


def learning_rate(step: int, total_steps: int, params: TrainingParams) -> float:
    """The rate of one step.

    After a linear warm-up over the first `warmup_share` of the steps:
      constant: stays at `params.learning_rate`.
      step: a tenth of it once `params.step_share` of all steps are done (the TensorFlow speech
        tutorial's way).
      cosine: falls to zero along half a cosine (Loshchilov and Hutter, 2017, arXiv:1608.03983,
        one period).

    Args:
      step: 0 for the first.
      total_steps: of the whole training, at least 1.
    """
    peak = params.learning_rate
    warmup_steps = int(params.warmup_share * total_steps)
    if step < warmup_steps:
        return peak * (step + 1) / warmup_steps
    if params.schedule == "step":
        # A share such as 15000/18000 is not exact: a millionth of a step is not one.
        return peak if step < params.step_share * total_steps - 1e-6 else peak / 10
    if params.schedule == "cosine":
        progress = (step - warmup_steps) / max(1, total_steps - warmup_steps)
        return peak * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    return peak
