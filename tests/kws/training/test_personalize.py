"""A personalised model learns the user's sounds, keeps the rest, or is refused."""

import dataclasses

import numpy as np
import pytest

from kws.features.example import FeatureExample
from kws.features.params import FeatureParams
from kws.labels import label_list
from kws.models import registry
from kws.models.params import ModelParams
from kws.training.float_model import FloatModel
from kws.training.params import TrainingParams
from kws.training.personal_comparison import compare, hear, worse
from kws.training.personalize import PersonalizeParams, fine_tune

FEATURES = FeatureParams(clip_duration_ms=230, feature_bin_count=8)
LABELS = label_list(["yes"])
MODEL = ModelParams(name="single_fc")
ORIGINAL = TrainingParams(batch_size=16, time_shift_frames=0)


def example(label, rng, tone, augmentation="none"):
    """Noise, and for words something louder in one channel."""
    features = rng.integers(0, 60, FEATURES.feature_shape).astype(np.uint16)
    if tone is not None:
        features[:, tone] += 400
    return FeatureExample(
        features=features, label_index=LABELS.index(label), label=label, word=label, speaker="",
        source="", snr_bucket="clean", augmentation=augmentation, novelty="heard",
        clip_id=str(rng.integers(1 << 60)),
    )  # fmt: skip


@pytest.fixture(scope="module")
def data():
    """People say "yes" in channel 1; the user says it in 5, near nobody's other words in 3."""
    rng = np.random.default_rng(0)
    sounds = (("_silence_", None), ("_unknown_", 3), ("yes", 1))
    original = [example(label, rng, tone) for _ in range(40) for label, tone in sounds]
    user = [example("yes", rng, 5) for _ in range(30)]
    return original[:90], original[90:], user[:20], user[20:]


def trained(train, epochs=30):
    model = registry.build(MODEL, FEATURES.feature_shape, len(LABELS), seed=0)
    params = PersonalizeParams(epochs=epochs, learning_rate=0.02)
    fine_tune(model, train, train, LABELS, FEATURES, ORIGINAL, params)
    return model


def test_the_user_is_understood_and_nothing_is_forgotten(data):
    train, judged, user, held_out = data
    model = trained(train)
    before = FloatModel(model, LABELS, FEATURES)
    first = hear(before, held_out), hear(before, judged)
    assert first[0].right.estimate < 0.5 and first[1].right.estimate > 0.95
    weights = model.get_weights()
    params = PersonalizeParams(epochs=10, learning_rate=0.01)
    fine_tune(model, [*train, *user], judged, LABELS, FEATURES, ORIGINAL, params)
    after = FloatModel(model, LABELS, FEATURES)
    old = registry.build(MODEL, FEATURES.feature_shape, len(LABELS))
    old.set_weights(weights)
    comparison = compare(FloatModel(old, LABELS, FEATURES), after, held_out, judged)
    was, now = comparison.held_out
    assert was == first[0] and now.right.estimate > 0.9 and now.mean_score > was.mean_score
    assert comparison.in_noise is None
    assert comparison.original[1].right.estimate > 0.95
    assert worse(comparison, max_drop=0.01) == []


class Fixed:
    """Answers as told."""

    labels = LABELS

    def __init__(self, answers):
        self._answers = answers

    def posteriors(self, features):
        return np.eye(len(LABELS), dtype=np.float32)[self._answers[: len(features)]]


def test_each_way_of_getting_worse_is_told(data):
    rng = np.random.default_rng(1)
    original = [example("_unknown_", rng, 3) for _ in range(10)]
    right, one_wrong, one_yes = [1] * 10, [0] + [1] * 9, [2] + [1] * 9
    same = compare(Fixed(right), Fixed(right), [], original)
    assert same.held_out is None and worse(same, 0.0) == []
    (told,) = worse(compare(Fixed(right), Fixed(one_wrong), [], original), 0.05)
    assert "fell from 100.0% to 90.0%" in told and "max_drop=0.05" in told
    assert worse(compare(Fixed(right), Fixed(one_wrong), [], original), 0.1) == []
    _, told = worse(compare(Fixed(right), Fixed(one_yes), [], original), 0.05)
    assert "taken for a keyword rose from 0.0% to 10.0%" in told
    clip = example("yes", rng, 5)
    kept = [clip, dataclasses.replace(clip, augmentation="noisy")]
    good, bad = Fixed([2] * 10), Fixed([1] * 10)
    assert worse(compare(bad, good, kept, [example("yes", rng, 1)] * 10), 1.0) == []
    (told,) = worse(compare(good, bad, kept, [example("yes", rng, 1)] * 10), 1.0)
    assert "recognised 0 times, before 2 times" in told
