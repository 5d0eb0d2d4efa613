"""TFX's own Evaluator, told to judge the int8 network by our gates."""

from collections.abc import Sequence

import tfx.v1 as tfx
from tfx.dsl.components.base import executor_spec
from tfx.types import BaseChannel

from components.evaluator import executor
from components.evaluator.eval_config import eval_config
from components.evaluator.params import EvaluationParams
from kws.labels import label_list
from kws.splits import TEST


class Evaluator(tfx.components.Evaluator):
    """TFX's Evaluator with our executor, see `executor.Executor`."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)


def evaluator(
    model: BaseChannel,
    examples: BaseChannel,
    baseline_model: BaseChannel | None,
    params: EvaluationParams,
    keywords: Sequence[str],
) -> Evaluator:
    """Builds the Evaluator.

    Args:
      model: MicroConverter's model.
      examples: feature examples; the test split is judged.
      baseline_model: the last model in service of the same features; may be empty.
      params: the gates.
      keywords: the model's keywords.

    Outputs of the component:
      evaluation: metrics, plots and validations in TFMA's format, sliced.
      blessing: blessed if every threshold holds; `gates.json`, and the custom properties `reasons`
        and `gates` of `components.blessing`.
    """
    return Evaluator(
        model=model,
        examples=examples,
        baseline_model=baseline_model,
        eval_config=eval_config(params, label_list(keywords)),
        example_splits=[TEST],
        module_path="components.evaluator.predictor",
    )
