"""Beam's options for single components, beside those of the whole pipeline."""

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from tfx.dsl.components.base import base_node
from tfx.dsl.components.base.base_beam_component import BaseBeamComponent

from components import beam_args
from pipeline.component_names import component_of

_NO_IMAGE_SAID = "--sdk_container_image="


def given(
    nodes: Iterable[base_node.BaseNode],
    of_all: Sequence[str],
    options: Mapping[str, Sequence[str]],
) -> list[base_node.BaseNode]:
    """Adds to each node what is said of its component, then what is said of it alone.

    TFX puts the pipeline's own options before these, and of an option given twice Beam takes the
    last: so the more special one holds.

    Args:
      nodes: of the pipeline, which has not been built from them yet.
      of_all: `beam_pipeline_args` of the configuration.
      options: `beam_pipeline_args_of` of the configuration, by node or component.

    Returns:
      The same nodes.

    Raises:
      KwsError: together they are nothing that Beam can run with.
    """
    changed = list(nodes)
    for node in changed:
        names = dict.fromkeys((component_of(node.id), node.id))
        own = [option for name in names for option in options.get(name, ())]
        if own:
            together = beam_args.complete([*of_all, *own])
            if beam_args.PACKAGES_ARE_THERE not in together:
                # It is among the pipeline's own; workers elsewhere would look for that image.
                own = [_NO_IMAGE_SAID, *own]
            cast(BaseBeamComponent, node).with_beam_pipeline_args(own)
    return changed
