"""Which model a candidate is compared with: the last one blessed before it."""

import logging
import os
from typing import Any

from tfx import types
from tfx.dsl.components.common import resolver
from tfx.dsl.io import fileio
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from kws.features.params import FRONTEND_FILE, FeatureParams

CANDIDATE = "candidate"
MODEL = "model"
BLESSING = "model_blessing"


class LastBlessedBeforeStrategy(resolver.ResolverStrategy):
    """Resolves the newest blessed model that is older than the candidate.

    TFX's LatestBlessedModelStrategy would, when an unchanged pipeline runs again, compare a model
    with itself: other inputs than the first time, so the evaluation and all that follows would run
    again for nothing. Artifact ids rise with time, so "older" is "of a lower id".

    A model of other features is no baseline: on the candidate's examples it would be judged by
    what it never heard. After a change of the frontend the first candidate has none.
    """

    def resolve_artifacts(
        self, store: Any, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Keeps the candidate, and at most one model and its blessing."""
        candidates = input_dict.get(CANDIDATE, [])
        newest = max((artifact.id for artifact in candidates), default=0)
        blessings = {
            blessing.get_int_custom_property("current_model_id"): blessing
            for blessing in input_dict.get(BLESSING, [])
            if blessing.get_int_custom_property("blessed") == 1
        }
        older = [m for m in input_dict.get(MODEL, []) if m.id < newest and m.id in blessings]
        own = {_features(c) for c in candidates if c.id == newest}
        alike = [m for m in older if _features(m) in own]
        model = max(alike, key=lambda artifact: artifact.id, default=None)
        if model is None:
            if older:
                logging.info("Baseline: none of %d older models has these features", len(older))
            return {CANDIDATE: candidates, MODEL: [], BLESSING: []}
        return {CANDIDATE: candidates, MODEL: [model], BLESSING: [blessings[model.id]]}


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
        model_blessing=types.Channel(type=standard_artifacts.ModelBlessing),
    ).with_id("Baseline")
