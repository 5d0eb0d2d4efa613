"""TFX's own Tuner executor, which also leaves the table of all trials."""

import os
import shutil
from pathlib import Path
from typing import Any

from tfx import types
from tfx.components.tuner import executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import json_utils

from components.inputs import joined
from kws.report.tables import to_text, tuning_table
from kws.training.tuning import TUNING_FILE

TABLE_FILE = "trials.txt"
_WIDTH = 160


class Executor(executor.Executor):
    """Runs `tuner_fn`; see TFX's class for what it is given."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Searches, writes what was found, and clears the folder of the search.

        Raises:
          KwsError: no trial came through, or the clips do not fit the configuration.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        search = executor.search(
            joined(input_dict), exec_properties, self._get_tmp_dir(), print_tuning_summary=False
        )
        executor.write_best_hyperparameters(search, output_dict)
        results = artifact_utils.get_single_uri(
            output_dict[standard_component_specs.TUNER_RESULTS_KEY]
        )
        report = search.report.model_dump_json(indent=2) + "\n"
        table = to_text(tuning_table(search.report), _WIDTH)
        for name, text in ((TUNING_FILE, report), (TABLE_FILE, table)):
            with fileio.open(os.path.join(results, name), "w") as file:
                file.write(text)
        config = json_utils.loads(exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY])
        logged = Path(config["report_file"])
        logged.parent.mkdir(parents=True, exist_ok=True)
        logged.write_text(report)
        shutil.rmtree(config["folder"], ignore_errors=True)
