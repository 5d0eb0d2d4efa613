"""Inputs that an executor is given in another form than TFX's own executors expect.

Examples of several origins come by several inputs, `examples`, `more_examples`, `more_examples_2`
and so on: Kubeflow's compiler takes no union of channels. And a component that found nothing gives
an empty artifact, not none.
"""

from collections.abc import Sequence

from tfx import types
from tfx.dsl.io import fileio
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter

EXAMPLES = "examples"
MORE_EXAMPLES = ("more_examples", *(f"more_examples_{number}" for number in (2, 3, 4)))
"""As many as there are rounds of mining at the most (`training.hard_negatives.rounds`)."""

Inputs = dict[str, list[types.Artifact]]


def more_examples_parameters() -> dict[str, ChannelParameter]:
    """The inputs of a component's spec for them."""
    return {
        key: ChannelParameter(type=standard_artifacts.Examples, optional=True)
        for key in MORE_EXAMPLES
    }


def more_examples(channels: Sequence[types.BaseChannel]) -> dict[str, types.BaseChannel]:
    """The arguments of such a spec, one channel an input."""
    if len(channels) > len(MORE_EXAMPLES):
        raise ValueError(f"{len(channels)} channels are more than {len(MORE_EXAMPLES)}")
    return dict(zip(MORE_EXAMPLES, channels, strict=False))


def joined(input_dict: Inputs) -> Inputs:
    """`examples` and all `more_examples` as one list."""
    rest = {key: value for key, value in input_dict.items() if key not in MORE_EXAMPLES}
    more = [artifact for key in MORE_EXAMPLES for artifact in input_dict.get(key) or []]
    if not more:
        return rest
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
