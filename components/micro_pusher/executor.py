"""MicroPusher's executor: three blessings or nothing."""

import datetime
import json
from typing import Any

from absl import logging
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils

from components import staging
from components.blessing import BLESSINGS, OWN_CLIPS_BLESSING, describe
from kws.bundle import publishing
from kws.bundle.destinations import open_destination
from kws.gates import Gate, read_gates, write_gates

TERMS = "terms_of_the_data"
"""Beside the blessings that are missing: the terms of a source keep the model from being pushed."""


class Executor(base_executor.BaseExecutor):
    """See `component.MicroPusher`."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Pushes, or says why not.

        Raises:
          KwsError: the bundle cannot be written (see `kws.bundle.publishing.publish`).
        """
        inputs = {
            key: artifact_utils.get_single_instance(artifacts)
            for key, artifacts in input_dict.items()
            if artifacts
        }
        pushed = artifact_utils.get_single_instance(output_dict["pushed_model"])
        info = json.loads(exec_properties["info"])
        judges = [*BLESSINGS, *([OWN_CLIPS_BLESSING] if OWN_CLIPS_BLESSING in inputs else [])]
        missing = [key for key in judges if not _blessed(inputs[key])]
        held_back = info.get("held_back", [])
        if held_back:
            missing.append(TERMS)
            _describe_terms(pushed, held_back)
        if missing:
            pushed.set_int_custom_property("pushed", 0)
            pushed.set_string_custom_property("missing_blessings", ", ".join(missing))
            logging.warning("MicroPusher: NOT pushed, refused: %s", ", ".join(missing))
            for key in ("streaming_blessing", "infra_blessing"):
                if key in missing:
                    _log_failures(inputs[key])
            return

        # Here, and not at the top: it brings TFMA, which a refusal has no need of.
        from components.micro_pusher import gather

        now = datetime.datetime.now(datetime.timezone.utc)
        contents = gather.contents(
            inputs,
            info,
            version=now.strftime("%Y%m%d%H%M%S"),
            created=now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            run=getattr(self._context, "pipeline_run_id", None),
        )
        place = publishing.publish(contents, open_destination(exec_properties["destination"]))
        pushed.set_int_custom_property("pushed", 1)
        pushed.set_string_custom_property("pushed_destination", place)
        pushed.set_string_custom_property("pushed_version", contents.version)
        logging.info("MicroPusher: pushed to %s", place)


def _describe_terms(pushed: types.Artifact, held_back: list[str]) -> None:
    """A gate of the sources that may not be used for everything, in the artifact's folder."""
    gate = Gate(
        name="data.restricted_sources",
        value=len(held_back),
        limit=0,
        at_most=True,
        unit="sources",
        detail="; ".join(held_back),
    )
    with staging.written(pushed.uri) as folder:
        write_gates(folder, [gate])
    describe(pushed, [gate])
    for sentence in held_back:
        logging.warning("MicroPusher: %s", sentence)


def _blessed(blessing: types.Artifact) -> bool:
    return blessing.get_int_custom_property("blessed") == 1


def _log_failures(blessing: types.Artifact) -> None:
    try:
        gates = read_gates(blessing.uri)
    except FileNotFoundError:
        return
    for gate in gates:
        if not gate.passed:
            logging.warning("MicroPusher: %s", gate.sentence())
