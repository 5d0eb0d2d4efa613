"""TFX's own Evaluator, told to judge the int8 network by our gates."""

from collections.abc import Sequence

import tfx.v1 as tfx
from tfx.types import BaseChannel

from components.evaluator.eval_config import eval_config
from components.evaluator.params import EvaluationParams
from kws.labels import label_list
from kws.splits import TEST


def evaluator(
    model: BaseChannel,
    examples: BaseChannel,
    baseline_model: BaseChannel | None,
    params: EvaluationParams,
    keywords: Sequence[str],
) -> tfx.components.Evaluator:
    """Builds the Evaluator.

    Args:
      model: MicroConverter's model.
      examples: feature examples; the test split is judged.
      baseline_model: the last blessed model, if there is one.
      params: the gates.
      keywords: the model's keywords.

    Outputs of the component:
      evaluation: metrics, plots and validations in TFMA's format, sliced.
      blessing: blessed if every threshold holds.
    """
    return tfx.components.Evaluator(
        model=model,
        examples=examples,
        baseline_model=baseline_model,
        eval_config=eval_config(params, label_list(keywords)),
        example_splits=[TEST],
        module_path="components.evaluator.predictor",
    )
