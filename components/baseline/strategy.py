"""Which model a candidate is compared with on clips: the last one in service before it."""

import logging
import os
from typing import Any

from tfx import types
from tfx.dsl.components.common import resolver
from tfx.dsl.io import fileio
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components import blessing as blessings
from kws.features.params import FRONTEND_FILE, FeatureParams

CANDIDATE = "candidate"
MODEL = "model"


class LastBlessedBeforeStrategy(resolver.ResolverStrategy):
    """Resolves the newest model that all three judges blessed and that is older than the candidate.

    A model that only the Evaluator liked never was anywhere: of clips with wrong labels it may have
    learned just these, and be no measure for clips with right ones.

    TFX's LatestBlessedModelStrategy would, when an unchanged pipeline runs again, compare a model
    with itself: other inputs than the first time, so the evaluation and all that follows would run
    again for nothing. Artifact ids rise with time, so "older" is "of a lower id".

    A model of other features is no baseline: on the candidate's examples it would be judged by
    what it never heard. After a change of the frontend the first candidate has none.
    """

    def resolve_artifacts(
        self, store: Any, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Keeps the candidate, and at most one model."""
        candidates = input_dict.get(CANDIDATE, [])
        newest = max((artifact.id for artifact in candidates), default=0)
        blessed = blessings.by_all_judges(input_dict)
        older = [m for m in input_dict.get(MODEL, []) if m.id < newest and m.id in blessed]
        own = {_features(c) for c in candidates if c.id == newest}
        alike = [m for m in older if _features(m) in own]
        model = max(alike, key=lambda artifact: artifact.id, default=None)
        if model is None and older:
            logging.info("Baseline: none of %d older models has these features", len(older))
        others = blessings.none_of_them()
        return {CANDIDATE: candidates, MODEL: [model] if model else [], **others}


def _features(model: types.Artifact) -> FeatureParams | None:
    """What a model was trained on; None where nothing says it."""
    path = os.path.join(path_utils.serving_model_path(model.uri), FRONTEND_FILE)
    if not fileio.exists(path):
        return None
    with fileio.open(path) as file:
        return FeatureParams.from_json(file.read())


def baseline_resolver(candidate: types.BaseChannel) -> resolver.Resolver:
    """The node whose `model` output is the baseline (empty where there is none)."""
    return resolver.Resolver(
        strategy_class=LastBlessedBeforeStrategy,
        candidate=candidate,
        model=types.Channel(type=standard_artifacts.Model),
        **blessings.channels(),
    ).with_id("Baseline")
