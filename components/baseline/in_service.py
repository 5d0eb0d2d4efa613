"""Which model's streams a candidate is compared with: the last that all three judges blessed."""

import logging
import os
from typing import Any

from tfx import types
from tfx.dsl.components.common import resolver
from tfx.dsl.io import fileio
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components import blessing as blessings
from components.artifacts import StreamingEvaluation
from kws.runtime.int8_file import MODEL_FILE

CANDIDATE = "candidate"
MODEL = "model"
EVALUATION = "evaluation"
DETECTOR_FILE = "detector.json"


class LastInServiceStrategy(resolver.ResolverStrategy):
    """Resolves the newest model older than the candidate that could be pushed, and its detector.

    Blessed by the Evaluator (or SceneEvaluator), the StreamingEvaluator and the MicroValidator: a
    bundle was made of it. One that only a single judge liked never was anywhere, and no candidate
    has to be as good as that. Older than the candidate, so that an unchanged pipeline, run again,
    does not compare a model with itself (see `strategy.LastBlessedBeforeStrategy`). One that was
    rolled back is not in service any more.

    Streams are audio, so it may have another frontend, architecture or stride. Models whose files
    are gone are passed over.
    """

    def resolve_artifacts(
        self, store: Any, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Keeps the candidate, at most one model, and the evaluation with its detector."""
        candidates = input_dict.get(CANDIDATE, [])
        newest = max((artifact.id for artifact in candidates), default=0)
        blessed = blessings.by_all_judges(input_dict)
        evaluations: dict[int, types.Artifact] = {}
        for evaluation in input_dict.get(EVALUATION, []):
            judged = evaluation.get_int_custom_property(blessings.MODEL_ID)
            if judged not in evaluations or evaluations[judged].id < evaluation.id:
                evaluations[judged] = evaluation
        older = [
            model
            for model in input_dict.get(MODEL, [])
            if model.id < newest and model.id in blessed and model.id in evaluations
        ]
        there = [model for model in older if _is_there(model, evaluations[model.id])]
        found = max(there, key=lambda artifact: artifact.id, default=None)
        others = blessings.none_of_them()
        if found is None:
            logging.info("Last model in service: none (%d without their files)", len(older))
            return {CANDIDATE: candidates, MODEL: [], EVALUATION: [], **others}
        return {
            CANDIDATE: candidates,
            MODEL: [found],
            EVALUATION: [evaluations[found.id]],
            **others,
        }


def _is_there(model: types.Artifact, evaluation: types.Artifact) -> bool:
    files = (
        os.path.join(path_utils.serving_model_path(model.uri), MODEL_FILE),
        os.path.join(evaluation.uri, DETECTOR_FILE),
    )
    return all(fileio.exists(file) for file in files)


def in_service_resolver(candidate: types.BaseChannel) -> resolver.Resolver:
    """The node whose outputs are `model` and `evaluation` (both empty where there is none)."""
    return resolver.Resolver(
        strategy_class=LastInServiceStrategy,
        candidate=candidate,
        model=types.Channel(type=standard_artifacts.Model),
        evaluation=types.Channel(type=StreamingEvaluation),
        **blessings.channels(),
    ).with_id("InService")
