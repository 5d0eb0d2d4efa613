"""A warm start keeps what two models have in common, label by label, and refuses the rest."""

import json

import numpy as np
import pytest

from kws.errors import KwsError
from kws.features import files
from kws.features.params import FeatureParams
from kws.labels import label_list
from kws.models import registry
from kws.models.params import ModelParams
from kws.training import warm_start

FEATURES = FeatureParams(clip_duration_ms=230, feature_bin_count=8)
MODEL = ModelParams(name="tiny_conv", options={"filters": 2})
LABELS = label_list(["yes", "no"])


def build(labels, params=MODEL, seed=0):
    return registry.build(params, FEATURES.feature_shape, len(labels), seed=seed)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A trained model's folder, and the model."""
    folder = tmp_path_factory.mktemp("base")
    model = build(LABELS, seed=1)
    model.set_weights([values + 0.5 for values in model.get_weights()])
    model.save(str(folder), save_format="tf", include_optimizer=False)
    files.write(folder, FEATURES)
    files.write_labels(folder, LABELS)
    (folder / "training.json").write_text(json.dumps({"model": MODEL.model_dump(), "training": {}}))
    return folder, model


def test_a_model_of_the_same_labels_becomes_the_old_one(base):
    folder, old = base
    model = build(LABELS)
    started = warm_start.start_from(model, folder, MODEL, LABELS, FEATURES)
    for mine, its in zip(model.get_weights(), old.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, its)
    assert started.kept == tuple(LABELS) and not started.fresh and not started.dropped


def test_labels_that_stay_keep_their_weights_wherever_they_stand(base):
    folder, old = base
    labels = label_list(["no", "stop"])
    model, drawn = build(labels), build(labels)
    started = warm_start.start_from(model, folder, MODEL, labels, FEATURES)
    inner = [(m, o) for m, o in zip(model.get_weights(), old.get_weights(), strict=True)][:-2]
    assert all(np.array_equal(mine, its) for mine, its in inner)
    for mine, its, fresh in zip(
        model.get_weights()[-2:], old.get_weights()[-2:], drawn.get_weights()[-2:], strict=True
    ):
        np.testing.assert_array_equal(mine[..., :2], its[..., :2])
        np.testing.assert_array_equal(mine[..., 2], its[..., LABELS.index("no")])
        np.testing.assert_array_equal(mine[..., 3], fresh[..., 3])
    assert (started.fresh, started.dropped) == (("stop",), ("yes",))
    assert "new: stop; dropped: yes" in started.sentence()


def test_another_architecture_is_refused_by_name_and_nothing_is_changed(base):
    other = ModelParams(name="tiny_conv", options={"filters": 3})
    model = build(LABELS, other)
    before = model.get_weights()
    with pytest.raises(KwsError, match=r'with {"filters": 2}, and this is .* {"filters": 3}'):
        warm_start.start_from(model, base[0], other, LABELS, FEATURES)
    assert all(map(np.array_equal, model.get_weights(), before))
    fc = ModelParams(name="single_fc")
    with pytest.raises(KwsError, match=r"tiny_conv .* this is single_fc"):
        warm_start.start_from(build(LABELS, fc), base[0], fc, LABELS, FEATURES)


def test_other_features_are_refused_with_the_field_that_differs(base):
    other = FEATURES.model_copy(update={"upper_band_limit_hz": 7000.0})
    with pytest.raises(KwsError, match=r"upper_band_limit_hz=7500.0 instead of 7000.0") as error:
        warm_start.start_from(build(LABELS), base[0], MODEL, LABELS, other)
    assert "warm_start=false" in error.value.hint


@pytest.mark.parametrize("context_ms", [None, 190])
def test_a_spotter_of_another_word_keeps_everything_but_the_words_own_head(tmp_path, context_ms):
    options = {"first_filters": 2, "kernels": [[2]], "filters": [3], "residual": [False],
               "padding": "none", "ending": "sigmoid"}  # fmt: skip
    params = ModelParams(name="mixed_net", options=options)
    features = FEATURES.model_copy(update={"context_ms": context_ms})

    def spotter(seed):
        return registry.build(
            params, features.feature_shape, 3, seed=seed, context_frames=features.context_frames
        )

    old = spotter(1)
    old.save(str(tmp_path), save_format="tf", include_optimizer=False)
    files.write(tmp_path, features)
    files.write_labels(tmp_path, label_list(["yes"]))
    written = {"model": params.model_dump(), "training": {}}
    (tmp_path / "training.json").write_text(json.dumps(written))
    same, other, drawn = spotter(2), spotter(2), spotter(2)
    warm_start.start_from(same, tmp_path, params, label_list(["yes"]), features)
    assert all(map(np.array_equal, same.get_weights(), old.get_weights()))
    started = warm_start.start_from(other, tmp_path, params, label_list(["stop"]), features)
    assert (started.fresh, started.dropped) == (("stop",), ("yes",))
    for layer in other.layers:
        expected = drawn if layer.name == "logits_head" else old
        weights = expected.get_layer(layer.name).get_weights()
        assert all(map(np.array_equal, layer.get_weights(), weights)), layer.name
    assert np.any(other.get_layer("silence_logits_head").get_weights()[0])
