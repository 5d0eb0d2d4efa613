"""The `run_fn` of our Trainer: feature examples in, a float SavedModel out.

TFX finds it by its import path (see `components.trainer.component`), so no module file has to be
packed. The feature examples' artifact carries `frontend.json` in its root; the model's folder
(`Format-Serving`) gets it too, with `labels.txt` and `training.json`. TensorBoard's logs go to the
`model_run` output.
"""

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from components.trainer.executor import EMBEDDINGS_KEY, REPLAY_KEY
from components.trainer.scenes import train_on_scenes
from kws import features, labels
from kws.errors import KwsError
from kws.export import feature_reader
from kws.export.convert import with_full_range
from kws.features import files, model_input
from kws.features.params import FeatureParams
from kws.models import registry
from kws.models.params import ModelParams
from kws.splits import EVAL, TRAIN
from kws.training import (
    checkpoint,
    dataset,
    fit,
    head_training,
    quantization_aware,
    saved_model,
    spotting,
    stages,
    warm_start,
)
from kws.training.params import TrainingParams
from kws.training.stream_judge import EvalStreams
from kws.training.tuning_space import MODEL, TRAINING, applied, values_of

if TYPE_CHECKING:
    from tfx.components.trainer.fn_args_utils import FnArgs

log = logging.getLogger(__name__)


def run_fn(fn_args: "FnArgs") -> None:
    """Trains and exports; called by the Trainer's executor.

    Its `custom_config` holds `model` (ModelParams), `training` (TrainingParams) and `keywords`,
    each as JSON, and `checkpoint_dir`: a folder that stays where it is from run to run, so that a
    killed training can go on; it is cleared once the model is exported. Without it nothing is
    resumed. Where the component has the input `streams`, `streams` is its folder, and so of
    `speech_embedding` and `replay`. `num_steps` of
    train_args and eval_args are not read: `training.epochs` is.

    Raises:
      KwsError: the examples do not fit the configuration, or there are none.
    """
    fit.prepare_device()
    config = fn_args.custom_config
    best = values_of(fn_args.hyperparameters) if fn_args.hyperparameters else {}
    model_params = applied(MODEL, ModelParams.from_json(config["model"]), best)
    params = applied(TRAINING, TrainingParams.from_json(config["training"]), best)
    names = labels.label_list(json.loads(config["keywords"]))
    feature_params = _check_artifacts(fn_args.train_files, names)
    if registry.output(model_params.name) == "steps":
        train_on_scenes(fn_args, model_params, params, names[-1], feature_params)
        return

    def read(patterns: Sequence[str]) -> dataset.Dataset:
        return dataset.read(
            patterns,
            feature_params.feature_shape,
            features.frontend_class(feature_params.frontend).dtype,
            names,
            scale=model_input.input_scale(feature_params),
            cache_bytes=params.cache_bytes,
            frontend=feature_params.frontend,
        )

    # Where the pretrained part of a model is computed once, its outputs are the training examples.
    on_embeddings = params.spotting is not None and registry.learns_from(model_params.name)
    if on_embeddings:
        train, eval_data = (_embeddings(config, params, names, split) for split in (TRAIN, EVAL))
    elif REPLAY_KEY in config:
        replay = Path(config[REPLAY_KEY])
        train = _with_replay(fn_args.train_files, replay, params, names, feature_params)
        eval_data = read([str(replay / f"Split-{EVAL}" / "*")])
    else:
        train, eval_data = read(fn_args.train_files), read(fn_args.eval_files)
    log.info("Training on %d examples, evaluating on %d", len(train), len(eval_data))
    model = registry.build(
        model_params,
        feature_params.feature_shape,
        len(names),
        seed=params.seed,
        context_frames=feature_params.context_frames,
    )
    if fn_args.base_model:
        warm_start.start_from(model, fn_args.base_model, model_params, names, feature_params)
    checkpoint_dir = config.get("checkpoint_dir")
    frames_per_step = _frames_per_step(model_params)
    trainee, objective = model, None
    if on_embeddings:
        trainee, train, objective = head_training.prepare(model, train, params)
    elif params.spotting is not None:
        taught = params.spotting.teacher is not None
        trainee, train, objective = spotting.prepare(
            model,
            train,
            _embeddings(config, params, names, TRAIN) if taught else None,
            params,
            feature_params,
            frames_per_step,
            checkpoint_dir,
        )
    trained = stages.run(
        trainee,
        train,
        eval_data,
        params,
        calibration=_calibration(train, params, feature_params),
        objective=objective,
        streams=_eval_streams(config, params, feature_params, frames_per_step),
        log_dir=fn_args.model_run_dir,
        checkpoint_dir=checkpoint_dir,
    )
    if on_embeddings:
        head_training.spread_posteriors(model, train)
    elif params.spotting is not None:
        spotting.spread_posteriors(model, trainee, train)
    report = saved_model.report(
        model,
        train,
        eval_data,
        model_params,
        params,
        trained.history,
        trained.teacher,
        trained.tuning,
    ).model_copy(update={"feature_shape": feature_params.feature_shape})
    finished = trained.model if params.spotting is None else model
    saved_model.export(finished, fn_args.serving_model_dir, train.labels, feature_params, report)
    if checkpoint_dir:
        checkpoint.clear(checkpoint_dir)


def _with_replay(
    patterns: Sequence[str],
    replay: Path,
    params: TrainingParams,
    names: Sequence[str],
    feature_params: FeatureParams,
) -> dataset.Dataset:
    """The examples that the patterns `<root>/Split-train/*` point at, among replayed ones.

    Raises:
      KwsError: the replayed ones have other labels or features.
    """
    _check_labels(replay, names)
    files.check_same(feature_params, files.read(replay), f"the examples to replay, {replay},")
    new = [
        example
        for pattern in patterns
        for example in feature_reader.read(Path(pattern).parent, feature_params)
    ]
    old = feature_reader.read(replay / f"Split-{TRAIN}", feature_params)
    again = dataset.replayed(old, params.replay, params.seed)
    log.info("%d new examples among %d replayed ones", len(new), len(again))
    return dataset.of_examples(
        [*new, *again], names, model_input.input_scale(feature_params), feature_params.frontend
    )


def _calibration(
    train: dataset.Dataset, params: TrainingParams, feature_params: FeatureParams
) -> np.ndarray | None:
    """What quantization-aware training starts its ranges from: the converter's input range too."""
    if params.quantization_aware is None:
        return None
    typical = quantization_aware.calibration_features(train, params.seed)
    return with_full_range(typical, feature_params)


def _frames_per_step(params: ModelParams) -> int:
    """Of a streaming model; 1 of a windowed one."""
    module = registry.architecture(params.name)
    return module.frames_per_step(registry.options(params)) if module.STREAMING else 1


def _embeddings(
    config: dict[str, str], params: TrainingParams, names: Sequence[str], split: str
) -> dataset.Dataset:
    """The speech embedding of a split's clips.

    Raises:
      KwsError: the component was not given it.
    """
    if EMBEDDINGS_KEY not in config:
        raise KwsError(
            "training.spotting: the Trainer was given no speech embedding of its examples",
            hint="give it `speech_embedding`, or set training.spotting.teacher to null where the "
            "model is to learn from the labels alone",
        )
    root = Path(config[EMBEDDINGS_KEY])
    _check_labels(root, names)
    own = files.read(root)
    return dataset.read(
        [str(root / f"Split-{split}" / "*")],
        own.feature_shape,
        features.frontend_class(own.frontend).dtype,
        names,
        scale=1.0,
        cache_bytes=params.cache_bytes,
        frontend=own.frontend,
    )


def _eval_streams(
    config: dict[str, str],
    params: TrainingParams,
    feature_params: FeatureParams,
    frames_per_step: int,
) -> EvalStreams | None:
    """Where early stopping goes by misses."""
    stopping = params.early_stopping
    if not (stopping and stopping.hears_streams and "streams" in config):
        return None
    folder = Path(config["streams"]) / f"Split-{EVAL}"
    return EvalStreams.read(folder, feature_params, frames_per_step)


def _check_artifacts(train_patterns: Sequence[str], names: Sequence[str]) -> FeatureParams:
    """Of the feature examples that the patterns `<root>/Split-train/*` point into."""
    roots = [Path(pattern).parent.parent for pattern in train_patterns]
    found = [files.read(root) for root in roots]
    for root, params in zip(roots, found, strict=True):
        _check_labels(root, names)
        if params != found[0]:
            raise KwsError(
                f"{root} has features of other parameters than {roots[0]}",
                hint="all examples of a training must come from the same frontend",
            )
    return found[0]


def _check_labels(root: Path, names: Sequence[str]) -> None:
    if not (root / files.LABELS_FILE).is_file():
        return
    written = files.read_labels(root)
    if written != list(names):
        raise KwsError(
            f"{root} has examples of the labels {', '.join(written)}, not of {', '.join(names)}",
            hint="the features and the Trainer must be given the same keywords",
        )
