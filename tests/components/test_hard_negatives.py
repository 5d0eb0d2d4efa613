"""HardNegativeMiner: what comes out can be trained on, together with the other examples."""

import json

import numpy as np
import pytest
import soundfile
from tfx.types import channel_utils, standard_artifacts

from components.artifacts import AudioStreams
from components.hard_negatives.component import HardNegativeMiner
from components.hard_negatives.executor import Executor
from components.trainer.component import Trainer
from components.trainer.executor import Executor as TrainerExecutor
from kws.detection.params import DetectorParams, MatchParams
from kws.errors import KwsError
from kws.features import files
from kws.features.params import FeatureParams
from kws.labels import label_list
from kws.models import registry
from kws.models.params import ModelParams
from kws.scenes.ground_truth import GroundTruth
from kws.training import dataset
from kws.training.params import TrainingParams

RATE = 16000
FEATURES = FeatureParams(clip_duration_ms=230, feature_bin_count=8)
MODEL = ModelParams(name="tiny_conv", options={"filters": 2})
LABELS = label_list(["yes"])


def gullible_model(folder):
    """Hears "yes" in everything."""
    model = registry.build(MODEL, FEATURES.feature_shape, len(LABELS))
    last = model.layers[-1]
    kernel, bias = last.get_weights()
    last.set_weights([kernel * 0, np.array([0, 0, 9], bias.dtype)])
    serving = folder / "Format-Serving"
    model.save(str(serving), save_format="tf", include_optimizer=False)
    files.write(serving, FEATURES)
    files.write_labels(serving, LABELS)


def train_streams(folder):
    split = folder / "Split-train"
    split.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(2):
        name = f"negatives-train-{number:03d}"
        soundfile.write(split / f"{name}.wav", rng.normal(0, 0.1, 4 * RATE), RATE, "PCM_16")
        truth = GroundTruth(stream_id=name, kind="negatives", duration_ms=4000, sample_rate=RATE)
        (split / f"{name}.json").write_text(truth.to_json())


def artifact(kind, folder):
    made = kind()
    made.uri = str(folder)
    return made


def mine(folder, max_examples=5):
    model = artifact(standard_artifacts.Model, folder / "model")
    streams = artifact(AudioStreams, folder / "streams")
    examples = artifact(standard_artifacts.Examples, folder / "mined")
    component = HardNegativeMiner(
        model=channel_utils.as_channel([model]),
        streams=channel_utils.as_channel([streams]),
        detector=DetectorParams(),
        match=MatchParams(),
        max_examples=max_examples,
    )
    Executor().Do(
        {"model": [model], "streams": [streams]},
        {"examples": [examples]},
        component.exec_properties,
    )
    return examples


def test_mined_examples_join_the_others_in_the_trainer(tmp_path):
    gullible_model(tmp_path / "model")
    train_streams(tmp_path / "streams")
    examples = mine(tmp_path)
    assert examples.get_int_custom_property("mined") == 5
    report = json.loads((tmp_path / "mined" / "mined.json").read_text())
    assert report["found"] == 8 and report["examples"] == 5  # one a second in twice four
    assert report["taken_for"] == [{"said": "_unknown_", "detected": "yes", "count": 5}]
    assert files.read(tmp_path / "mined") == FEATURES

    # TFX's Trainer is given both; the eval split of mined examples is there and empty.
    trainer = Trainer(
        examples=channel_utils.as_channel([examples]),
        model=MODEL,
        training=TrainingParams(),
        keywords=["yes"],
        checkpoints=tmp_path,
    )
    outputs = {
        "model": [artifact(standard_artifacts.Model, tmp_path / "trained")],
        "model_run": [artifact(standard_artifacts.ModelRun, tmp_path / "run")],
    }
    fn_args = TrainerExecutor()._GetFnArgs(
        {"examples": [examples, examples]}, outputs, trainer.exec_properties
    )
    assert len(fn_args.train_files) == len(fn_args.eval_files) == 2

    def read(patterns):
        return dataset.read(
            patterns, FEATURES.feature_shape, np.dtype(np.uint16), LABELS, scale=1.0,
            cache_bytes=1_000_000,
        )  # fmt: skip

    assert read(fn_args.train_files[:1]).label_counts.tolist() == [0, 5, 0]
    with pytest.raises(KwsError, match="no examples"):
        read(fn_args.eval_files)


def test_without_train_streams_it_says_where_they_come_from(tmp_path):
    with pytest.raises(KwsError, match="holds no stream to mine") as error:
        mine(tmp_path)
    assert "training.hard_negatives" in error.value.hint
