"""The best hyperparameters of a Tuner, as a component that has them as an input reads them."""

import json
from collections.abc import Sequence
from typing import Any

from tfx import types
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.utils import io_utils

from kws.training.tuning_space import values_of


def best_values(artifacts: Sequence[types.Artifact] | None) -> dict[str, Any]:
    """Path of a field to its value; empty where there was no Tuner.

    Args:
      artifacts: of type `standard_artifacts.HyperParameters`: one, or none.
    """
    if not artifacts:
        return {}
    file = io_utils.get_only_uri_in_dir(artifact_utils.get_single_uri(list(artifacts)))
    with fileio.open(file) as read:
        return values_of(json.load(read))
