"""The search space: what may stand in it, and how its values reach the sections."""

from kws.features.params import FeatureParams
from kws.models.params import ModelParams
from kws.training import tuning_space
from kws.training.params import TrainingParams
from kws.training.tuning import Dimension, TuningParams

SECTIONS = tuning_space.Sections(ModelParams(), TrainingParams(), FeatureParams())


def test_values_reach_the_fields_that_their_paths_name_and_no_others():
    values = {
        "model.variant": "M",
        "model.options.filters": 32,
        "training.learning_rate": 0.01,
        "features.window_stride_ms": 10,
    }
    found = SECTIONS.applied(values)
    assert found.model == ModelParams(variant="M", options={"filters": 32})
    assert found.training == TrainingParams(learning_rate=0.01)
    assert found.features == FeatureParams(window_stride_ms=10)
    assert SECTIONS.applied({}) == SECTIONS


def test_a_range_of_whole_limits_is_whole_and_of_others_is_not():
    assert Dimension(min=2, max=8, step=2).whole
    assert not Dimension(min=0, max=0.5).whole


def test_values_that_keras_tuner_does_not_hold_come_back_as_they_were():
    import keras_tuner

    space = {
        "model.options.first_kernel": Dimension(values=([10, 4], [5, 40])),
        "model.variant": Dimension(values=(None, "S")),
        "training.class_weighting": Dimension(values=(True, False)),
        "model.options.dropout": Dimension(values=(0, 0.5)),
        "model.options.blocks": Dimension(min=2, max=4),
        "training.learning_rate": Dimension(min=0.001, max=0.1, log=True),
    }
    made = tuning_space.hyperparameters(space)
    made.values["tuner/epochs"] = 3  # Hyperband's, not ours
    read = keras_tuner.HyperParameters.from_config(made.get_config())
    assert tuning_space.values_of(read.get_config()) == {
        "model.options.first_kernel": [10, 4],
        "model.variant": None,
        "training.class_weighting": True,
        "model.options.dropout": 0.0,
        "model.options.blocks": 2,
        "training.learning_rate": 0.001,
    }


def test_all_features_that_a_trial_may_have_are_known_beforehand():
    space = {"features.window_stride_ms": [10, 20], "features.feature_bin_count": [20, 40]}
    found = tuning_space.check(TuningParams(space=space), SECTIONS)
    assert {(p.window_stride_ms, p.feature_bin_count) for p in found} == {
        (10, 20), (10, 40), (20, 20), (20, 40),
    }  # fmt: skip
