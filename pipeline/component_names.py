"""Names of the pipeline's components, for the sections of the configuration that speak of them.

A component may have several nodes, as `Trainer` has `FirstTrainer` and `Trainer`. Settings for a
component apply to all of its nodes, settings for a node to that node only. The nodes of
RegistryLookup and RegistryKeeper have nothing in common but the registry, so each counts as a
component. This module imports no TFX, so that a configuration loads fast; a test holds it against
the pipeline.
"""

import re
from collections.abc import Iterable

BEAM = (
    "AudioExampleGen",
    "StatisticsGen",
    "AudioSynthesizer",
    "SpectrogramTransform",
    "Evaluator",
    "StreamingEvaluator",
)
"""Whose work is a Beam pipeline."""

OTHERS = (
    "NewData",
    "AudioSchemaGen",
    "ImportSchemaGen",
    "PreviousStatistics",
    "StrictExampleValidator",
    "StatisticsKeeper",
    "Tuner",
    "BaseModel",
    "Trainer",
    "HardNegativeMiner",
    "MicroConverter",
    "ServedModel",
    "SceneEvaluator",
    "MicroValidator",
    "MicroPusher",
    "ModelKeeper",
)

_SEVERAL = re.compile(r"^First(?=Trainer$)|^OwnClips(?=Evaluator$)|(?<=[a-z])\d+$")


def component_of(node: str) -> str:
    """The component of a node: `Trainer` of `FirstTrainer`, `Trainer2` and `Trainer`."""
    return _SEVERAL.sub("", node)


def check(section: str, names: Iterable[str], known: Iterable[str], why: str) -> None:
    """Refuses names that are none of `known`, nor nodes of one.

    Args:
      section: of the configuration, for the message.
      names: what it speaks of.
      known: components.
      why: what the others are not, e.g. "no component that runs Beam".

    Raises:
      ValueError: names the first.
    """
    known = tuple(known)
    for name in names:
        if name not in known and component_of(name) not in known:
            raise ValueError(f"{section} names {name!r}, {why}: there are {', '.join(known)}")
