"""A training starts from the float parent of the last blessed model, never from its own result."""

import json

import numpy as np
import pytest
from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx.types import standard_artifacts

from components.blessing import BLESSINGS
from components.trainer import trainer_module
from components.warm_start.strategy import LastBlessedParentStrategy
from kws import labels
from kws.features import files
from kws.training.params import TrainingParams
from tests.components.test_trainer_module import FEATURES, KEYWORDS, arguments, write_split


class History:
    """An ML Metadata store in memory, filled as pipeline runs would."""

    def __init__(self):
        config = mlmd.ConnectionConfig()
        config.fake_database.SetInParent()
        self.store = metadata_store.MetadataStore(config)
        self.kind = self.store.put_artifact_type(mlmd.ArtifactType(name="Any"))
        self.step = self.store.put_execution_type(mlmd.ExecutionType(name="Step"))
        self.models = []
        self.blessings = {key: [] for key in BLESSINGS}

    def examples(self):
        return self._artifact()

    def trained(self, examples, training, blessed=True, refused_by=""):
        """A Trainer, a MicroConverter and a verdict; gives the float model's id."""
        float_model, int8_model = self._artifact(), self._artifact()
        config = json.dumps({"training": training, "model": "m", "keywords": "[]"})
        self._execution({"examples": examples}, {"model": float_model}, custom_config=config)
        self._execution({"examples": examples, "float_model": float_model}, {"model": int8_model})
        self.models += [float_model, int8_model]
        if blessed is not None:
            for key in BLESSINGS:
                blessing = standard_artifacts.ModelBlessing()
                blessing.set_int_custom_property("current_model_id", int8_model)
                blessing.set_int_custom_property("blessed", int(blessed and key != refused_by))
                self.blessings[key].append(blessing)
        return float_model

    def base(self, examples, training):
        """What the training of these examples with these settings would start from."""
        found = LastBlessedParentStrategy(training=training, model="m").resolve_artifacts(
            self.store,
            {
                "examples": [self._as(standard_artifacts.Examples, examples)],
                "model": [self._as(standard_artifacts.Model, id_) for id_ in self.models],
                **self.blessings,
            },
        )
        return [model.id for model in found["model"]]

    @staticmethod
    def _as(kind, id_):
        artifact = kind()
        artifact.id = id_
        return artifact

    def _artifact(self):
        (id_,) = self.store.put_artifacts([mlmd.Artifact(type_id=self.kind)])
        return id_

    def _execution(self, inputs, outputs, **properties):
        execution = mlmd.Execution(type_id=self.step)
        for name, value in properties.items():
            execution.custom_properties[name].string_value = value
        (id_,) = self.store.put_executions([execution])
        for kind, artifacts in ((mlmd.Event.INPUT, inputs), (mlmd.Event.OUTPUT, outputs)):
            for key, artifact in artifacts.items():
                event = mlmd.Event(type=kind, execution_id=id_, artifact_id=artifact)
                event.path.steps.add().key = key
                self.store.put_events([event])


@pytest.fixture
def history():
    return History()


def test_the_first_training_starts_from_scratch_and_again_when_nothing_changed(history):
    data = history.examples()
    assert history.base(data, "warm") == []
    history.trained(data, "warm")
    assert history.base(data, "warm") == []


def test_new_examples_start_from_the_blessed_model_s_float_parent_and_keep_to_it(history):
    first = history.trained(history.examples(), "warm")
    data = history.examples()
    assert history.base(data, "warm") == [first]
    second = history.trained(data, "warm")
    assert history.base(data, "warm") == [first]
    assert history.base(history.examples(), "warm") == [second]


def test_other_settings_start_from_the_model_of_the_same_examples(history):
    data = history.examples()
    first = history.trained(data, "cold")
    assert history.base(data, "warm, slower") == [first]


def test_a_refused_model_is_not_what_training_starts_from(history):
    first = history.trained(history.examples(), "warm")
    history.trained(history.examples(), "warm", blessed=False)
    history.trained(history.examples(), "warm", blessed=None)
    for judge in BLESSINGS:
        history.trained(history.examples(), "warm", refused_by=judge)
    assert history.base(history.examples(), "warm") == [first]


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
