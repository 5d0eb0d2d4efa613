"""run_fn: what TFX's Trainer is left with, from examples on disk."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from components.trainer import trainer_module
from kws import labels
from kws.errors import KwsError
from kws.features import example, files
from kws.features.params import FeatureParams
from kws.models.params import ModelParams
from kws.training.params import TrainingParams

KEYWORDS = ["yes"]
FEATURES = FeatureParams(clip_duration_ms=230, feature_bin_count=8)
MODEL = ModelParams(name="tiny_conv", options={"filters": 2})


def write_split(root, split: str, count: int) -> None:
    import tensorflow as tf

    folder = root / f"Split-{split}"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(len(split))
    names = labels.label_list(KEYWORDS)
    with tf.io.TFRecordWriter(str(folder / "data_tfrecord-00000-of-00001.gz"), "GZIP") as writer:
        for number in range(count):
            row = example.FeatureExample(
                features=rng.integers(0, 600, FEATURES.feature_shape, np.uint16),
                label_index=number % 3,
                label=names[number % 3],
                word="",
                speaker="",
                source="",
                snr_bucket="clean",
                augmentation="none",
                novelty="keyword",
                clip_id=f"{split}{number}",
            )
            writer.write(example.encode(row))


def arguments(tmp_path) -> SimpleNamespace:
    """As TFX's FnArgs."""
    return SimpleNamespace(
        train_files=[str(tmp_path / "examples" / "Split-train" / "*")],
        eval_files=[str(tmp_path / "examples" / "Split-eval" / "*")],
        model_run_dir=str(tmp_path / "model_run"),
        serving_model_dir=str(tmp_path / "model" / "Format-Serving"),
        custom_config={
            "model": MODEL.to_json(),
            "training": TrainingParams(epochs=2, batch_size=8).to_json(),
            "keywords": json.dumps(KEYWORDS),
            "checkpoint_dir": str(tmp_path / "checkpoints"),
        },
    )


def test_run_fn_leaves_a_model_that_says_what_it_is_and_no_checkpoints(tmp_path):
    import tensorflow as tf

    root = tmp_path / "examples"
    write_split(root, "train", 24)
    write_split(root, "eval", 12)
    files.write(root, FEATURES)
    files.write_labels(root, labels.label_list(KEYWORDS))
    trainer_module.run_fn(arguments(tmp_path))
    folder = tmp_path / "model" / "Format-Serving"
    model = tf.keras.models.load_model(str(folder))
    assert model.input_shape == (None, *FEATURES.feature_shape) and model.output_shape == (None, 3)
    assert (folder / "labels.txt").read_text().split() == labels.label_list(KEYWORDS)
    assert files.read(folder) == FEATURES
    training = json.loads((folder / "training.json").read_text())
    assert len(training["history"]["epochs"]) == 2
    assert training["label_counts"] == {"_silence_": 8, "_unknown_": 8, "yes": 8}
    assert list((tmp_path / "model_run").glob("eval/events*"))
    assert not list((tmp_path / "checkpoints").iterdir())


def test_examples_of_other_keywords_are_refused(tmp_path):
    root = tmp_path / "examples"
    root.mkdir()
    files.write(root, FEATURES)
    files.write_labels(root, labels.label_list(["no"]))
    with pytest.raises(KwsError, match=r"_unknown_, no, not of _silence_, _unknown_, yes"):
        trainer_module.run_fn(arguments(tmp_path))


def test_examples_without_their_frontend_are_refused(tmp_path):
    with pytest.raises(KwsError, match=r"frontend.json is missing"):
        trainer_module.run_fn(arguments(tmp_path))
