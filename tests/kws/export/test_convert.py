import numpy as np
import pytest

from kws.errors import KwsError
from kws.export.convert import choose_representative, compare_twins, convert
from kws.export.device_form import windowed_to_tflite
from kws.export.params import ConversionParams
from kws.features.params import FeatureParams
from kws.runtime.tflite_model import Int8Model
from tests.kws.runtime.conftest import FEATURE_PARAMS, LABELS, Labelled, Trial, random_features


def test_the_float_io_twin_is_the_same_network_step_for_step(trial: Trial) -> None:
    assert len(set(trial.judged.label_index)) == len(LABELS)  # or the comparison says little
    assert trial.conversion.figures.twin_difference_steps == 0
    difference, rounding = compare_twins(
        trial.int8, trial.conversion.float_io, trial.judged.features
    )
    assert difference == 0
    assert rounding < 0.01


def test_a_twin_of_another_calibration_is_noticed(trial: Trial) -> None:
    import tensorflow as tf

    narrow = trial.representative.features // 2
    stranger = windowed_to_tflite(trial.keras_model, narrow, FEATURE_PARAMS, tf.float32)
    assert compare_twins(trial.int8, stranger, trial.judged.features[:20])[0] > 0


def test_int8_posteriors_are_near_the_float_models(trial: Trial) -> None:
    values = trial.judged.features.astype(np.float32) * np.float32(10 / 256)
    expected = trial.keras_model(values).numpy()
    found = trial.int8.posteriors(trial.judged.features)
    assert found.dtype == np.float32
    assert np.abs(found - expected).mean() < 0.02
    assert trial.conversion.figures.float_accuracy == 1
    assert trial.conversion.figures.int8_accuracy >= 0.95


def test_the_input_covers_the_micro_frontends_whole_range(trial: Trial) -> None:
    low, high = ((q - trial.int8.input_zero_point) * trial.int8.input_scale for q in (-128, 127))
    assert low == 0
    assert high == pytest.approx(670 * 10 / 256, rel=1e-3)


def test_the_device_file_has_no_operators_that_compute_shapes(trial: Trial) -> None:
    assert set(trial.conversion.figures.operators) == {
        "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "MEAN", "RESHAPE", "SOFTMAX",
    }  # fmt: skip


def test_too_great_a_loss_is_refused_with_both_accuracies(trial: Trial) -> None:
    # Calibrated on near silence, the network clips whatever is louder.
    quiet = Labelled(
        features=trial.representative.features // 300, label_index=trial.representative.label_index
    )
    with pytest.raises(KwsError, match=r"int8 accuracy [\d.]+% is .* float accuracy 100.00%"):
        convert(trial.keras_model, quiet, trial.judged, LABELS, FEATURE_PARAMS, ConversionParams())


def test_calibration_examples_are_the_same_in_whatever_order_and_even_over_labels(
    trial: Trial,
) -> None:
    shuffled = [trial.examples[i] for i in np.random.default_rng(0).permutation(100)]
    chosen = choose_representative(trial.examples, 12, seed=5)
    again = choose_representative(shuffled, 12, seed=5)
    other = choose_representative(trial.examples, 12, seed=6)
    assert [e.clip_id for e in chosen] == [e.clip_id for e in again]
    assert [e.clip_id for e in chosen] != [e.clip_id for e in other]
    counts = np.bincount([e.label_index for e in chosen], minlength=4)
    available = np.bincount([e.label_index for e in trial.examples], minlength=4)
    assert all(count >= min(3, there) for count, there in zip(counts, available, strict=True))
    assert len(choose_representative(trial.examples, 1000, seed=5)) == 100


def test_features_that_the_model_was_not_made_for_are_refused(trial: Trial) -> None:
    features = random_features(np.random.default_rng(3), 2)
    with pytest.raises(KwsError, match=r"uint16 \[2, 48, 40\], but .* uint16 \[n, 49, 40\]"):
        trial.int8.posteriors(features[:, 1:])
    with pytest.raises(KwsError, match="float32"):
        trial.int8.posteriors(features.astype(np.float32))
    with pytest.raises(KwsError, match=r"pcan_strength=0\.5 instead of 0\.95"):
        trial.int8.posteriors(features, FeatureParams(pcan_strength=0.5))
    with pytest.raises(KwsError, match=r"input is int8 \[1, 49, 40\]"):
        Int8Model(trial.conversion.model, LABELS, FeatureParams(window_stride_ms=10))
    with pytest.raises(KwsError, match="are no TFLite model"):
        Int8Model(b"no model", LABELS, FEATURE_PARAMS)
