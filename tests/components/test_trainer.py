"""The Trainer: TFX's, with eval streams and a union of examples."""

from pathlib import Path

from tfx.types import artifact_utils, channel, standard_artifacts
from tfx.types.channel_utils import union

from components.artifacts import AudioStreams
from components.trainer import executor
from components.trainer.component import Trainer
from kws.models.params import ModelParams
from kws.training.params import TrainingParams


def trainer(**inputs) -> Trainer:
    examples = [channel.Channel(type=standard_artifacts.Examples) for _ in range(2)]
    return Trainer(
        examples=union(examples),
        model=ModelParams(),
        training=TrainingParams(epochs=3),
        keywords=["yes"],
        checkpoints=Path("checkpoints"),
        **inputs,
    )


def test_what_not_every_training_needs_is_an_input_only_where_given():
    given = {
        "streams": channel.Channel(type=AudioStreams),
        "base_model": channel.Channel(type=standard_artifacts.Model),
        "hyperparameters": channel.Channel(type=standard_artifacts.HyperParameters),
        "speech_embedding": channel.Channel(type=standard_artifacts.Examples),
        "replay": channel.Channel(type=standard_artifacts.Examples),
    }
    assert set(trainer().inputs) == {"examples"}
    assert set(trainer(**given).inputs) == {"examples", *given}
    assert set(trainer().outputs) == {"model", "model_run"}


def artifact(kind, uri: Path):
    made = kind()
    made.uri = str(uri)
    if isinstance(made, standard_artifacts.Examples):
        made.split_names = artifact_utils.encode_split_names(["train", "eval"])
    return made


def test_run_fn_is_told_of_all_examples_of_the_streams_and_of_the_embeddings(tmp_path):
    given = {
        "examples": [artifact(standard_artifacts.Examples, tmp_path / name) for name in "ab"],
        "streams": [artifact(AudioStreams, tmp_path / "streams")],
        "speech_embedding": [artifact(standard_artifacts.Examples, tmp_path / "embeddings")],
        "replay": [artifact(standard_artifacts.Examples, tmp_path / "old")],
    }
    (tmp_path / "embeddings" / "Split-train").mkdir(parents=True)
    made = {
        "model": [artifact(standard_artifacts.Model, tmp_path / "model")],
        "model_run": [artifact(standard_artifacts.ModelRun, tmp_path / "run")],
    }
    args = executor.Executor()._GetFnArgs(given, made, trainer().exec_properties)
    assert args.train_files == [str(tmp_path / name / "Split-train" / "*") for name in "ab"]
    assert args.eval_files == [str(tmp_path / name / "Split-eval" / "*") for name in "ab"]
    assert args.custom_config["streams"] == str(tmp_path / "streams")
    assert args.custom_config["speech_embedding"] == str(tmp_path / "embeddings")
    assert args.custom_config["replay"] == str(tmp_path / "old")
    # On Kubeflow an input is always there, if only as an empty folder.
    given["speech_embedding"] = [artifact(standard_artifacts.Examples, tmp_path / "nothing")]
    args = executor.Executor()._GetFnArgs(given, made, trainer().exec_properties)
    assert "speech_embedding" not in args.custom_config
    assert TrainingParams.from_json(args.custom_config["training"]).epochs == 3
    assert args.base_model is None and args.hyperparameters is None
