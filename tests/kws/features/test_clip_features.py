"""Features of labelled clips: alignment after a lead-in, and clips that do not fit."""

import dataclasses

import numpy as np
import pytest

from kws import features
from kws.audio.clip import Clip
from kws.errors import KwsError
from kws.features import clip_features
from kws.features.params import FeatureParams

LABELS = ("_silence_", "_unknown_", "yes")


def clip(seed: int = 0, lead_in_ms: int = 0, **changes) -> Clip:
    samples = 16000 + 16 * lead_in_ms
    audio = (np.random.default_rng(seed).standard_normal(samples) * 1000).astype(np.int16)
    values = dict(
        audio=audio, sample_rate=16000, label="yes", word="yes", speaker="s", source="test",
        clip_id=f"id{seed}", novelty="keyword", lead_in_ms=lead_in_ms,
    )  # fmt: skip
    return Clip(**{**values, **changes})


@pytest.mark.parametrize("lead_in_ms", [0, 20, 500, 507])
@pytest.mark.parametrize("name", ["micro", "log_mel"])
def test_frames_that_are_kept_begin_with_the_clip_whatever_its_lead_in(name, lead_in_ms):
    params = FeatureParams(frontend=name)
    frontend = features.create(params)
    example = clip(lead_in_ms=lead_in_ms)
    (kept,) = clip_features.features_of([example], frontend)
    assert kept.shape == params.feature_shape
    frames_before = lead_in_ms // 20
    start = example.lead_in_samples - frames_before * 320
    np.testing.assert_array_equal(kept, frontend.compute(example.audio[start:])[frames_before:])


def test_log_mel_of_a_clip_does_not_hear_its_lead_in():
    frontend = features.create(FeatureParams(frontend="log_mel"))
    example = clip(lead_in_ms=507)
    (kept,) = clip_features.features_of([example], frontend)
    np.testing.assert_array_equal(kept, frontend.compute(example.audio[507 * 16 :]))


def test_clips_of_different_lead_ins_keep_their_order():
    frontend = features.create(FeatureParams())
    clips = [clip(seed, lead_in_ms) for seed, lead_in_ms in enumerate((0, 500, 0, 40, 500))]
    together = clip_features.features_of(clips, frontend)
    for example, computed in zip(clips, together, strict=True):
        (alone,) = clip_features.features_of([example], frontend)
        np.testing.assert_array_equal(computed, alone)
    assert clip_features.features_of([], frontend) == []


@pytest.mark.parametrize(
    "changes, complaint",
    [
        ({"sample_rate": 8000}, r"id0 \('yes' of test\) has sample_rate=8000, the frontend 16000"),
        ({"audio": np.zeros(15999, np.int16)}, "id0 .* has 15999 samples .* is 16000"),
        ({"lead_in_ms": 100}, "id0 .* has 14400 samples after its lead-in of 100 ms"),
        ({"lead_in_ms": -1}, "id0 .* lead_in_ms=-1"),
        ({"label": "maybe"}, "id0 .* has label 'maybe', none of"),
    ],
)
def test_a_clip_that_does_not_fit_is_named(changes, complaint):
    clip_features.check_clip(clip(), FeatureParams(), LABELS)
    with pytest.raises(KwsError, match=complaint):
        clip_features.check_clip(dataclasses.replace(clip(), **changes), FeatureParams(), LABELS)


def test_the_slicing_keys_come_from_the_clip():
    source = clip(label="_unknown_", word="no", snr_db=7.0, augmentation="noisy")
    made = clip_features.feature_example(source, np.zeros((49, 40), np.uint16), LABELS)
    assert (made.label_index, made.label, made.word) == (1, "_unknown_", "no")
    assert (made.snr_bucket, made.augmentation) == ("0_to_10", "noisy")
    assert (made.speaker, made.source, made.clip_id) == ("s", "test", "id0")
