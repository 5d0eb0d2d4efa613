"""A search that could not work is refused at load, by the path and what would be right."""

import pytest

from kws.errors import KwsError
from pipeline.config import load


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("tuning.space={model.options.filterz: [8]}", "filterz is no option of ds_cnn.*has filte"),
        ("tuning.space={model.options.filters: [0]}", "model.options.filters=0: .*equal to 1"),
        ("tuning.space={model.variant: [S, XL]}", "'XL' is no variant of ds_cnn"),
        ("tuning.space={model.name: [crnn]}", "model.name cannot be searched: .*one architecture"),
        ("tuning.space={training.rate: [1]}", "training.rate: unknown key .*learning_rate"),
        ("tuning.space={training.epochs: [1]}", "cannot be searched: a trial has tuning.epochs"),
        ("tuning.space={voices.speed: [1]}", "voices.speed cannot be searched .*begin with model"),
        ("tuning.space={model.options.filters: 8}", "8 is neither a list of values nor a range"),
        ("tuning.space={model.options.filters: [8, 8]}", "at least one value, and none twice"),
        ("tuning.space={model.options.dropout: {min: 0.0}}", "a range needs both min and max"),
        ("tuning.space={model.options.dropout: {min: 0, max: 1.5}}", "dropout=1.5: .*less than 1"),
        ("tuning.space={training.learning_rate: {min: 0, max: 0.1, log: true}}", "min=0 must be"),
        ("tuning.space={features.window_stride_ms: {min: 10, max: 20}}", "give a list of values"),
        ("tuning.space={features.window_stride_ms: [40]}", "30 is shorter than window_stride_ms"),
        ("tuning.space={features.window_stride_ms: [25]}", "clip_stride_ms=120 is no multiple"),
        ("tuning.space={training.steps.crop_steps: [1]}", "training.steps is for all trials as"),
        ("training.warm_start=true", "tuning.space names model.options.filters"),
        ("tuning.budget=3", "tuning.budget: unknown key .*budget_minutes"),
        ("model=null", "tuning needs a model that learns from clips"),
    ],
)
def test_a_space_that_cannot_be_searched_is_refused_at_load(override, sentence):
    with pytest.raises(KwsError, match=sentence):
        load("tuned", [override])


def test_a_dimension_can_be_set_and_taken_out_by_its_path():
    overrides = ["tuning.space.model.options.filters=[8]", "tuning.space.model.options.blocks=null"]
    space = load("tuned", overrides).tuning.space
    assert space["model.options.filters"].values == (8,)
    assert "model.options.blocks" not in space and "training.learning_rate" in space


def test_the_seed_comes_from_the_top():
    assert load("tuned", ["seed=7"]).tuning.seed == 7
