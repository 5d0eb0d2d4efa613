"""From a configuration for a first training to one for the next: what `kws retrain` sets."""

from kws.models import registry
from pipeline.config import Config


def overrides(config: Config, warm: bool) -> list[str]:
    """`section.key=value` for the configuration; the user's own come after these.

    Args:
      config: with the section `retraining`.
      warm: there is a blessed model to start from. Without one this is a first training, with all
        its epochs.
    """
    retraining, training = config.retraining, config.training
    rise = retraining.max_miss_rate_rise_of_last
    chosen = []
    if rise is not None:
        chosen.append(f"streaming.gates.max_miss_rate_rise_of_last={rise}")
    if not (retraining.warm_start and can_start_warm(config)):
        return chosen
    chosen.append("training.warm_start=true")
    if warm:
        epochs = max(1, round(training.epochs * retraining.epochs_share))
        chosen.append(f"training.epochs={epochs}")
        rate = training.learning_rate * retraining.learning_rate_share
        chosen.append(f"training.learning_rate={rate:.6g}")
    return chosen


def can_start_warm(config: Config) -> bool:
    """Models that learn from scenes begin anew each time (`kws.training.step_training`)."""
    return config.model is not None and registry.output(config.model.name) != "steps"
