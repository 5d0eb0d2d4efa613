"""How Trainers follow each other: what each is given, and where the pipeline goes on."""

import json

import pytest
from tfx import types
from tfx.types import standard_artifacts

from components.artifacts import AudioStreams
from pipeline.config import load
from pipeline.history import History
from pipeline.paths import Paths
from pipeline.trainers import trainers


@pytest.fixture
def nodes(tmp_path):
    def made(*overrides):
        config = load("quickstart", overrides)
        features = types.Channel(type=standard_artifacts.Examples)
        streams = types.Channel(type=AudioStreams)
        paths = Paths(out=tmp_path, name=config.name)
        history = History(config, paths, str(paths.bundles))
        made_trainers = trainers(config, paths, history, features, streams)
        return {node.id: node for node in made_trainers}

    return made


def training(node):
    return json.loads(json.loads(node.exec_properties["custom_config"])["training"])


def test_without_options_there_is_one_trainer_which_starts_from_nothing(nodes):
    made = nodes()
    assert list(made) == ["Trainer"]
    assert "base_model" not in made["Trainer"].inputs


def test_warm_start_gives_the_trainer_what_is_found_for_its_very_settings(nodes):
    made = nodes("training.warm_start=true", "training.learning_rate=0.0005")
    assert list(made) == ["BaseModel", "Trainer"]
    assert made["Trainer"].inputs["base_model"] is made["BaseModel"].outputs["float_model"]
    settings = json.loads(made["BaseModel"].exec_properties["settings"])
    assert json.loads(settings["training"]) == training(made["Trainer"])
    assert json.loads(settings["model"])["name"] == load("quickstart").model.name


def test_a_round_of_mining_trains_again_from_the_first_trainer_s_model(nodes):
    made = nodes("training.hard_negatives={epochs: 3, threshold: 0.3}", "training.warm_start=true")
    assert list(made) == ["BaseModel", "FirstTrainer", "HardNegativeMiner", "Trainer"]
    first, miner, last = (made[name] for name in list(made)[1:])
    assert first.inputs["base_model"] is made["BaseModel"].outputs["float_model"]
    assert miner.inputs["model"] is first.outputs["model"]
    assert json.loads(miner.exec_properties["detector"])["detection_threshold"] == 0.3
    assert last.inputs["base_model"] is first.outputs["model"]
    assert last.inputs["examples"] is first.inputs["examples"]
    assert last.inputs["more_examples"] is miner.outputs["examples"]
    # The first is the same whatever is mined after it, so it comes from the cache.
    assert training(first)["hard_negatives"] is None
    assert training(first)["epochs"] == load("quickstart").training.epochs
    assert training(last)["epochs"] == 3
    folders = [
        json.loads(n.exec_properties["custom_config"])["checkpoint_dir"] for n in (first, last)
    ]
    assert len(set(folders)) == 2


def test_every_further_round_keeps_what_the_rounds_before_have_found(nodes):
    made = nodes("training.hard_negatives={rounds: 2}")
    assert list(made) == [
        "FirstTrainer", "HardNegativeMiner", "Trainer2", "HardNegativeMiner2", "Trainer",
    ]  # fmt: skip
    mined = [made[name].outputs["examples"] for name in ("HardNegativeMiner", "HardNegativeMiner2")]
    given = made["Trainer"].inputs
    assert [given["more_examples"], given["more_examples_2"]] == mined
    assert "more_examples_2" not in made["Trainer2"].inputs
    assert made["Trainer"].inputs["base_model"] is made["Trainer2"].outputs["model"]
