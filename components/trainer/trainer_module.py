"""The `run_fn` of TFX's own Trainer: feature examples in, a float SavedModel out.

The Trainer finds it by its import path (see `components.trainer.component`), so no module file has
to be packed. The feature examples' artifact carries `frontend.json` in its root; the model's folder
(`Format-Serving`) gets it too, with `labels.txt` and `training.json`. TensorBoard's logs go to the
`model_run` output.
"""

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kws import features, labels
from kws.errors import KwsError
from kws.features import files, model_input
from kws.models import registry
from kws.models.params import ModelParams
from kws.training import checkpoint, dataset, export
from kws.training.fit import fit
from kws.training.params import TrainingParams

if TYPE_CHECKING:
    from tfx.components.trainer.fn_args_utils import FnArgs

log = logging.getLogger(__name__)


def run_fn(fn_args: "FnArgs") -> None:
    """Trains and exports; called by TFX's Trainer.

    Its `custom_config` holds `model` (ModelParams), `training` (TrainingParams) and `keywords`,
    each as JSON, and `checkpoint_dir`: a folder that stays where it is from run to run, so that a
    killed training can go on; it is cleared once the model is exported. Without it nothing is
    resumed. `num_steps` of train_args and eval_args are not read: `training.epochs` is.

    Raises:
      KwsError: the examples do not fit the configuration, or there are none.
    """
    config = fn_args.custom_config
    model_params = ModelParams.from_json(config["model"])
    params = TrainingParams.from_json(config["training"])
    names = labels.label_list(json.loads(config["keywords"]))
    root = _artifact_root(fn_args.train_files)
    feature_params = files.read(root)
    _check_labels(root, names)

    def read(patterns: Sequence[str]) -> dataset.Dataset:
        return dataset.read(
            patterns,
            feature_params.feature_shape,
            features.frontend_class(feature_params.frontend).dtype,
            names,
            scale=model_input.input_scale(feature_params),
            cache_bytes=params.cache_bytes,
        )

    train, eval_data = read(fn_args.train_files), read(fn_args.eval_files)
    log.info("Training on %d examples, evaluating on %d", len(train), len(eval_data))
    model = registry.build(model_params, train.feature_shape, len(names), seed=params.seed)
    checkpoint_dir = config.get("checkpoint_dir")
    history = fit(
        model,
        train,
        eval_data,
        params,
        log_dir=fn_args.model_run_dir,
        checkpoint_dir=checkpoint_dir,
    )
    report = export.report(model, train, eval_data, model_params, params, history)
    export.export(model, fn_args.serving_model_dir, train.labels, feature_params, report)
    if checkpoint_dir:
        checkpoint.clear(checkpoint_dir)


def _artifact_root(train_patterns: Sequence[str]) -> Path:
    """Of the feature examples that the patterns `<root>/Split-train/*` point into."""
    return Path(train_patterns[0]).parent.parent


def _check_labels(root: Path, names: Sequence[str]) -> None:
    if not (root / files.LABELS_FILE).is_file():
        return
    written = files.read_labels(root)
    if written != list(names):
        raise KwsError(
            f"{root} has examples of the labels {', '.join(written)}, not of {', '.join(names)}",
            hint="the features and the Trainer must be given the same keywords",
        )
