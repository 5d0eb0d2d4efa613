"""Conversion of a model that answers at every step of a scene: judged by the F1 of the steps."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kws.errors import KwsError
from kws.export import flatbuffer
from kws.export.convert import Conversion, ConversionFigures, quantize
from kws.export.params import ConversionParams
from kws.features.params import FeatureParams
from kws.models.params import ModelParams
from kws.scenes.example import SceneFeatures
from kws.scenes.scoring import StepCounts, count_steps, device_scores, float_scores

if TYPE_CHECKING:
    import tensorflow as tf

CALIBRATION_SCENES = 12
"""Two minutes: 16,500 steps of ten seconds at 44.1 kHz."""
TWIN_SCENES = 1


def convert_steps(
    model: "tf.keras.Model",
    representative: Sequence[SceneFeatures],
    judged: Sequence[SceneFeatures],
    keyword: str,
    feature_params: FeatureParams,
    params: ConversionParams,
    model_params: ModelParams,
) -> Conversion:
    """Quantizes the one-step form and checks the result on whole scenes.

    Args:
      model: float32 `[batch, frames, channels]` to `[batch, steps, 1]`.
      representative: scenes of the training split, fed as one stream.
      judged: scenes of the eval split; float is the form that was trained, int8 the device's.
      keyword: the only label.
      feature_params: of whole scenes.
      params: `max_f1_drop` is held.
      model_params: what the model was built by.

    Raises:
      KwsError: no scenes, the twins are not the same network, or int8 loses too much.
    """
    import tensorflow as tf

    for what, scenes in (("training", representative), ("eval", judged)):
        if not scenes:
            raise KwsError(f"the {what} split holds no scene", hint="conversion needs both")
    features = [scene.features for scene in judged]
    typical = np.stack([scene.features for scene in representative])
    sample = np.stack(features[:TWIN_SCENES])
    files = quantize(model, typical, sample, [keyword], feature_params, model_params)

    in_float, in_int8 = StepCounts(), StepCounts()
    same, score = 0, float_scores(model, feature_params)
    for scene in judged:
        said_float = score(scene.features)
        said_int8 = device_scores(files.int8, scene.features, len(scene.steps))
        in_float += count_steps(scene.steps, said_float)
        in_int8 += count_steps(scene.steps, said_int8)
        same += int(np.count_nonzero((said_float >= 0.5) == (said_int8 >= 0.5)))
    float_f1, int8_f1 = (float(np.nan_to_num(counts.f1)) for counts in (in_float, in_int8))
    if float_f1 - int8_f1 > params.max_f1_drop + 1e-9:
        raise KwsError(
            f"the int8 model's F1 of steps, {int8_f1:.3f}, is {float_f1 - int8_f1:.3f} below that "
            f"of the float one, {float_f1:.3f}, on {len(judged)} eval scenes; "
            f"max_f1_drop={params.max_f1_drop} is allowed",
            hint="features of a narrower range (features.decibel_floor), or more training",
        )
    ones = int(sum(scene.steps.sum() for scene in representative))
    figures = ConversionFigures(
        kind=files.int8.kind,
        frames_per_step=files.form.frames_per_step,
        float_accuracy=in_float.accuracy,
        int8_accuracy=in_int8.accuracy,
        accuracy_drop=in_float.accuracy - in_int8.accuracy,
        float_f1=float_f1,
        int8_f1=int8_f1,
        same_answers=same / in_float.steps,
        eval_examples=in_float.steps,
        twin_examples=len(sample),
        twin_difference_steps=0,
        twin_rounding_share=files.twin_rounding_share,
        model_bytes=len(files.model),
        input_scale=files.int8.input_scale,
        input_zero_point=files.int8.input_zero_point,
        output_scale=files.int8.output_scale,
        output_zero_point=files.int8.output_zero_point,
        operators=flatbuffer.count_operators(files.model),
        representative_counts={keyword: ones},
        tensorflow_version=tf.__version__,
    )
    return Conversion(model=files.model, float_io=files.float_io, figures=figures)
