"""Which statistics drift is measured from: the last ones accepted before these."""

from typing import Any

from tfx import types
from tfx.dsl.components.common import resolver
from tfx.types import standard_artifacts

CURRENT = "current"
STATISTICS = "statistics"
ANOMALIES = "anomalies"
VALIDATED_ID = "statistics_id"
"""Custom property of the validator's anomalies: the id of the statistics it accepted."""


class LastAcceptedBeforeStrategy(resolver.ResolverStrategy):
    """Resolves the newest accepted statistics that are older than the current ones.

    - Older: of a lower id, not of an earlier run. TFX's LatestArtifactStrategy would, when an
      unchanged pipeline runs again, find the current statistics themselves: another input than the
      first time, so validation would run again for nothing and find no drift.
    - Accepted: the validator let them pass. Refused data must not become what the next try is
      compared with.
    - Those of an earlier span go first (of the latest such span). Where there is none, as in a
      corpus without spans, they are those of the last ingestion before.
    """

    def resolve_artifacts(
        self, store: Any, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Keeps the current statistics, and at most one other."""
        current = max(input_dict.get(CURRENT, []), key=lambda artifact: artifact.id, default=None)
        if current is None:
            return {CURRENT: [], STATISTICS: [], ANOMALIES: []}
        accepted = {
            anomalies.get_int_custom_property(VALIDATED_ID)
            for anomalies in input_dict.get(ANOMALIES, [])
        }
        older = [
            statistics
            for statistics in input_dict.get(STATISTICS, [])
            if statistics.id < current.id and statistics.id in accepted
        ]
        earlier = [statistics for statistics in older if statistics.span < current.span]
        key = (lambda s: (s.span, s.id)) if earlier else (lambda s: s.id)
        previous = max(earlier or older, key=key, default=None)
        found = [] if previous is None else [previous]
        return {CURRENT: [current], STATISTICS: found, ANOMALIES: []}


def previous_statistics_resolver(current: types.BaseChannel) -> resolver.Resolver:
    """The node whose `statistics` output is what drift is measured from (empty at first)."""
    return resolver.Resolver(
        strategy_class=LastAcceptedBeforeStrategy,
        current=current,
        statistics=types.Channel(type=standard_artifacts.ExampleStatistics),
        anomalies=types.Channel(type=standard_artifacts.ExampleAnomalies),
    ).with_id("PreviousStatistics")
