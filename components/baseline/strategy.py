"""Which model a candidate is compared with: the last one blessed before it."""

from typing import Any

from tfx import types
from tfx.dsl.components.common import resolver
from tfx.types import standard_artifacts

CANDIDATE = "candidate"
MODEL = "model"
BLESSING = "model_blessing"


class LastBlessedBeforeStrategy(resolver.ResolverStrategy):
    """Resolves the newest blessed model that is older than the candidate.

    TFX's LatestBlessedModelStrategy would, when an unchanged pipeline runs again, compare a model
    with itself: other inputs than the first time, so the evaluation and all that follows would run
    again for nothing. Artifact ids rise with time, so "older" is "of a lower id".
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
        model = max(older, key=lambda artifact: artifact.id, default=None)
        if model is None:
            return {CANDIDATE: candidates, MODEL: [], BLESSING: []}
        return {CANDIDATE: candidates, MODEL: [model], BLESSING: [blessings[model.id]]}


def baseline_resolver(candidate: types.BaseChannel) -> resolver.Resolver:
    """The node whose `model` output is the baseline (empty where there is none)."""
    return resolver.Resolver(
        strategy_class=LastBlessedBeforeStrategy,
        candidate=candidate,
        model=types.Channel(type=standard_artifacts.Model),
        model_blessing=types.Channel(type=standard_artifacts.ModelBlessing),
    ).with_id("Baseline")
