"""The registry finds architectures by name and refuses what they do not have."""

import subprocess
import sys

import pytest

from kws.errors import KwsError
from kws.models import registry
from kws.models.params import ModelParams


def test_the_zoo_has_the_documented_models():
    assert registry.names() == [
        "bc_resnet", "conv", "crnn", "ds_cnn", "ds_tc_resnet", "low_latency_conv",
        "low_latency_svdf", "matchbox_net", "mixed_net", "single_fc", "spectrogram_cnn",
        "speech_embedding",
        "tc_resnet", "tiny_conv", "trigger_gru",
    ]  # fmt: skip


def test_the_registry_lists_and_checks_models_without_importing_tensorflow():
    code = (
        "import sys; from kws.models import registry; from kws.models.params import ModelParams; "
        "[registry.options(ModelParams(name=n, variant=v)) for n in registry.names() "
        "for v in (None, *registry.variants(n))]; sys.exit('tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_variant_is_a_set_of_options_that_others_go_on_top_of():
    params = ModelParams(name="ds_cnn", variant="L", options={"blocks": 2})
    options = registry.options(params)
    assert (options.filters, options.blocks, options.block_stride) == (276, 2, 2)


def test_an_unknown_variant_is_refused_by_naming_the_known_ones():
    with pytest.raises(KwsError, match=r"model.variant='XL' is no variant of ds_cnn.*S, M, L"):
        registry.options(ModelParams(name="ds_cnn", variant="XL"))
    with pytest.raises(KwsError, match=r"no variant of tiny_conv.*it has none"):
        registry.options(ModelParams(name="tiny_conv", variant="S"))


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
