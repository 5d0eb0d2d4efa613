"""A training starts from the float model behind what is served, never from its own result."""

import numpy as np
import pytest
from tfx.types import standard_artifacts

from components.trainer import trainer_module
from kws import labels
from kws.bundle.destination import LATEST
from kws.features import files
from kws.training.params import TrainingParams
from tests.components.test_registry import Runs, is_none, served, text
from tests.components.test_trainer_module import FEATURES, KEYWORDS, arguments, write_split


@pytest.fixture
def runs(tmp_path):
    return Trainings(tmp_path)


class Trainings(Runs):
    """Runs that look for a base, train, push and keep."""

    def base(self, examples, settings):
        """What the training of these examples with these settings would start from."""
        return self.look_up(examples=examples, settings=settings)["float_model"]

    def trained(self, examples, settings, version=""):
        """A whole run, refused unless it has a version."""
        base = self.base(examples, settings)
        if version:
            self.push(version)
        self.keep(
            pushed_model=self.artifact(standard_artifacts.PushedModel, pushed_version=version),
            float_model=self.artifact(standard_artifacts.Model, {"Format-Serving/of": version}),
            base_model=base,
        )


def examples(runs, content):
    return runs.artifact(standard_artifacts.Examples, {"Split-train/data.gz": content})


def test_the_first_training_starts_from_scratch_and_again_when_nothing_changed(runs):
    data = examples(runs, "first")
    runs.trained(data, "warm", "1")
    assert is_none(runs.base(data, "warm"))


def test_new_examples_start_from_the_float_model_in_service_and_keep_to_it(runs):
    runs.trained(examples(runs, "first"), "warm", "1")
    data = examples(runs, "second")
    assert text(runs.base(data, "warm"), "Format-Serving/of") == "1"
    runs.trained(data, "warm", "2")
    found = runs.base(examples(runs, "second"), "warm")  # of the same content, made again
    assert (served(found), text(found, "Format-Serving/of")) == ("1", "1")
    assert served(runs.base(examples(runs, "third"), "warm")) == "2"


def test_other_settings_start_from_the_model_of_the_same_examples(runs):
    data = examples(runs, "first")
    runs.trained(data, "cold", "1")
    assert served(runs.base(data, "warm, slower")) == "1"


def test_a_refused_model_is_not_what_training_starts_from(runs):
    runs.trained(examples(runs, "first"), "warm", "1")
    runs.trained(examples(runs, "second"), "warm")
    assert served(runs.base(examples(runs, "third"), "warm")) == "1"
    assert served(runs.base(examples(runs, "second"), "warm")) == "1"


def test_what_was_rolled_back_is_not_what_training_starts_from(runs):
    runs.trained(examples(runs, "first"), "warm", "1")
    runs.trained(examples(runs, "second"), "warm", "2")
    (runs.bundles / LATEST).write_text("1\n")
    assert served(runs.base(examples(runs, "third"), "warm")) == "1"


def test_the_trainer_begins_with_the_weights_of_its_base_model(tmp_path):
    import tensorflow as tf

    root = tmp_path / "examples"
    write_split(root, "train", 24)
    write_split(root, "eval", 12)
    files.write(root, FEATURES)
    files.write_labels(root, labels.label_list(KEYWORDS))
    once, again = arguments(tmp_path), arguments(tmp_path)
    once.custom_config["training"] = TrainingParams(epochs=1, batch_size=8).to_json()
    trainer_module.run_fn(once)
    first = tmp_path / "model" / "Format-Serving"

    again.base_model, again.serving_model_dir = str(first), str(tmp_path / "tuned")
    barely = TrainingParams(epochs=1, batch_size=8, learning_rate=1e-9, seed=7)
    again.custom_config["training"] = barely.to_json()
    trainer_module.run_fn(again)
    before, after = (
        tf.keras.models.load_model(str(folder), compile=False).trainable_weights
        for folder in (first, tmp_path / "tuned")
    )
    for one, other in zip(before, after, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), atol=1e-6)
