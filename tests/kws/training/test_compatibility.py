"""What training cannot do with these features is said before anything is computed."""

import pytest

from kws.features.params import FeatureParams
from kws.training import compatibility
from kws.training.background_mixing import BackgroundMixingParams
from kws.training.params import EarlyStoppingParams, SpottingParams, TrainingParams
from kws.training.teacher import TeacherParams

MIXING = TrainingParams(background_mixing=BackgroundMixingParams())
SPOTTING = TrainingParams(spotting=SpottingParams())
LONG_CLIPS = FeatureParams(clip_duration_ms=3000, context_ms=1990, window_stride_ms=10)
MISSES = TrainingParams(early_stopping=EarlyStoppingParams(metric="misses", clip_stride_ms=90))


@pytest.mark.parametrize("frontend", ["micro", "mfcc"])
def test_background_in_features_that_do_not_add_is_refused_with_the_way_there_is(frontend):
    with pytest.raises(ValueError, match=f"frontend {frontend} do not add.* noisy_copies mixes"):
        compatibility.check(MIXING, FeatureParams(frontend=frontend))


def test_background_in_powers_is_allowed():
    compatibility.check(MIXING, FeatureParams(frontend="log_mel"))


def test_streams_must_be_heard_at_a_frame():
    with pytest.raises(ValueError, match="clip_stride_ms=90 is no multiple"):
        compatibility.check(MISSES, FeatureParams(window_stride_ms=20))


def test_what_needs_one_label_a_clip_is_refused_for_scenes():
    with pytest.raises(ValueError, match=r"training.mixup_alpha is for clips of one label"):
        compatibility.check(TrainingParams(mixup_alpha=0.2), FeatureParams(), scenes=True)
    compatibility.check(TrainingParams(), FeatureParams(), scenes=True)


@pytest.mark.parametrize("context_ms", [None, 3000, 2999])
def test_training_at_every_step_needs_clips_of_more_than_one_context(context_ms):
    compatibility.check(SPOTTING, LONG_CLIPS)
    features = LONG_CLIPS.model_copy(update={"context_ms": context_ms})
    # 2999 ms have as many frames as 3000 ms minus one: one step more fits.
    if context_ms == 2999:
        compatibility.check(SPOTTING, features)
        return
    with pytest.raises(ValueError, match=r"training.spotting needs clips longer than .* context"):
        compatibility.check(SPOTTING, features)


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ({"mixup_alpha": 0.2}, "mixup_alpha"),
        ({"sampling": "balanced"}, "sampling: balanced"),
        ({"distillation": {"teacher": {"name": "tiny_conv"}}}, "distillation"),
        ({"quantization_aware": {}}, "quantization_aware"),
        ({"hard_negatives": {}}, "hard_negatives"),
    ],
)
def test_what_needs_one_answer_a_clip_does_not_go_with_training_at_every_step(asked, name):
    params = TrainingParams(spotting=SpottingParams(), **asked)
    with pytest.raises(ValueError, match=f"training.spotting does not go with training.{name}"):
        compatibility.check(params, LONG_CLIPS)
    with pytest.raises(ValueError, match=r"training.spotting does not go with scenes"):
        compatibility.check(SPOTTING, LONG_CLIPS, scenes=True)


def test_a_teacher_hears_no_more_than_a_clip():
    params = TrainingParams(spotting=SpottingParams(teacher=TeacherParams(embeddings=30)))
    with pytest.raises(ValueError, match=r"embeddings=30 are 3102 ms .* clip_duration_ms=3000"):
        compatibility.check(params, LONG_CLIPS)
    compatibility.check(TrainingParams(spotting=SpottingParams(teacher=None)), LONG_CLIPS)


def test_a_model_on_embeddings_has_no_teacher_and_no_masks_of_features():
    own = SpottingParams(teacher=None)
    fine = TrainingParams(spotting=own, time_shift_frames=0)
    compatibility.check_on_embeddings(fine, "speech_embedding")
    with pytest.raises(ValueError, match="write teacher: null"):
        compatibility.check_on_embeddings(
            fine.model_copy(update={"spotting": SpottingParams()}), "speech_embedding"
        )
    with pytest.raises(ValueError, match=r"training\.time_shift_frames=5 changes features"):
        compatibility.check_on_embeddings(TrainingParams(spotting=own), "speech_embedding")
