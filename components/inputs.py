"""What an executor is given on Kubeflow, made what it is given locally.

Two things are different there. A task's input is one channel, so what is a union locally comes by a
second input, `more_examples`. And an input is always there: a task that found nothing gives an
empty artifact, where locally a resolver gives no artifact.
"""

from tfx import types
from tfx.dsl.io import fileio

EXAMPLES = "examples"
MORE_EXAMPLES = "more_examples"

Inputs = dict[str, list[types.Artifact]]


def joined(input_dict: Inputs) -> Inputs:
    """`examples` and `more_examples` as one list."""
    more = input_dict.get(MORE_EXAMPLES) or []
    if not more:
        return input_dict
    rest = {key: value for key, value in input_dict.items() if key != MORE_EXAMPLES}
    return {**rest, EXAMPLES: [*input_dict[EXAMPLES], *more]}


def without_empty(input_dict: Inputs, *keys: str) -> Inputs:
    """The optional inputs `keys` without artifacts of which the folder is empty or not there."""
    kept = {**input_dict}
    for key in keys:
        if key in kept:
            kept[key] = [artifact for artifact in kept[key] if not _is_empty(artifact.uri)]
    return kept


def _is_empty(uri: str) -> bool:
    return not (fileio.isdir(uri) and fileio.listdir(uri))
