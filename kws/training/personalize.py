"""Personalisation: a trained model is fitted a little more, to the voice of one user.

Ten clips would soon be all that a model knows. So each goes in with noisy and changed copies of
itself (`kws.augment`), and among many examples of the original training ("replay": Robins,
"Catastrophic forgetting, rehearsal and pseudorehearsal", 1995), at a low learning rate, in few
epochs. What was won and lost is told by clips that were kept back and by the original test split.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pydantic

from kws.errors import KwsError
from kws.features import model_input
from kws.features.example import FeatureExample
from kws.features.params import FeatureParams
from kws.params import Params
from kws.training import dataset
from kws.training.callbacks import Progress
from kws.training.fit import fit
from kws.training.objective import Evaluation, LabelObjective
from kws.training.params import TrainingParams

if TYPE_CHECKING:
    import tensorflow as tf

_OFF = (
    "weight_average", "early_stopping", "quantization_aware", "distillation", "warm_start",
    "hard_negatives", "sampling",
)  # fmt: skip
"""Of the original training, what a short fit on top of it does without."""


class PersonalizeParams(Params):
    """How a model is fitted to a user."""

    held_out_share: float = pydantic.Field(0.3, ge=0, lt=1, description="of each keyword's clips")
    copies: int = pydantic.Field(20, ge=0, le=200, description="noisy ones of each clip")
    replay: int = pydantic.Field(3000, ge=0, description="examples of the original training")
    epochs: int = pydantic.Field(4, ge=1)
    learning_rate: float = pydantic.Field(2e-4, gt=0, description="peak")
    max_drop: float = pydantic.Field(
        0.02,
        ge=0,
        le=1,
        description="accuracy that may be lost on the original test split, and false positives "
        "that may be won there",
    )
    seed: int = 0


def fine_tune(
    model: "tf.keras.Model",
    train: Sequence[FeatureExample],
    judged: Sequence[FeatureExample],
    labels: Sequence[str],
    feature_params: FeatureParams,
    original: TrainingParams,
    params: PersonalizeParams,
    progress: Progress | None = None,
) -> None:
    """Fits the model in place; it ends with the last epoch's weights.

    Args:
      model: with the original weights.
      train: the user's examples and the replayed ones.
      judged: whose accuracy is logged after every epoch; it decides nothing.
      labels, feature_params: of the model.
      original: masks, smoothing, class weights are those of the original training.
      params: see there.
      progress: see `kws.training.fit.fit`.
    """
    defaults = TrainingParams()
    kept = {name: getattr(defaults, name) for name in _OFF if name in TrainingParams.model_fields}
    changed = {
        "epochs": params.epochs,
        "learning_rate": params.learning_rate,
        "schedule": "cosine",
        "warmup_share": 0.1,
        "batch_size": min(64, original.batch_size),
        "seed": params.seed,
    }
    settings = original.model_copy(update={**kept, **changed})
    data = dataset_of(train, labels, feature_params)
    fit(
        model,
        data,
        dataset_of(judged, labels, feature_params),
        settings,
        objective=_LastEpoch(data, settings),
        progress=progress,
    )


class _LastEpoch(LabelObjective):
    """Ordinary training, of which the last epoch is kept: the rate has fallen to nothing there, and
    to choose by the original test split would be to choose the epoch that learned least."""

    def evaluator(self, model: "tf.keras.Model", data: dataset.Dataset) -> Callable[[], Evaluation]:
        evaluate = super().evaluator(model, data)
        done = iter(range(1, 1 << 30))
        return lambda: evaluate().model_copy(update={"merit": (float(next(done)),)})


def dataset_of(
    examples: Sequence[FeatureExample], labels: Sequence[str], params: FeatureParams
) -> dataset.Dataset:
    """The examples in memory.

    Raises:
      KwsError: there are none.
    """
    if not examples:
        raise KwsError("there are no examples to train or evaluate on")
    return dataset.from_arrays(
        np.stack([example.features for example in examples]),
        np.array([example.label_index for example in examples], np.int32),
        [example.clip_id for example in examples],
        labels,
        scale=model_input.input_scale(params),
    )
