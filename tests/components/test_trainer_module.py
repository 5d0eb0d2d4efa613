"""run_fn: what the Trainer is left with, from examples on disk."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from components.trainer import trainer_module
from kws import labels
from kws.detection.posteriors import StreamingModel
from kws.errors import KwsError
from kws.export import feature_reader
from kws.export.convert import Labelled, convert
from kws.export.params import ConversionParams
from kws.features import example, files, frontend_class, speech_mel
from kws.features.model_input import input_scale
from kws.features.params import FeatureParams
from kws.models.params import ModelParams
from kws.runtime import load
from kws.scenes.ground_truth import GroundTruth, Word
from kws.scenes.wav import to_wav
from kws.speech.frontend import speech_embedding_params
from kws.speech.head import HeadParams
from kws.training import saved_model
from kws.training.params import EarlyStoppingParams, SpottingParams, TrainingParams
from kws.training.teacher import TeacherParams

KEYWORDS = ["yes"]
FEATURES = FeatureParams(clip_duration_ms=230, feature_bin_count=8)
MODEL = ModelParams(name="tiny_conv", options={"filters": 2})


def write_split(root, split: str, count: int, params: FeatureParams = FEATURES) -> None:
    """Examples of the three labels in turn; random features."""
    import tensorflow as tf

    dtype = frontend_class(params.frontend).dtype

    folder = root / f"Split-{split}"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(len(split))
    names = labels.label_list(KEYWORDS)
    with tf.io.TFRecordWriter(str(folder / "data_tfrecord-00000-of-00001.gz"), "GZIP") as writer:
        for number in range(count):
            row = example.FeatureExample(
                features=rng.integers(0, 600, params.feature_shape).astype(dtype),
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


def write_stream(folder) -> None:
    """Three seconds of noise in which a keyword is said to be."""
    folder.mkdir(parents=True)
    said = Word(
        label="yes", word="yes", start_ms=900, end_ms=1400, speaker="", source="", clip_id=""
    )
    truth = GroundTruth(
        stream_id="words-eval-00",
        kind="words",
        duration_ms=3000,
        sample_rate=16000,
        words=(said,),
    )
    audio = np.random.default_rng(0).integers(-900, 900, 48_000).astype(np.int16)
    (folder / "words-eval-00.wav").write_bytes(to_wav(audio, 16000))
    (folder / "words-eval-00.json").write_text(truth.to_json())


def arguments(tmp_path) -> SimpleNamespace:
    """As TFX's FnArgs."""
    return SimpleNamespace(
        train_files=[str(tmp_path / "examples" / "Split-train" / "*")],
        eval_files=[str(tmp_path / "examples" / "Split-eval" / "*")],
        model_run_dir=str(tmp_path / "model_run"),
        serving_model_dir=str(tmp_path / "model" / "Format-Serving"),
        base_model=None,
        hyperparameters=None,
        custom_config={
            "model": MODEL.to_json(),
            "training": TrainingParams(
                epochs=2,
                batch_size=8,
                early_stopping=EarlyStoppingParams(metric="misses", clip_stride_ms=100),
            ).to_json(),
            "keywords": json.dumps(KEYWORDS),
            "checkpoint_dir": str(tmp_path / "checkpoints"),
            "streams": str(tmp_path / "streams"),
        },
    )


def test_run_fn_leaves_a_model_that_says_what_it_is_and_no_checkpoints(tmp_path):
    import tensorflow as tf

    root = tmp_path / "examples"
    write_split(root, "train", 24)
    write_split(root, "eval", 12)
    files.write(root, FEATURES)
    files.write_labels(root, labels.label_list(KEYWORDS))
    write_stream(tmp_path / "streams" / "Split-eval")
    trainer_module.run_fn(arguments(tmp_path))
    folder = tmp_path / "model" / "Format-Serving"
    model = tf.keras.models.load_model(str(folder))
    assert model.input_shape == (None, *FEATURES.feature_shape) and model.output_shape == (None, 3)
    assert (folder / "labels.txt").read_text().split() == labels.label_list(KEYWORDS)
    assert files.read(folder) == FEATURES
    training = json.loads((folder / "training.json").read_text())
    assert len(training["history"]["epochs"]) == 2
    assert training["history"]["epochs"][0]["metrics"].keys() == {
        "miss_rate",
        "false_accepts_per_hour",
    }
    assert training["label_counts"] == {"_silence_": 8, "_unknown_": 8, "yes": 8}
    assert list((tmp_path / "model_run").glob("eval/events*"))
    assert not list((tmp_path / "checkpoints").iterdir())


def write_sounds(root, split: str, *sounds: tuple[str, int | None], count: int, seed: int) -> None:
    """Noise, and for words something louder in one channel: (label, channel) in turn."""
    import tensorflow as tf

    folder = root / f"Split-{split}"
    folder.mkdir(parents=True)
    rng, names = np.random.default_rng(seed), labels.label_list(KEYWORDS)
    with tf.io.TFRecordWriter(str(folder / "data_tfrecord-00000-of-00001.gz"), "GZIP") as writer:
        for number in range(count):
            label, channel = sounds[number % len(sounds)]
            features = rng.integers(0, 60, FEATURES.feature_shape).astype(np.uint16)
            if channel is not None:
                features[:, channel] += 400
            row = example.FeatureExample(
                features=features, label_index=names.index(label), label=label, word=label,
                speaker="", source="", snr_bucket="clean", augmentation="none", novelty="keyword",
                clip_id=f"{seed}-{split}-{number}",
            )  # fmt: skip
            writer.write(example.encode(row))
    files.write(root, FEATURES)
    files.write_labels(root, names)


def test_a_person_is_understood_after_a_warm_start_among_replayed_examples_and_nothing_is_forgotten(
    tmp_path,
):
    """People say "yes" in channel 1; this person says it in 5."""
    import tensorflow as tf

    original = (("_silence_", None), ("_unknown_", 3), ("yes", 1))
    for split, count in (("train", 90), ("eval", 30)):
        write_sounds(tmp_path / "examples", split, *original, count=count, seed=0)
    write_sounds(tmp_path / "own", "train", ("yes", 5), count=20, seed=1)
    write_sounds(tmp_path / "held_out", "test", ("yes", 5), count=10, seed=2)

    def trained(folder, given, **settings):
        given.serving_model_dir = str(tmp_path / folder / "Format-Serving")
        common = {"batch_size": 16, "time_shift_frames": 0, "learning_rate": 0.02}
        given.custom_config |= {
            "model": ModelParams(name="single_fc").to_json(),
            "training": TrainingParams(**{**common, **settings}).to_json(),
        }
        trainer_module.run_fn(given)
        model = tf.keras.models.load_model(given.serving_model_dir)
        written = json.loads((tmp_path / folder / "Format-Serving/training.json").read_text())

        def right(root, split):
            rows = list(feature_reader.read(tmp_path / root / f"Split-{split}", FEATURES))
            inputs = np.stack([row.features for row in rows]) * input_scale(FEATURES)
            answers = model(inputs.astype(np.float32)).numpy().argmax(axis=1)
            return float((answers == [row.label_index for row in rows]).mean())

        return right("held_out", "test"), right("examples", "eval"), written

    held_out, kept, _ = trained("base", arguments(tmp_path), epochs=30)
    assert held_out < 0.5 and kept > 0.95
    personal = arguments(tmp_path)
    personal.train_files = [str(tmp_path / "own" / "Split-train" / "*")]
    personal.eval_files = [str(tmp_path / "own" / "Split-eval" / "*")]  # there is none
    personal.base_model = str(tmp_path / "base" / "Format-Serving")
    personal.custom_config["replay"] = str(tmp_path / "examples")
    settings = {"epochs": 10, "learning_rate": 0.01, "keep": "last"}
    held_out, kept, written = trained("personal", personal, replay=60, **settings)
    assert held_out > 0.9 and kept > 0.95
    assert sum(written["label_counts"].values()) == 20 + 60
    assert written["history"]["best_epoch"] == 10
    # Of its own clips alone it forgets the rest: it is the replay that keeps them.
    _, kept, _ = trained("forgetful", personal, replay=0, **{**settings, "epochs": 60})
    assert kept < 0.8


@pytest.fixture
def spotting(tmp_path) -> SimpleNamespace:
    """Arguments of a spotter's training, with examples and their speech embeddings on disk."""
    params = FeatureParams(
        clip_duration_ms=1600, context_ms=300, window_stride_ms=10, feature_bin_count=8
    )
    embeddings = speech_embedding_params(1600)
    for folder, own in (("examples", params), ("embeddings", embeddings)):
        write_split(tmp_path / folder, "train", 24, own)
        write_split(tmp_path / folder, "eval", 12, own)
        files.write(tmp_path / folder, own)
        files.write_labels(tmp_path / folder, labels.label_list(KEYWORDS))
    write_stream(tmp_path / "streams" / "Split-eval")
    model = ModelParams(
        name="mixed_net",
        options={"first_filters": 4, "kernels": [[3]], "filters": [4], "residual": [False],
                 "ending": "sigmoid", "padding": "none"},
    )  # fmt: skip
    head = HeadParams(layers=1, filters=4, hidden_units=4)
    teacher = TeacherParams(heads=1, embeddings=8, head=head, epochs=1, batch_size=8)
    given = arguments(tmp_path)
    given.custom_config.update(
        model=model.to_json(),
        training=TrainingParams(
            epochs=2,
            batch_size=8,
            spotting=SpottingParams(teacher=teacher),
            early_stopping=EarlyStoppingParams(metric="misses", clip_stride_ms=90),
        ).to_json(),
        speech_embedding=str(tmp_path / "embeddings"),
    )
    return given


def test_a_spotter_is_taught_by_the_embeddings_and_converted_as_what_streams_hear(
    spotting, tmp_path
):
    trainer_module.run_fn(spotting)
    folder = tmp_path / "model" / "Format-Serving"
    written = json.loads((folder / "training.json").read_text())
    assert written["training"]["spotting"]["teacher"]["heads"] == 1
    epochs = written["history"]["epochs"]
    assert len(epochs) == 2 and "miss_rate" in epochs[0]["metrics"]
    # Neither heads nor checkpoints of a finished training are left, nor the teacher's layer.
    assert not list((tmp_path / "checkpoints").iterdir())
    model = saved_model.load(folder)
    assert model.output_shape == (None, 3) and "embedding" not in [x.name for x in model.layers]
    params, names = files.read(folder), labels.label_list(KEYWORDS)
    rng = np.random.default_rng(0)
    clips = rng.integers(0, 600, (6, *params.feature_shape)).astype(np.uint16)
    judged = Labelled(features=clips, label_index=np.arange(6) % 3)
    conversion = convert(
        model, judged, judged, names, params, ConversionParams(max_accuracy_drop=1),
        ModelParams(**written["model"]),
    )  # fmt: skip
    int8 = load.of_content(conversion.model, names, params, conversion.kind)
    assert isinstance(int8, StreamingModel) and int8.frames_per_step == 3
    assert np.abs(int8.posteriors(clips) - model(clips * np.float32(10 / 256))).mean() < 0.05


def test_a_teacher_without_embeddings_or_with_those_of_others_is_refused(spotting, tmp_path):
    there = spotting.custom_config.pop("speech_embedding")
    with pytest.raises(KwsError, match=r"speech embedding of (the|its) examples"):
        trainer_module.run_fn(spotting)
    spotting.custom_config["speech_embedding"] = there
    files.write_labels(tmp_path / "embeddings", labels.label_list(["no"]))
    with pytest.raises(KwsError, match=r"embeddings has examples of the labels .* no, not of"):
        trainer_module.run_fn(spotting)


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


def test_examples_of_two_frontends_are_refused(tmp_path):
    both = []
    for name, params in (
        ("one", FEATURES),
        ("two", FEATURES.model_copy(update={"pcan_offset": 7})),
    ):
        (tmp_path / name).mkdir()
        files.write(tmp_path / name, params)
        both.append(str(tmp_path / name / "Split-train" / "*"))
    given = arguments(tmp_path)
    given.train_files = both
    with pytest.raises(KwsError, match=r"two has features of other parameters than .*one"):
        trainer_module.run_fn(given)


def test_a_frozen_network_is_trained_on_embeddings_alone_and_exported_for_its_own_features(
    tmp_path,
):
    import tensorflow as tf

    mel = speech_mel.PARAMS.model_copy(update={"clip_duration_ms": 1200, "context_ms": 1130})
    embedding = speech_embedding_params(1200)
    for name, params in (("examples", mel), ("embedded", embedding)):
        (tmp_path / name).mkdir()
        files.write(tmp_path / name, params)
        files.write_labels(tmp_path / name, labels.label_list(KEYWORDS))
    # Of the mel frames there is none to be read.
    for split, count in (("train", 24), ("eval", 12)):
        write_split(tmp_path / "embedded", split, count, embedding)
    given = arguments(tmp_path)
    options = {"ending": "sigmoid", "heads": 2, "layers": 1, "filters": 4, "hidden_units": 4}
    spotting = SpottingParams(teacher=None)
    training = TrainingParams(epochs=1, batch_size=8, time_shift_frames=0, spotting=spotting)
    given.custom_config |= {
        "model": ModelParams(name="speech_embedding", options=options).to_json(),
        "training": training.to_json(),
    }
    with pytest.raises(KwsError, match="given no speech embedding"):
        trainer_module.run_fn(given)
    given.custom_config["speech_embedding"] = str(tmp_path / "embedded")
    trainer_module.run_fn(given)
    folder = tmp_path / "model" / "Format-Serving"
    model = tf.keras.models.load_model(str(folder))
    assert model.input_shape == (None, *mel.feature_shape) and model.output_shape == (None, 3)
    assert files.read(folder) == mel
    report = json.loads((folder / "training.json").read_text())
    assert report["feature_shape"] == list(mel.feature_shape)
    assert report["label_counts"] == {"_silence_": 8, "_unknown_": 8, "yes": 8}
