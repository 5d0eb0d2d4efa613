"""The Trainer's way where the model answers at every step: scenes in, a float SavedModel out."""

from typing import TYPE_CHECKING

from kws.features.params import FeatureParams
from kws.models.params import ModelParams
from kws.training import checkpoint, saved_model, scene_training
from kws.training.params import TrainingParams

if TYPE_CHECKING:
    from tfx.components.trainer.fn_args_utils import FnArgs


def train_on_scenes(
    fn_args: "FnArgs",
    model_params: ModelParams,
    params: TrainingParams,
    keyword: str,
    feature_params: FeatureParams,
) -> None:
    """Trains and exports as `trainer_module.run_fn` does; the model's one label is the keyword.

    Raises:
      KwsError: see `kws.training.scene_training.train`.
    """
    checkpoint_dir = fn_args.custom_config.get("checkpoint_dir")
    trained = scene_training.train(
        fn_args.train_files,
        fn_args.eval_files,
        model_params,
        params,
        keyword,
        feature_params,
        log_dir=fn_args.model_run_dir,
        checkpoint_dir=checkpoint_dir,
    )
    report = saved_model.report(
        trained.model,
        trained.train,  # type: ignore[arg-type]
        trained.eval_data,  # type: ignore[arg-type]
        model_params,
        params,
        trained.history,
    )
    saved_model.export(trained.model, fn_args.serving_model_dir, (keyword,), feature_params, report)
    if checkpoint_dir:
        checkpoint.clear(checkpoint_dir)
