"""The `tuner_fn` of our Tuner: audio examples in, a search of KerasTuner out.

TFX finds it by its import path (see `components.tuner.component`), so no module file has to be
packed.
"""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from tfx.v1.components import TunerFnResult

from kws import labels
from kws.features.params import FeatureParams
from kws.models.params import ModelParams
from kws.training import fit
from kws.training.params import TrainingParams
from kws.training.tuning import TuningParams
from kws.training.tuning_data import ClipData
from kws.training.tuning_space import Sections

if TYPE_CHECKING:
    from tfx.components.trainer.fn_args_utils import FnArgs

_INDIFFERENT = {"budget_minutes", "max_trials"}
"""A search that was killed may go on with another limit."""


def tuner_fn(fn_args: "FnArgs") -> TunerFnResult:
    """Makes the search; called by the Tuner's executor, which then runs it.

    Its `custom_config` holds `tuning`, `model`, `training`, `features` (each section as JSON),
    `keywords` (a JSON list), and `folder`: it stays where it is from run to run, so that a search
    that was killed can go on. A folder in it is named by all that decides the search.
    """
    from kws.training.tuning_search import Search

    fit.prepare_device()
    config = fn_args.custom_config
    tuning = TuningParams.from_json(config["tuning"])
    sections = Sections(
        ModelParams.from_json(config["model"]),
        TrainingParams.from_json(config["training"]),
        FeatureParams.from_json(config["features"]),
    )
    parts = [
        tuning.model_dump_json(exclude=_INDIFFERENT),
        *(section.to_json() for section in sections),
        config["keywords"],
        *fn_args.train_files,
        *fn_args.eval_files,
    ]
    key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    folder = Path(config["folder"]) / key
    names = labels.label_list(json.loads(config["keywords"]))
    data = ClipData(fn_args.train_files, fn_args.eval_files, names, folder / "features")
    return TunerFnResult(tuner=Search(tuning, sections, data, folder), fit_kwargs={})
