"""TFX's own Trainer executor, which also tells `run_fn` where its further inputs are."""

from typing import Any

from tfx import types
from tfx.components.trainer import executor, fn_args_utils
from tfx.types import artifact_utils

from components.inputs import joined, without_empty

STREAMS_KEY = "streams"
"""Of the input, and of the entry in run_fn's `custom_config`: a folder with `Split-eval/`."""
EMBEDDINGS_KEY = "speech_embedding"
"""Likewise: a folder with `Split-train/` and `Split-eval/`."""
REPLAY_KEY = "replay"
"""Likewise."""


class Executor(executor.GenericExecutor):
    """Runs `run_fn`; see TFX's class for what it is given."""

    def _GetFnArgs(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> fn_args_utils.FnArgs:
        input_dict = without_empty(joined(input_dict), "base_model", EMBEDDINGS_KEY)
        fn_args = super()._GetFnArgs(input_dict, output_dict, exec_properties)
        for key in (STREAMS_KEY, EMBEDDINGS_KEY, REPLAY_KEY):
            if input_dict.get(key):
                uri = artifact_utils.get_single_uri(input_dict[key])
                fn_args.custom_config = {**fn_args.custom_config, key: uri}
        return fn_args
