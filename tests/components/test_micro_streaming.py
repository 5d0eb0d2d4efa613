"""A streaming model through the components: converted, validated, scored, pushed and verified."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tfx import types
from tfx.types import artifact_utils, standard_artifacts

import kws.bundle.publishing
from components.artifacts import (
    AudioStreams,
    ConversionReport,
    StreamingBlessing,
    StreamingEvaluation,
)
from components.evaluator import predictor, results
from components.micro_converter import executor as converter
from components.micro_validator import executor as validator
from components.micro_validator.streams import compare
from components.streaming_evaluator import scoring
from kws.detection.params import DetectorParams
from kws.detection.posteriors import stream_posteriors
from kws.errors import KwsError
from kws.export.params import BudgetParams, ConversionParams
from kws.features import example, files
from kws.gates import Gate, read_gates, write_gates
from tests.components.test_micro_components import _artifact, _push, _records, _validate
from tests.kws.runtime.conftest import FEATURE_PARAMS, LABELS
from tests.kws.runtime.test_streaming_model import MIXED_NET, untrained_mixed_net


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, types.Artifact]:
    """What MicroPusher is given, the converter and the validator having run."""
    root = tmp_path_factory.mktemp("streaming")
    model, judged = untrained_mixed_net()
    serving = root / "trained" / "Format-Serving"
    model.save(str(serving), save_format="tf", include_optimizer=False)
    trained = {"model": MIXED_NET.model_dump(), "training": {}}
    (serving / "training.json").write_text(json.dumps(trained))
    examples = _artifact(standard_artifacts.Examples, root / "examples")
    examples.split_names = artifact_utils.encode_split_names(["train", "eval", "test"])
    for folder in (serving, root / "examples"):
        files.write(folder, FEATURE_PARAMS)
        files.write_labels(folder, LABELS)
    serialized = [
        example.encode(
            example.FeatureExample(
                features=features,
                label_index=int(answer),
                label=LABELS[answer],
                word="",
                snr_bucket="clean",
                augmentation="none",
                clip_id=f"{number:016x}",
                speaker="nobody",
                source="random",
                novelty="keyword",
            )
        )
        for number, (features, answer) in enumerate(
            zip(judged.features, judged.label_index, strict=True)
        )
    ]
    for split in ("train", "eval", "test"):
        _records(root / "examples" / f"Split-{split}", serialized)
    converted = _artifact(standard_artifacts.Model, root / "converted")
    converter.Executor().Do(
        {
            "float_model": [_artifact(standard_artifacts.Model, root / "trained")],
            "examples": [examples],
        },
        {"model": [converted], "report": [_artifact(ConversionReport, root / "report")]},
        {"params": ConversionParams(representative_examples=60, max_accuracy_drop=0.1).to_json()},
    )
    streamed = _artifact(StreamingEvaluation, root / "streamed")
    detector = DetectorParams(clip_stride_ms=60)
    Path(streamed.uri, "detector.json").write_text(detector.to_json() + "\n")
    Path(streamed.uri, "evaluation.json").write_text('{"test": {"total": {}}}')
    blessing = _artifact(StreamingBlessing, root / "streaming_blessing", blessed=1)
    write_gates(blessing.uri, [])
    gathered = {
        "model": converted,
        "examples": examples,
        "streaming_evaluation": streamed,
        "streaming_blessing": blessing,
        "model_evaluation": _artifact(standard_artifacts.ModelEvaluation, root / "evaluation"),
        "model_blessing": _artifact(standard_artifacts.ModelBlessing, root / "blessing", blessed=1),
    }
    gathered["infra_blessing"] = _validate(gathered, root / "infra", BudgetParams(test_vectors=4))
    return gathered


def test_the_one_step_form_is_converted_and_tflm_agrees_with_it(
    inputs: dict[str, types.Artifact],
) -> None:
    folder = Path(inputs["model"].uri) / "Format-Serving"
    conversion = json.loads((folder / "conversion.json").read_text())
    assert (conversion["kind"], conversion["frames_per_step"]) == ("streaming", 3)
    assert conversion["int8_accuracy"] >= 0.9
    assert inputs["infra_blessing"].get_int_custom_property("blessed") == 1
    figures = json.loads(Path(inputs["infra_blessing"].uri, "micro.json").read_text())
    assert figures["tflm_mismatch_steps"] == 0 and figures["test_vectors"] == 4


def test_the_evaluators_score_clips_from_a_fresh_state_and_streams_step_by_step(
    inputs: dict[str, types.Artifact],
) -> None:
    model, frontend = scoring.load(str(Path(inputs["model"].uri) / "Format-Serving"))
    _, judged = untrained_mixed_net()
    raw = [features.astype("<u2").tobytes() for features in judged.features]
    outputs = predictor.outputs_of(model, raw, model.labels)
    np.testing.assert_array_equal(outputs[predictor.POSTERIORS], model.posteriors(judged.features))
    answers = outputs[predictor.DECISION].argmax(axis=1)
    assert np.mean(answers == judged.label_index) >= 0.9

    noise = np.random.default_rng(0).normal(0, 3000, 3 * 16000).astype(np.int16)
    times_ms, posteriors = stream_posteriors(model, frontend, noise, 120)
    steps = model.stream(frontend.compute(noise))
    assert times_ms.tolist() == list(range(47 * 20 + 30, 2981, 120))
    np.testing.assert_array_equal(posteriors, steps[15::2])


def test_a_bundle_of_it_is_pushed_and_verifies(
    inputs: dict[str, types.Artifact], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(name="clips.accuracy", value=0.99, limit=0.9, at_most=False)
    monkeypatch.setattr(results, "evaluation_gates", lambda _: [gate])
    monkeypatch.setattr(results, "confusion_matrix", lambda _, n: np.eye(n, dtype=np.int64))
    pushed = _push(inputs, tmp_path)
    folder = Path(pushed.get_string_custom_property("pushed_destination"))
    kws.bundle.publishing.verify(folder)
    described = json.loads((folder / "manifest.json").read_text())
    assert described["type"] == "streaming" and described["detector"]["clip_stride_ms"] == 60
    assert described["test_vectors"]["count"] == 4


def test_the_validator_compares_tflm_and_tflite_on_the_eval_streams(
    inputs: dict[str, types.Artifact], tmp_path: Path
) -> None:
    streams = _artifact(AudioStreams, tmp_path / "streams")
    folder = Path(streams.uri, "Split-eval")
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in ("words-eval-00", "words-eval-01", "negatives-eval-000"):
        audio = rng.normal(0, 3000, 3 * 16000).astype(np.int16)
        soundfile.write(folder / f"{name}.wav", audio, 16000, subtype="PCM_16")
    blessing = _artifact(standard_artifacts.InfraBlessing, tmp_path / "infra")
    validator.Executor().Do(
        {"model": [inputs["model"]], "examples": [inputs["examples"]], "streams": [streams]},
        {"blessing": [blessing]},
        {
            "params": BudgetParams(test_vectors=2, parity_stream_s=5).to_json(),
            "detector": DetectorParams(clip_stride_ms=60, minimum_count=1).to_json(),
        },
    )
    assert blessing.get_int_custom_property("blessed") == 1
    stream = json.loads(Path(blessing.uri, "micro.json").read_text())["stream"]
    # 5 s of two streams: steps of 60 ms, of which the first fifteen fill the model's memory.
    assert (stream["seconds"], stream["rows"]) == (5, (249 // 3) - 15)
    assert (stream["rows_differing"], stream["detections_differing"]) == (0, 0)
    gates = {gate.name: gate for gate in read_gates(blessing.uri)}
    assert gates["micro.stream_mismatches"].limit == 1 and gates["micro.stream_detections"].passed
    (folder.parent / "Split-eval").rename(folder.parent / "Split-other")
    with pytest.raises(KwsError, match="Split-eval holds no stream"):
        compare(
            str(Path(inputs["model"].uri) / "Format-Serving"), streams.uri, "eval", 5,
            DetectorParams(clip_stride_ms=60),
        )  # fmt: skip
