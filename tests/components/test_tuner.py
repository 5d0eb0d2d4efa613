"""The Tuner on a toy: what comes out, and who does what it says."""

import json
from pathlib import Path
from types import SimpleNamespace

import keras_tuner
import numpy as np
import pytest
import tensorflow as tf
from tfx.components.util import examples_utils
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils, channel_utils, standard_artifacts

import components.spectrogram_transform.executor as transform_executor
from components.spectrogram_transform.component import SpectrogramTransform
from components.trainer import trainer_module
from components.tuner import executor
from components.tuner.component import Tuner
from components.tuner.hyperparameters import best_values
from kws.audio.clip import Clip, encode
from kws.features import files
from kws.features.params import FeatureParams
from kws.models.params import ModelParams
from kws.training.params import TrainingParams
from kws.training.tuning import TuningParams, TuningReport
from pipeline.config import load
from pipeline.paths import Paths
from pipeline.pipeline import build

KEYWORDS = ["yes"]
FEATURES = FeatureParams(clip_duration_ms=230, feature_bin_count=8, window_stride_ms=20)
MODEL = ModelParams(name="tiny_conv", options={"dropout": 0.0})
TRAINING = TrainingParams(epochs=2, batch_size=8)
TUNING = TuningParams(
    algorithm="random",
    max_trials=4,
    epochs=1,
    max_parameters=10_000,
    seed=2,
    space={
        "model.options.filters": [2, 4000],
        "training.learning_rate": [0.01, 1e30],
        "features.window_stride_ms": [10, 20],
    },
)


def clip(number: int) -> Clip:
    rng = np.random.default_rng(number)
    loud = 4000 if number % 2 else 100
    return Clip(
        audio=rng.normal(0, loud, FEATURES.clip_samples).astype(np.int16),
        sample_rate=16000,
        label="yes" if number % 2 else "_unknown_",
        word="",
        speaker="",
        source="test",
        clip_id=f"{number:04x}",
        novelty="keyword",
    )


def clips(folder: Path, first: int) -> standard_artifacts.Examples:
    made = standard_artifacts.Examples()
    made.uri = str(folder)
    made.split_names = artifact_utils.encode_split_names(["train", "eval"])
    examples_utils.set_payload_format(made, example_gen_pb2.FORMAT_TF_EXAMPLE)
    for split, numbers in (("train", range(first, first + 8)), ("eval", range(8))):
        path = folder / f"Split-{split}" / "data_tfrecord-00000-of-00001.gz"
        path.parent.mkdir(parents=True)
        with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
            for number in numbers:
                writer.write(encode(clip(number)))
    return made


def output(kind: type, folder: Path):
    made = kind()
    made.uri = str(folder)
    folder.mkdir()
    return made


@pytest.fixture(scope="module")
def search(tmp_path_factory) -> SimpleNamespace:
    """The component's execution, with the properties that it makes, on two artifacts."""
    folder = tmp_path_factory.mktemp("tuner")
    inputs = [clips(folder / "clean", 0), clips(folder / "noisy", 100)]
    channel = channel_utils.as_channel(inputs)
    component = Tuner(
        channel, TUNING, MODEL, TRAINING, FEATURES, KEYWORDS, folder / "search", folder / "log.json"
    )
    best = output(standard_artifacts.HyperParameters, folder / "best")
    results = output(standard_artifacts.TunerResults, folder / "results")
    context = BaseExecutor.Context(tmp_dir=str(folder / "tmp"), unique_id="1")
    executor.Executor(context).Do(
        {"examples": inputs},
        {"best_hyperparameters": [best], "tuner_results": [results]},
        component.exec_properties,
    )
    return SimpleNamespace(folder=folder, inputs=inputs, best=best, results=Path(results.uri))


def test_every_trial_is_told_of_also_those_that_did_not_come_through(search):
    report = TuningReport.from_json((search.results / "tuning.json").read_text())
    assert len(report.trials) == 4 and report.ended_by == "max_trials"
    for trial in report.trials:
        filters, rate = (trial.values[path] for path in list(TUNING.space)[:2])
        expected = "refused" if filters == 4000 else "failed" if rate > 1 else "done"
        assert trial.status == expected
        wanted = {"refused": "parameters=.* more than tuning.max_parameters=10,000",
                  "failed": "cross entropy is (nan|inf)", "done": "^$"}  # fmt: skip
        assert tf.strings.regex_full_match(
            trial.reason, f".*{wanted[expected]}.*".replace("^$", "")
        )
    assert {trial.status for trial in report.trials} == {"done", "refused", "failed"}
    assert report.best.eval_examples == 16 and report.best.epochs == 1
    assert json.loads((search.folder / "log.json").read_text()) == json.loads(
        (search.results / "tuning.json").read_text()
    )
    table = (search.results / "trials.txt").read_text()
    assert "4 trials" in table and "refused" in table and "window_stride_ms" in table


def test_the_best_are_in_keras_tuners_own_file_and_the_folder_of_the_search_is_gone(search):
    (file,) = Path(search.best.uri).iterdir()
    read = keras_tuner.HyperParameters.from_config(json.loads(file.read_text()))
    assert read.values == best_values([search.best])
    assert read.values["model.options.filters"] == 2
    assert read.values["training.learning_rate"] == 0.01
    assert not (search.folder / "search").exists()


def test_features_and_training_do_what_the_search_found(search, tmp_path):
    values = {**best_values([search.best]), "features.window_stride_ms": 10}
    best = output(standard_artifacts.HyperParameters, tmp_path / "best")
    config = {"space": [], "values": values}
    (Path(best.uri) / "best_hyperparameters.txt").write_text(json.dumps(config))

    examples = standard_artifacts.Examples()
    examples.uri = str(tmp_path / "features")
    component = SpectrogramTransform(
        channel_utils.as_channel(search.inputs[:1]), FEATURES, KEYWORDS,
        hyperparameters=channel_utils.as_channel([best]),
    )  # fmt: skip
    transform_executor.Executor(BaseBeamExecutor.Context()).Do(
        {"examples": search.inputs[:1], "hyperparameters": [best]},
        {"transformed_examples": [examples]},
        component.exec_properties,
    )
    assert files.read(examples.uri) == FEATURES.model_copy(update={"window_stride_ms": 10})

    trainer_module.run_fn(
        SimpleNamespace(
            train_files=[f"{examples.uri}/Split-train/*"],
            eval_files=[f"{examples.uri}/Split-eval/*"],
            model_run_dir=str(tmp_path / "model_run"),
            serving_model_dir=str(tmp_path / "model"),
            base_model=None,
            hyperparameters=config,
            custom_config={
                "model": MODEL.to_json(),
                "training": TRAINING.to_json(),
                "keywords": json.dumps(KEYWORDS),
            },
        )
    )
    training = json.loads((tmp_path / "model" / "training.json").read_text())
    assert training["model"]["options"] == {"dropout": 0.0, "filters": 2}
    assert (training["training"]["learning_rate"], training["training"]["epochs"]) == (0.01, 2)
    assert training["feature_shape"] == [21, 8]


def test_the_tuner_stands_between_the_audio_and_the_features(tmp_path):
    def steps(preset: str) -> list[str]:
        paths = Paths(out=tmp_path, name=preset)
        return [node.id for node in build(load(preset), paths, tmp_path).components]

    order = steps("tuned")
    wanted = ["AudioSynthesizer", "Tuner", "SpectrogramTransform", "Trainer"]
    assert [name for name in order if name in wanted] == wanted
    assert "Tuner" not in steps("quickstart")
