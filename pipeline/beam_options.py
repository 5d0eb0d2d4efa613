"""Beam's options for single components, beside those of the whole pipeline."""

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from tfx.dsl.components.base import base_node
from tfx.dsl.components.base.base_beam_component import BaseBeamComponent

from pipeline.nodes import component_of


def given(
    nodes: Iterable[base_node.BaseNode], options: Mapping[str, Sequence[str]]
) -> list[base_node.BaseNode]:
    """Adds to each node what is said of its component, then what is said of it alone.

    TFX puts the pipeline's own options before these, and of an option given twice Beam takes the
    last: so the more special one holds.

    Args:
      nodes: of the pipeline, which has not been built from them yet.
      options: `beam_pipeline_args_of` of the configuration, by node or component.

    Returns:
      The same nodes.
    """
    changed = list(nodes)
    for node in changed:
        for name in dict.fromkeys((component_of(node.id), node.id)):
            if name in options:
                cast(BaseBeamComponent, node).with_beam_pipeline_args(list(options[name]))
    return changed
