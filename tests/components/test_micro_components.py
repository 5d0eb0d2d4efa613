"""MicroConverter, MicroValidator and MicroPusher one after another, on random weights."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tfx import types
from tfx.types import artifact_utils, standard_artifacts

import kws.bundle.publishing
from components.artifacts import ConversionReport, StreamingBlessing, StreamingEvaluation
from components.blessing import BLESSINGS
from components.evaluator import results
from components.micro_converter import executor as converter
from components.micro_converter.component import MicroConverter
from components.micro_pusher import executor as pusher
from components.micro_pusher import gather
from components.micro_pusher.component import MicroPusher
from components.micro_validator import executor as validator
from components.micro_validator.component import MicroValidator
from kws.audio import clip
from kws.bundle.lineage import folder_sha256
from kws.detection.params import DetectorParams
from kws.errors import KwsError
from kws.export.params import BudgetParams, ConversionParams
from kws.features import example, files
from kws.features.params import FeatureParams
from kws.gates import Gate, read_gates, write_gates
from kws.runtime.tflite_model import Int8Model
from tests.kws.runtime.conftest import LABELS, random_features, sensitivities_at

PARAMS = FeatureParams()
INFO = json.dumps({"name": "two words", "keywords": ["yes", "no"], "licence": "none needed"})


def _records(folder: Path, serialized: list[bytes]) -> None:
    folder.mkdir(parents=True)
    name = str(folder / "data_tfrecord-00000-of-00001.gz")
    with tf.io.TFRecordWriter(name, "GZIP") as writer:
        for record in serialized:
            writer.write(record)


def _artifact(
    kind: type[types.Artifact], folder: Path, blessed: int | None = None
) -> types.Artifact:
    artifact = kind()
    artifact.uri = str(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if blessed is not None:
        artifact.set_int_custom_property("blessed", blessed)
    return artifact


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, types.Artifact]:
    """What the components before these leave behind, and the converted and validated model."""
    root = tmp_path_factory.mktemp("run")
    # `Sequential` needs no training to hold weights; its own answers are the truth here.
    model = tf.keras.Sequential(
        [
            tf.keras.layers.InputLayer(PARAMS.feature_shape),
            tf.keras.layers.Reshape((*PARAMS.feature_shape, 1)),
            tf.keras.layers.Conv2D(4, (8, 8), strides=4, activation="relu"),
            tf.keras.layers.Flatten(),
            tf.keras.layers.Dense(len(LABELS), activation="softmax"),
        ]
    )
    serving = root / "trained" / "Format-Serving"
    model.save(str(serving), save_format="tf", include_optimizer=False)
    examples = _artifact(standard_artifacts.Examples, root / "examples")
    audio = _artifact(standard_artifacts.Examples, root / "audio")
    for artifact in (examples, audio):
        artifact.split_names = artifact_utils.encode_split_names(["train", "eval", "test"])
    for folder in (serving, root / "examples"):
        files.write(folder, PARAMS)
        files.write_labels(folder, LABELS)
    for number, split in enumerate(("train", "eval", "test")):
        features = random_features(np.random.default_rng(number), 24)
        answers = model(features.astype(np.float32) * np.float32(10 / 256)).numpy().argmax(axis=1)
        names = [f"{split}{index:012x}" for index in range(24)]
        shared = {"speaker": "nobody", "source": "random", "novelty": "keyword"}
        _records(
            root / "examples" / f"Split-{split}",
            [
                example.encode(
                    example.FeatureExample(
                        features=features[index],
                        label_index=int(answers[index]),
                        label=LABELS[answers[index]],
                        word="",
                        snr_bucket="clean",
                        augmentation="none",
                        clip_id=names[index],
                        **shared,
                    )
                )
                for index in range(24)
            ],
        )
        _records(
            root / "audio" / f"Split-{split}",
            [
                clip.encode(
                    clip.Clip(
                        audio=np.full(16000, index, np.int16),
                        sample_rate=16000,
                        label=LABELS[0],
                        word="",
                        clip_id=names[index],
                        **shared,
                    )
                )
                for index in range(24)
            ],
        )
    converted = _artifact(standard_artifacts.Model, root / "converted")
    report = _artifact(ConversionReport, root / "report")
    converter.Executor().Do(
        {
            "float_model": [_artifact(standard_artifacts.Model, root / "trained")],
            "examples": [examples],
        },
        {"model": [converted], "report": [report]},
        {"params": ConversionParams(representative_examples=10, max_accuracy_drop=0.2).to_json()},
    )
    streamed = _artifact(StreamingEvaluation, root / "streamed")
    Path(streamed.uri, "detector.json").write_text(
        DetectorParams(detection_threshold=0.42).to_json() + "\n"
    )
    named = sensitivities_at(low=0.9, medium=0.42, high=0.2).to_dict()
    Path(streamed.uri, "evaluation.json").write_text(
        json.dumps({"test": {"total": {}}, "sensitivities": named})
    )
    streaming = _artifact(StreamingBlessing, root / "streaming_blessing", blessed=1)
    rate = Gate(name="streaming.miss_rate", value=0.1, limit=0.2, at_most=True)
    write_gates(streaming.uri, [rate])
    gathered = {
        "model": converted,
        "examples": examples,
        "audio_examples": audio,
        "report": report,
        "streaming_evaluation": streamed,
        "streaming_blessing": streaming,
        "model_evaluation": _artifact(standard_artifacts.ModelEvaluation, root / "evaluation"),
        "model_blessing": _artifact(standard_artifacts.ModelBlessing, root / "blessing", blessed=1),
    }
    gathered["infra_blessing"] = _validate(gathered, root / "infra", BudgetParams(test_vectors=3))
    return gathered


def _validate(
    inputs: dict[str, types.Artifact], folder: Path, params: BudgetParams
) -> types.Artifact:
    blessing = _artifact(standard_artifacts.InfraBlessing, folder)
    validator.Executor().Do(
        {key: [inputs[key]] for key in ("model", "examples")},
        {"blessing": [blessing]},
        {"params": params.to_json(), "detector": DetectorParams().to_json()},
    )
    return blessing


def _push(inputs: dict[str, types.Artifact], destination: Path, **info: object) -> types.Artifact:
    pushed = standard_artifacts.PushedModel()
    pushed.uri = str(destination.parent / "pushed_model")
    keys = [key for key in inputs if key != "report"]
    pusher.Executor().Do(
        {key: [inputs[key]] for key in keys},
        {"pushed_model": [pushed]},
        {"destination": str(destination), "info": json.dumps({**json.loads(INFO), **info})},
    )
    return pushed


@pytest.fixture
def _tfma_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """TFMA's own files are not made here; what is read from them has tests of its own."""
    gate = Gate(name="clips.accuracy", value=0.99, limit=0.9, at_most=False)
    monkeypatch.setattr(results, "evaluation_gates", lambda _, kind="clips": [gate])
    monkeypatch.setattr(results, "confusion_matrix", lambda _, n: np.eye(n, dtype=np.int64))


def test_the_components_are_wired_by_the_keys_that_the_pipeline_uses() -> None:
    def channel(kind: type[types.Artifact]) -> types.Channel:
        return types.Channel(type=kind)

    model = channel(standard_artifacts.Model)
    examples = channel(standard_artifacts.Examples)
    converted = MicroConverter(model=model, examples=examples)
    assert set(converted.outputs) == {"model", "report"}
    fits = MicroValidator(model=converted.outputs["model"], examples=examples)
    pushed = MicroPusher(
        model=converted.outputs["model"],
        model_blessing=channel(standard_artifacts.ModelBlessing),
        streaming_blessing=channel(StreamingBlessing),
        infra_blessing=fits.outputs["blessing"],
        model_evaluation=channel(standard_artifacts.ModelEvaluation),
        streaming_evaluation=channel(StreamingEvaluation),
        examples=examples,
        destination="somewhere",
        info=INFO,
    )
    assert set(pushed.outputs) == {"pushed_model"}


def test_the_converter_writes_all_that_a_user_of_the_int8_model_needs(
    inputs: dict[str, types.Artifact],
) -> None:
    folder = Path(inputs["model"].uri) / "Format-Serving"
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "model.tflite", "model_float_io.tflite", "labels.txt", "frontend.json", "conversion.json",
        "origin.json",
    }  # fmt: skip
    assert Int8Model.load_folder(folder).labels == list(LABELS)
    assert inputs["report"].get_float_custom_property("float_accuracy") == 1.0
    written = json.loads(Path(inputs["report"].uri, "conversion.json").read_text())
    assert written["twin_difference_steps"] == 0
    assert sum(written["representative_counts"].values()) == 10


def test_the_converter_refuses_features_of_another_frontend(
    inputs: dict[str, types.Artifact], tmp_path: Path
) -> None:
    other = _artifact(standard_artifacts.Examples, tmp_path)
    files.write(tmp_path, FeatureParams(pcan_strength=0.5))
    trained = standard_artifacts.Model()
    trained.uri = str(Path(inputs["model"].uri).parent / "trained")
    with pytest.raises(KwsError, match=r"pcan_strength=0\.5"):
        converter.Executor().Do(
            {"float_model": [trained], "examples": [other]},
            {"model": [standard_artifacts.Model()], "report": [ConversionReport()]},
            {"params": ConversionParams().to_json()},
        )


def test_a_model_that_fits_is_blessed_and_one_that_does_not_names_its_gate(
    inputs: dict[str, types.Artifact], tmp_path: Path
) -> None:
    blessing = inputs["infra_blessing"]
    assert blessing.get_int_custom_property("blessed") == 1
    assert Path(blessing.uri, "INFRA_BLESSED").is_file()
    figures = json.loads(Path(blessing.uri, "micro.json").read_text())
    assert figures["test_vectors"] == 3 and figures["arena_bytes"] > 1000
    refused = _validate(inputs, tmp_path, BudgetParams(max_arena_bytes=1000, test_vectors=2))
    assert refused.get_int_custom_property("blessed") == 0
    assert refused.get_string_custom_property("reasons").startswith("micro.arena_bytes = ")
    assert Path(refused.uri, "INFRA_NOT_BLESSED").is_file()
    failed = [gate.name for gate in read_gates(refused.uri) if not gate.passed]
    assert failed == ["micro.arena_bytes"]


@pytest.mark.usefixtures("_tfma_figures")
def test_three_blessings_make_a_bundle_that_verifies(
    inputs: dict[str, types.Artifact], tmp_path: Path
) -> None:
    pushed = _push(inputs, tmp_path / "bundles")
    assert pushed.get_int_custom_property("pushed") == 1
    folder = Path(pushed.get_string_custom_property("pushed_destination"))
    assert folder == tmp_path / "bundles" / pushed.get_string_custom_property("pushed_version")
    assert (tmp_path / "bundles" / "LATEST").read_text().strip() == folder.name
    kws.bundle.publishing.verify(folder)
    described = json.loads((folder / "manifest.json").read_text())
    assert described["detector"]["detection_threshold"] == 0.42
    assert described["sensitivities"] == sensitivities_at(low=0.9, medium=0.42, high=0.2).to_dict()
    evaluation = json.loads((folder / "evaluation.json").read_text())
    assert [gate["name"] for gate in evaluation["gates"]] == [
        "clips.accuracy", "streaming.miss_rate", "micro.operators", "micro.tflm_mismatches",
    ]  # fmt: skip
    told = json.loads((folder / "lineage.json").read_text())
    assert "lineage.json" in (folder / "SHA256SUMS").read_text()
    model = (folder / "model.tflite").read_bytes()
    assert told["model_sha256"] == hashlib.sha256(model).hexdigest()
    trained = Path(inputs["model"].uri).parent / "trained" / "Format-Serving"
    assert told["float_model"]["sha256"] == folder_sha256(trained)
    assert told["artifacts"]["model"]["type"] == "Model"
    assert told["code"]["pushed"]["packages"]["tfx"] == "1.16.0"
    assert str(tmp_path) not in json.dumps(told)
    index = json.loads((folder / "test_vectors" / "index.json").read_text())
    assert len(index) == 3 and all(row["audio"].endswith(".wav") for row in index)


@pytest.mark.parametrize("key", BLESSINGS)
def test_without_one_of_them_nothing_is_written(
    inputs: dict[str, types.Artifact], tmp_path: Path, key: str
) -> None:
    refused = type(inputs[key])()
    refused.uri = inputs[key].uri
    refused.set_int_custom_property("blessed", 0)
    pushed = _push({**inputs, key: refused}, tmp_path / "bundles")
    assert pushed.get_int_custom_property("pushed") == 0
    assert pushed.get_string_custom_property("missing_blessings") == key
    assert not (tmp_path / "bundles").exists()


@pytest.mark.usefixtures("_tfma_figures")
def test_a_model_fitted_to_a_person_needs_the_blessing_on_that_person_s_clips_too(
    inputs: dict[str, types.Artifact], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = {"before": {"right": {"count": 1}}, "after": {"right": {"count": 3}}}
    compared = {"held_out": pair}
    monkeypatch.setattr(gather.results, "before_and_after", lambda *_: compared)
    own = _artifact(standard_artifacts.ModelEvaluation, tmp_path / "own")
    for blessed in (0, 1):
        blessing = _artifact(
            standard_artifacts.ModelBlessing, tmp_path / f"blessing{blessed}", blessed=blessed
        )
        given = {"own_clips_blessing": blessing, "own_clips_evaluation": own}
        pushed = _push({**inputs, **given}, tmp_path / "bundles")
        assert pushed.get_int_custom_property("pushed") == blessed
        missing = pushed.get_string_custom_property("missing_blessings")
        assert missing == ("" if blessed else "own_clips_blessing")
    folder = Path(pushed.get_string_custom_property("pushed_destination"))
    written = json.loads((folder / "evaluation.json").read_text())
    assert written["personalization"] == compared


def test_a_source_under_restricted_terms_holds_a_blessed_model_back_and_says_why(
    inputs: dict[str, types.Artifact], tmp_path: Path
) -> None:
    why = "fma-small is non-commercial: data.allow_non_commercial=true pushes all the same"
    pushed = _push(inputs, tmp_path / "bundles", held_back=[why])
    assert pushed.get_int_custom_property("pushed") == 0
    assert pushed.get_string_custom_property("missing_blessings") == "terms_of_the_data"
    (gate,) = read_gates(pushed.uri)
    assert gate.detail == why and not gate.passed
    assert pushed.get_string_custom_property("reasons") == gate.sentence()
    assert not (tmp_path / "bundles").exists()


def test_licences_of_the_sources_go_into_card_and_lineage(
    inputs: dict[str, types.Artifact], tmp_path: Path, _tfma_figures: None
) -> None:
    credit = "musan: CC-BY-4.0 (https://www.openslr.org/17/), D. Snyder"
    pushed = _push(inputs, tmp_path / "bundles", credits=[credit])
    folder = Path(pushed.get_string_custom_property("pushed_destination"))
    assert f"- {credit}." in (folder / "model_card.md").read_text()
    told = json.loads((folder / "lineage.json").read_text())
    assert told["data"]["licences"] == [credit]
