"""Sizes and costs against the papers and by hand."""

import itertools
import math
import re

import numpy as np
import pytest

from kws.errors import KwsError
from kws.models import cost, registry
from kws.models.params import ModelParams


def build(name, shape, labels, variant=None, **options):
    params = ModelParams(name=name, variant=variant, options=options)
    return registry.build(params, shape, labels)


def trainable(model):
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)


def folded(model):
    """Weights and biases once normalizations are folded into the convolutions before them."""
    import tensorflow as tf

    norms = [x for x in model.layers if isinstance(x, tf.keras.layers.BatchNormalization)]
    biases = sum(x.output_shape[-1] for x in norms)
    return model.count_params() - sum(x.count_params() for x in norms) + biases


def output_size(model, *kinds):
    """Values that layers of some kinds put out for one clip."""
    return sum(math.prod(x.output_shape[1:]) for x in model.layers if type(x).__name__ in kinds)


def thousands(count, digits=1):
    return round(count / 1e3, digits)


def millions(count):
    return round(count / 1e6, 1)


def test_conv_has_the_parameters_and_multiplications_of_cnn_trad_fpool3():
    model = build("conv", (32, 40), 4)
    biases = 64 + 64 + 32 + 128 + 4  # The paper's table counts none.
    assert thousands(model.count_params() - biases) == 244.2
    assert millions(cost.macs(model)) == 9.7


def test_low_latency_conv_has_the_convolution_of_cnn_one_fstride4():
    model = build("low_latency_conv", (32, 40), 4)
    kernel = math.prod(model.get_layer("conv").kernel.shape)
    positions = math.prod(model.get_layer("conv").output_shape[1:3])
    assert (thousands(kernel), thousands(kernel * positions)) == (47.6, 428.5)
    rest = 9 * 186 * 32 + 32 * 128 + 128 * 128 + 128 * 4
    assert cost.macs(model) == kernel * positions + rest
    assert model.count_params() == kernel + rest + 186 + 32 + 128 + 128 + 4


def test_low_latency_svdf_has_rank_two_units_by_hand():
    model = build("low_latency_svdf", (98, 40), 12)
    hidden = 1280 * 256 + 256 * 256 + 256 * 12
    assert model.count_params() == 2 * 1280 * (98 + 40) + 1280 + hidden + 256 + 256 + 12
    assert cost.macs(model) == 2 * 1280 * (98 * 40 + 98) + hidden


def test_a_unit_of_low_latency_svdf_is_a_matrix_of_rank_two():
    model = build("low_latency_svdf", (7, 5), 2, units=1, hidden_units=3)
    over_channels = [model.get_layer(f"channels_{r}").get_weights()[0][0, 0, :, 0] for r in (1, 2)]
    over_time = [model.get_layer(f"time_{r}").get_weights()[0][:, 0, 0, 0] for r in (1, 2)]
    matrix = sum(map(np.outer, over_time, over_channels))
    import tensorflow as tf

    unit = tf.keras.Model(model.input, model.get_layer("sum").output)
    features = np.random.default_rng(0).normal(size=(1, 7, 5)).astype(np.float32)
    np.testing.assert_allclose(unit(features).numpy().item(), (matrix * features).sum(), rtol=1e-4)


def test_single_fc_by_hand():
    model = build("single_fc", (49, 40), 10)
    assert (model.count_params(), cost.macs(model)) == (49 * 40 * 10 + 10, 49 * 40 * 10)


def test_tiny_conv_has_the_size_and_cost_of_micro_speech():
    model = build("tiny_conv", (49, 40), 10)
    assert model.count_params() == 10 * 8 * 8 + 8 + 25 * 20 * 8 * 10 + 10 == 40_658
    assert cost.macs(model) == 25 * 20 * 8 * 10 * 8 + 25 * 20 * 8 * 10


def test_spectrogram_cnn_has_13_000_803_trainable_parameters_at_35_labels_whatever_the_features():
    model = build("spectrogram_cnn", (124, 129), 35)
    assert trainable(model) == 13_000_803
    assert model.count_params() == 13_000_803 + 2 * (32 + 64)
    assert model.get_layer("flat").output_shape == (None, 12_544)
    convolutions = 30 * 30 * 9 * 32 + 28 * 28 * 9 * 32 * 64
    assert cost.macs(model) == convolutions + 12_544 * 1024 + 1024 * 128 + 128 * 35


@pytest.mark.parametrize(
    ("variant", "memory_kb", "operations_m"),
    [("S", 38.6, 5.4), ("M", 189.2, 19.8), ("L", 497.6, 56.9)],
)
def test_ds_cnn_has_the_memory_and_operations_of_hello_edge(variant, memory_kb, operations_m):
    model = build("ds_cnn", (49, 10), 12, variant)
    activations = [math.prod(x.output_shape[1:]) for x in model.layers if "relu" in x.name]
    largest = max(first + second for first, second in itertools.pairwise(activations))
    assert thousands(folded(model) + largest) == memory_kb
    # Two operations a multiply-add, one a bias.
    assert millions(2 * cost.macs(model) + sum(activations)) == operations_m


def test_ds_cnn_of_40_channels_by_hand():
    model, norm = build("ds_cnn", (49, 40), 10), 4 * 64
    by_hand = 10 * 4 * 64 + norm + 4 * (9 * 64 + norm + 64 * 64 + norm) + 64 * 10 + 10
    assert model.count_params() == by_hand == 24_202
    positions = 25 * 20  # 49 x 40 after a stride of 2 x 2
    by_hand = positions * (10 * 4 * 64 + 4 * (9 * 64 + 64 * 64)) + 64 * 10
    assert cost.macs(model) == by_hand


@pytest.mark.parametrize(
    ("variant", "memory_kb", "operations_m"),
    [("S", 79.7, 3.0), ("M", 199.8, 7.6), ("L", 499.5, 19.3)],
)
def test_crnn_has_the_memory_and_operations_of_hello_edge(variant, memory_kb, operations_m):
    model = build("crnn", (49, 10), 12, variant)
    convolved = math.prod(model.get_layer("conv").output_shape[1:])
    memory = model.count_params() + 49 * 10 + convolved
    # 79,762 for S, which the paper prints as 79.7.
    assert abs(memory / 1e3 - memory_kb) < 0.1
    steps, units = model.get_layer("gru_1").output_shape[1:]
    operations = 2 * cost.macs(model) + convolved + 2 * 3 * units * steps
    assert millions(operations) == operations_m


@pytest.mark.parametrize(
    ("depth", "width", "parameters_k", "flops_m"),
    [(8, 1.0, 66, 3.0), (8, 1.5, 145, 6.6), (14, 1.0, 137, 6.1), (14, 1.5, 305, 13.4)],
)
def test_tc_resnet_has_the_parameters_and_flops_of_the_paper(depth, width, parameters_k, flops_m):
    model = build("tc_resnet", (98, 40), 12, depth=depth, width=width)
    assert thousands(model.count_params(), 0) == parameters_k
    assert millions(2 * cost.macs(model)) == flops_m


@pytest.mark.parametrize(
    ("width", "parameters_k", "mult_m", "digits"),
    [
        (1, 9.2, 3.1, 1),
        (2, 27.3, 8.5, 1),
        (3, 54.2, 16.2, 1),
        (8, 321, 89.1, 0),
    ],
)
def test_bc_resnet_has_the_parameters_of_the_paper_and_its_multiplies_counted_its_way(
    width, parameters_k, mult_m, digits
):
    model = build("bc_resnet", (98, 40), 12, width=width)
    assert thousands(trainable(model), digits) == parameters_k
    normalized = output_size(model, "BatchNormalization", "SubSpectralNormalization")
    # ReLU after a block's sum is no layer of the PyTorch model, so its counter does not see it.
    after_sums = re.compile(r"stage_\d_\d_relu")
    relu = [x for x in model.layers if "relu" in x.name and not after_sums.fullmatch(x.name)]
    pools = [x for x in model.layers if "average" in x.name]
    extra = sum(math.prod(x.output_shape[1:]) for x in relu)
    extra += sum(math.prod(x.input_shape[1:]) for x in pools)
    assert millions(cost.macs(model) + 2 * normalized + extra) == mult_m


def test_bc_resnet_refuses_channels_that_it_cannot_cut_into_parts():
    with pytest.raises(KwsError, match=r"cannot cut 32 channels into parts=5.*40 with 5"):
        build("bc_resnet", (49, 32), 10)


@pytest.mark.parametrize(
    ("variant", "parameters_k", "mult_m"), [("3x1x64", 77, 9.3), ("3x2x64", 93, 11.3)]
)
def test_matchbox_net_has_the_parameters_of_the_paper_and_the_multiplies_that_others_counted(
    variant, parameters_k, mult_m
):
    model = build("matchbox_net", (128, 64), 30, variant)
    assert thousands(trainable(model), 0) == parameters_k
    # Of 12 labels in BC-ResNet's table, with one a normalized value: see the architecture's file.
    macs = cost.macs(model) - 128 * (30 - 12)
    assert millions(macs + output_size(model, "BatchNormalization")) == mult_m


def test_matchbox_net_costs_half_with_a_first_stride_of_two():
    usual = build("matchbox_net", (128, 64), 30)
    sparse = build("matchbox_net", (128, 64), 30, first_stride=2)
    assert sparse.count_params() == usual.count_params()
    last = 128 * 30
    assert 2 * (cost.macs(sparse) - last) == cost.macs(usual) - last


def test_trigger_gru_has_523_329_parameters_at_5511_x_101_and_1375_steps():
    model = build("trigger_gru", (5511, 101), 3)
    assert model.count_params() == 523_329
    assert model.count_params() - trainable(model) == 904
    assert model.output_shape == (None, 1375, 1)
    gru = 3 * 128 * (196 + 128) + 3 * 128 * (128 + 128)
    assert cost.macs(model) == 1375 * (15 * 101 * 196 + gru + 128)


def test_mixed_net_by_hand():
    model = build("mixed_net", (49, 40), 10)
    depthwise = [32 * 6, 32 * 8 + 32 * 12, 32 * 10 + 32 * 16, 64 * 24]  # With their biases.
    pointwise = [32 * 64, 64 * 64, 64 * 64, 64 * 64]
    steps = 49 // 3
    by_hand = 40 * 5 * 32 + sum(depthwise) + sum(pointwise) + 4 * 4 * 64 + steps * 64 * 10 + 10
    assert model.count_params() == by_hand == 35_210


def test_ds_tc_resnet_by_hand():
    model = build("ds_tc_resnet", (49, 40), 10)
    depthwise = 40 * 11 + 128 * 13 + 64 * 15 + 64 * 17 + 64 * 29 + 128
    pointwise = 40 * 128 + 128 * 64 + 64 * 64 + 64 * 64 + 64 * 128 + 128 * 128
    shortcuts = 128 * 64 + 64 * 64 + 64 * 64
    norms = 4 * (128 + 3 * 64 + 128 + 128 + 3 * 64)
    assert model.count_params() == depthwise + pointwise + shortcuts + norms + 128 * 10 + 10


def test_ds_tc_resnet_has_the_75_thousand_parameters_of_kws_streaming():
    assert thousands(trainable(build("ds_tc_resnet", (98, 40), 35)), 0) == 75


def test_a_clip_that_kernels_without_padding_use_up_is_refused():
    with pytest.raises(KwsError, match=r"conv needs .* at least 29 frames x 19 channels.* 20 x 40"):
        build("conv", (20, 40), 10)
    with pytest.raises(KwsError, match=r"padding=none needs .* at least 155 frames"):
        build("mixed_net", (49, 40), 10, padding="none")
