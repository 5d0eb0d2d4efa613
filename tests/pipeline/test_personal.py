"""A run that goes on from another one: whose settings it has, and what each component is given."""

import json
import re
from pathlib import Path

import pytest

from kws.augment.params import AugmentParams, NoisyCopyParams
from kws.detection.params import StreamingParams
from kws.errors import KwsError
from kws.export.params import BudgetParams, ConversionParams
from kws.features import files
from kws.features.params import FeatureParams
from kws.models.params import ModelParams
from kws.training.params import TrainingParams
from pipeline import config as configuration
from pipeline.config import load, of_result
from pipeline.paths import Paths
from pipeline.pipeline import build
from pipeline.runners.kubeflow.compile import Target, compile_spec
from pipeline.runs import run_artifacts
from pipeline.runs.run_artifacts import Parents

FEATURES = FeatureParams(feature_bin_count=20)
TRAINING = TrainingParams(
    epochs=30, time_mask_frames=7, weight_average=0.99, hard_negatives={}, batch_size=32
)

INFO = {"name": "mine", "data": "recordings of many", "licence": "CC0"}


def base_run(folder: Path, monkeypatch, model="ds_cnn", copying=None, **info) -> Path:
    """A run on disk as far as its settings are read; gives its place."""
    float_model = folder / "Trainer" / "model" / "7" / "Format-Serving"
    float_model.mkdir(parents=True)
    files.write(float_model, FEATURES)
    trained = {"model": ModelParams(name=model).model_dump(mode="json")}
    trained["training"] = TRAINING.model_dump(mode="json")
    (float_model / "training.json").write_text(json.dumps(trained))
    recorded = of_result(load("quickstart", ["keywords=[up, down]", "seed=5"]))
    found = Parents(
        run=folder,
        float_model=float_model,
        int8_model=folder / "MicroConverter" / "model" / "8" / "Format-Serving",
        features=folder / "features",
        audio=folder / "audio",
        streams=folder / "streams",
        evaluation=folder / "evaluation",
        bundles=folder / "bundles",
        info={**INFO, "config": recorded, **info},
        conversion=ConversionParams(max_accuracy_drop=0.07),
        budget=BudgetParams(max_flash_bytes=54321),
        streaming=StreamingParams.from_json('{"gates": {"max_miss_rate": 0.31}}'),
        noisy_copies=copying or NoisyCopyParams(babble_share=0.4, snr_db=(3.0, 9.0)),
    )  # fmt: skip
    monkeypatch.setattr(run_artifacts, "find", lambda place, run=None: found)
    return folder


def personal(place: Path, clips: Path, *overrides: str):
    sources = f"data.sources=[{{name: user, own_clips: {clips}}}]"
    return load("personal", [f"base.place={place}", sources, "name=mine-personal", *overrides])


def test_what_the_preset_does_not_say_is_that_of_the_run(tmp_path, monkeypatch):
    config = personal(base_run(tmp_path / "mine", monkeypatch), tmp_path / "clips")
    assert config.keywords == ("up", "down") and config.model.name == "ds_cnn"
    # What the model was really trained with, which a search may have chosen.
    assert config.features == FEATURES
    assert config.training.time_mask_frames == 7
    assert (config.conversion.max_accuracy_drop, config.budget.max_flash_bytes) == (0.07, 54321)
    assert config.streaming.gates.max_miss_rate == 0.31
    assert config.noisy_copies.snr_db == (3.0, 9.0)
    # What the preset says: a short training on top, of copies that nobody talks around.
    own = config.training
    assert (own.epochs, own.keep, own.replay, own.warm_start) == (4, "last", 3000, True)
    assert own.weight_average == 0 and own.hard_negatives is None
    assert (config.noisy_copies.copies, config.noisy_copies.babble_share) == (20, 0)
    # The seed is this run's own, in every section.
    assert config.seed == own.seed == config.noisy_copies.seed == 0
    # The limits are against the base alone, and other sounds may not be taken for any keyword.
    limits = config.evaluation
    assert (limits.min_accuracy, limits.max_accuracy_drop_from_last) == (0, 0.02)
    assert limits.limits_of("up").max_false_positive_rate_rise_from_last == 0.02
    assert limits.limits_of("_unknown_").max_false_positive_rate_rise_from_last == 1
    # Whoever sets a key has the last word.
    changed = personal(tmp_path, tmp_path, "training.time_mask_frames=2", "seed=9")
    assert changed.training.time_mask_frames == 2 and changed.noisy_copies.seed == 9


def test_voices_are_changed_a_little_only_where_the_run_changed_none(tmp_path, monkeypatch):
    base_run(tmp_path / "plain", monkeypatch)
    assert personal(tmp_path, tmp_path).noisy_copies.augment.speed_share == 0.3
    changed = AugmentParams(pitch_share=0.5)
    base_run(tmp_path / "pitch", monkeypatch, copying=NoisyCopyParams(augment=changed))
    assert personal(tmp_path, tmp_path).noisy_copies.augment == changed


def test_each_component_is_given_its_part_of_the_run_and_of_the_clips(tmp_path, monkeypatch):
    place = base_run(
        tmp_path / "mine", monkeypatch, credits=["musan: CC-BY"], held_back=["x is research-only"]
    )
    config = personal(place, tmp_path / "clips")
    made = build(config, Paths(out=tmp_path, name=config.name), tmp_path / "recordings")
    nodes = {node.id: node for node in made.components}

    def given(node, key):
        return nodes[node].inputs[key]

    def imported(name):
        return nodes[name].outputs["result"]

    own = nodes["SpectrogramTransform"].outputs["transformed_examples"]
    places = {
        name: Path(nodes[name].exec_properties["artifact_uri"]).relative_to(place)
        for name in (
            "BaseModel",
            "Baseline",
            "InService",
            "BaseFeatures",
            "BaseAudio",
            "BaseStreams",
        )
    }
    assert {name: str(path) for name, path in places.items()} == {
        "BaseModel": "Trainer/model/7",
        "Baseline": "MicroConverter/model/8",
        "InService": "evaluation",
        "BaseFeatures": "features",
        "BaseAudio": "audio",
        "BaseStreams": "streams",
    }
    assert given("AudioSynthesizer", "background_examples") is imported("BaseAudio")
    assert "streams" not in nodes["AudioSynthesizer"].outputs
    assert given("Trainer", "examples") is own
    assert given("Trainer", "base_model") is imported("BaseModel")
    assert given("Trainer", "replay") is imported("BaseFeatures")
    # All judges hear what judged the base, and one more the person's own clips.
    for judge in ("MicroConverter", "Evaluator", "MicroValidator", "MicroPusher"):
        assert given(judge, "examples") is imported("BaseFeatures")
    for judge in ("StreamingEvaluator", "MicroValidator"):
        assert given(judge, "streams") is imported("BaseStreams")
    assert given("OwnClipsEvaluator", "examples") is own
    for judge in ("Evaluator", "OwnClipsEvaluator"):
        assert given(judge, "baseline_model") is imported("Baseline")
    assert given("StreamingEvaluator", "last_model") is imported("Baseline")
    assert given("StreamingEvaluator", "last_evaluation") is imported("InService")
    assert (
        given("MicroPusher", "own_clips_blessing")
        is (nodes["OwnClipsEvaluator"].outputs["blessing"])
    )
    # Recordings of the person stay out of the bundle; terms of the base's data hold.
    assert given("MicroPusher", "audio_examples") is imported("BaseAudio")
    info = json.loads(nodes["MicroPusher"].exec_properties["info"])
    assert info["data"] == "recordings of many; fitted to one person's own recordings"
    assert info["licence"] == "CC0" and info["credits"] == ["musan: CC-BY"]
    assert info["name"] == "mine-personal" and info["held_back"] == ["x is research-only"]
    assert info["config"]["data"]["sources"][0]["own_clips"] == "…/clips"


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("training.hard_negatives={}", "cannot have training.hard_negatives"),
        ("training.warm_start=false", "cannot have training.warm_start: false"),
        ("tuning={space: {training.mixup_alpha: [0.1, 0.2]}}", "cannot have tuning"),
        ("model=null", "cannot have model: null"),
        ("base.plaice=x", "base: plaice: unknown key.*known here: place, run"),
    ],
)
def test_what_does_not_go_with_a_base_is_refused(override, sentence, tmp_path, monkeypatch):
    place = base_run(tmp_path / "mine", monkeypatch)
    with pytest.raises(KwsError) as error:
        personal(place, tmp_path, override)
    assert re.search(sentence, f"{error.value.message} {error.value.hint}")


def test_a_model_of_scenes_and_a_run_without_its_configuration_are_refused(tmp_path, monkeypatch):
    base_run(tmp_path / "scenes", monkeypatch, model="trigger_gru")
    with pytest.raises(
        KwsError, match="trigger_gru learns from scenes: it cannot learn from clips"
    ):
        personal(tmp_path, tmp_path)
    base_run(tmp_path / "old", monkeypatch, config=None)
    with pytest.raises(KwsError, match="did not record its configuration"):
        personal(tmp_path, tmp_path)


def test_it_is_not_compiled_for_kubeflow(tmp_path, monkeypatch):
    place = base_run(tmp_path / "mine", monkeypatch)
    target = Target(root="gs://b/root", data="gs://b/words", image="i", destination="gs://b/out")
    with pytest.raises(KwsError, match="mine is a run of this machine: it cannot be compiled"):
        compile_spec(personal(place, tmp_path), target)


def test_without_a_base_its_preset_and_keys_say_what_is_missing():
    with pytest.raises(KwsError, match="goes on from a run, and none is named") as error:
        load("personal")
    assert "kws personalize" in error.value.hint
    assert "personal" not in configuration.preset_names()
    for override in ("training.replay=10", "ingest.require_every_keyword=false"):
        with pytest.raises(
            KwsError, match=r"needs the data of another run: name it in base\.place"
        ):
            load("quickstart", [override])
