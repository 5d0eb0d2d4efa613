"""The registry finds architectures by name and refuses what they do not have."""

import pytest

from kws.errors import KwsError
from kws.models import registry
from kws.models.params import ModelParams


def test_the_zoo_has_the_documented_models():
    assert {"ds_cnn", "tiny_conv"} <= set(registry.names())
    assert "registry" not in registry.names() and "cost" not in registry.names()


def test_an_unknown_model_is_refused_by_naming_the_known_ones():
    with pytest.raises(KwsError, match=r"model.name='ds_cn' .*ds_cnn, .*tiny_conv"):
        registry.architecture("ds_cn")


def test_an_unknown_option_is_refused_by_naming_the_allowed_ones():
    with pytest.raises(KwsError, match=r"model.options.filter is no option.*filters, blocks"):
        registry.options(ModelParams(name="ds_cnn", options={"filter": 3}))


def test_a_wrong_value_is_refused_with_the_path_of_its_key():
    with pytest.raises(KwsError, match=r"model.options.blocks=-1: .*greater than or equal to 0"):
        registry.options(ModelParams(name="ds_cnn", options={"blocks": -1}))


def test_options_given_as_json_lists_are_understood():
    options = registry.options(ModelParams(name="tiny_conv", options={"kernel": [5, 4]}))
    assert options.kernel == (5, 4) and options.filters == 8


def test_the_same_seed_draws_the_same_weights_and_another_seed_others():
    params = ModelParams(name="ds_cnn", options={"filters": 2, "blocks": 1})
    first, again, other = (
        registry.build(params, (8, 6), 3, seed=seed).get_layer("conv").get_weights()[0]
        for seed in (1, 1, 2)
    )
    assert (first == again).all() and (first != other).any()
