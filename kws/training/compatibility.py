"""What a configuration asks of training that its features or its model cannot give."""

from kws.features.params import FeatureParams
from kws.training import background_mixing
from kws.training.params import TrainingParams


def check(params: TrainingParams, features: FeatureParams, *, scenes: bool = False) -> None:
    """Refuses what could never work, before anything is computed.

    Args:
      params: the loop's settings.
      features: what the model is fed.
      scenes: whether it learns from labelled scenes, not from clips of one label.

    Raises:
      ValueError: says what and what would be right.
    """
    if params.background_mixing and features.frontend not in background_mixing.FRONTENDS:
        raise ValueError(
            f"{background_mixing.refusal(features.frontend)}: {background_mixing.HINT}"
        )
    stopping = params.early_stopping
    if stopping and stopping.hears_streams and stopping.clip_stride_ms % features.window_stride_ms:
        raise ValueError(
            f"training.early_stopping.clip_stride_ms={stopping.clip_stride_ms} is no multiple of "
            f"features.window_stride_ms={features.window_stride_ms}: the model can only run at a "
            "frame"
        )
    if params.spotting is not None:
        _check_spotting(params, features, scenes)
    if not scenes:
        return
    of_clips = {
        "mixup_alpha": params.mixup_alpha,
        "background_mixing": params.background_mixing,
        "sampling: balanced": params.sampling == "balanced",
        "early_stopping.metric: misses": stopping and stopping.hears_streams,
    }
    asked = [name for name, value in of_clips.items() if value]
    if asked:
        raise ValueError(f"training.{asked[0]} is for clips of one label, not for scenes")


def _check_spotting(params: TrainingParams, features: FeatureParams, scenes: bool) -> None:
    """Raises ValueError for what cannot go with training at every step."""
    if features.context_frames is None:
        raise ValueError(
            f"training.spotting needs clips longer than the model's context: clip_duration_ms="
            f"{features.clip_duration_ms}, features.context_ms={features.context_ms}; write for "
            "example clip_duration_ms: 3000 and features.context_ms: 1990"
        )
    teacher = params.spotting and params.spotting.teacher
    if teacher and features.clip_duration_ms < teacher.window_ms:
        raise ValueError(
            f"training.spotting.teacher.embeddings={teacher.embeddings} are {teacher.window_ms} ms "
            f"of sound, clip_duration_ms={features.clip_duration_ms} is shorter"
        )
    of_one_answer = {
        "mixup_alpha": params.mixup_alpha,
        "background_mixing": params.background_mixing,
        "sampling: balanced": params.sampling == "balanced",
        "distillation": params.distillation,
        "quantization_aware": params.quantization_aware,
        "hard_negatives": params.hard_negatives,
    }
    asked = [name for name, value in of_one_answer.items() if value]
    if scenes or asked:
        what = "scenes" if scenes else f"training.{asked[0]}"
        raise ValueError(f"training.spotting does not go with {what}: leave one of them out")


def check_on_embeddings(params: TrainingParams, model: str) -> None:
    """Refuses what cannot go with a model whose spotter is trained on embeddings.

    Args:
      params: the loop's settings.
      model: its name, for the error.

    Raises:
      ValueError: says what and what would be right.
    """
    if params.spotting is None:
        return
    if params.spotting.teacher is not None:
        raise ValueError(
            f"training.spotting.teacher: model {model} learns from the speech embedding itself: "
            "write teacher: null"
        )
    of_features = ("time_shift_frames", "time_mask_frames", "channel_mask", "channel_warp")
    for name in of_features:
        value = getattr(params, name)
        if value:
            raise ValueError(
                f"training.{name}={value} changes features, and model {model} is trained on the "
                "speech embedding of the clips: write 0; model.options.channel_dropout masks that"
            )
