"""What `kws retrain` sets, and that it makes a configuration that loads."""

import pytest

from kws.errors import KwsError
from pipeline.config import load, preset_names
from pipeline.retraining.one_pass import overrides


@pytest.mark.parametrize("preset", preset_names())
@pytest.mark.parametrize("warm", [False, True])
def test_every_preset_that_may_start_warm_can_be_retrained(preset, warm):
    config = load(preset)
    if config.tuning is not None:
        with pytest.raises(KwsError, match=r"warm_start begins with the weights .* leave out one"):
            load(preset, overrides(config, warm))
        return
    again = load(preset, overrides(config, warm))
    assert again.streaming.gates.max_miss_rate_rise_of_last == 0.2
    assert again.streaming.gates.against_last
    scenes = config.scenes is not None
    assert again.training.warm_start is not scenes
    fewer = warm and not scenes
    assert again.training.epochs == (
        round(0.3 * config.training.epochs) if fewer else config.training.epochs
    )


def test_from_scratch_is_with_all_epochs():
    config = load("quickstart", ["retraining.warm_start=false"])
    assert overrides(config, warm=True) == ["streaming.gates.max_miss_rate_rise_of_last=0.2"]


def test_the_section_says_how_much_less_and_whether_labels_are_judged():
    config = load(
        "quickstart",
        ["training.epochs=10", "training.learning_rate=0.01", "retraining.epochs_share=0.05",
         "retraining.learning_rate_share=0.5", "retraining.max_miss_rate_rise_of_last=null"],
    )  # fmt: skip
    assert overrides(config, warm=True) == [
        "training.warm_start=true", "training.epochs=1", "training.learning_rate=0.005",
    ]  # fmt: skip
