"""SpectrogramTransform on clean clips and noisy copies: what comes out, and what it refuses."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import artifact_utils, channel_utils, standard_artifacts

from components import beam_args
from components.spectrogram_transform import executor
from components.spectrogram_transform.component import SpectrogramTransform
from kws import features
from kws.audio.clip import Clip, encode
from kws.errors import KwsError
from kws.features import clip_features, files
from kws.features.example import FeatureExample, decode
from kws.features.params import FeatureParams

PARAMS = FeatureParams()


def clip(number: int, lead_in_ms: int = 0) -> Clip:
    rng = np.random.default_rng(number)
    return Clip(
        audio=rng.normal(0, 1000, 16000 + 16 * lead_in_ms).astype(np.int16),
        sample_rate=16000,
        label="yes" if number % 2 else "_unknown_",
        word="yes" if number % 2 else "other",
        speaker=f"speaker{number}",
        source="test",
        clip_id=f"{number:04x}-{lead_in_ms}",
        novelty="keyword",
        augmentation="noisy" if lead_in_ms else "none",
        snr_db=5.0 if lead_in_ms else None,
        lead_in_ms=lead_in_ms,
    )


CLEAN = {"train": [clip(n) for n in range(5)], "eval": [clip(n) for n in range(5, 7)], "test": []}
NOISY = {"train": [clip(n, 500) for n in range(5)]}


def artifact(folder: Path, splits: dict[str, list[Clip]]) -> standard_artifacts.Examples:
    made = standard_artifacts.Examples()
    made.uri = str(folder)
    made.split_names = artifact_utils.encode_split_names(list(splits))
    for split, clips in splits.items():
        path = folder / f"Split-{split}" / "data_tfrecord-00000-of-00001.gz"
        path.parent.mkdir(parents=True)
        with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
            for item in clips:
                writer.write(encode(item))
    return made


def transform(
    folder: Path, *sources: dict[str, list[Clip]], workers: int = 1
) -> standard_artifacts.Examples:
    """Runs the executor with the execution properties that the component makes."""
    inputs = [artifact(folder / f"in{i}", source) for i, source in enumerate(sources)]
    component = SpectrogramTransform(channel_utils.as_channel(inputs), PARAMS, ("yes",))
    output = standard_artifacts.Examples()
    output.uri = str(folder / "out")
    mode = "in_memory" if workers == 1 else "multi_threading"
    context = BaseBeamExecutor.Context(
        beam_pipeline_args=beam_args.complete(
            [f"--direct_running_mode={mode}", f"--direct_num_workers={workers}"]
        )
    )
    executor.Executor(context).Do(
        {"examples": inputs}, {"transformed_examples": [output]}, component.exec_properties
    )
    return output


def read(output: standard_artifacts.Examples, split: str) -> dict[str, FeatureExample]:
    shards = sorted(Path(artifact_utils.get_split_uri([output], split)).iterdir())
    assert len(shards) in (1, 2)
    assert [shard.name for shard in shards] == [
        f"data_tfrecord-{number:05d}-of-{len(shards):05d}.gz" for number in range(len(shards))
    ]
    records = tf.data.TFRecordDataset([str(shard) for shard in shards], "GZIP")
    examples = [
        decode(record, PARAMS.feature_shape, np.dtype(np.uint16))
        for record in records.as_numpy_iterator()
    ]
    assert len({example.clip_id for example in examples}) == len(examples)
    return {example.clip_id: example for example in examples}


@pytest.fixture(scope="module")
def output(tmp_path_factory) -> standard_artifacts.Examples:
    return transform(tmp_path_factory.mktemp("transform"), CLEAN, NOISY)


def test_a_split_has_the_features_of_all_its_clips_of_all_artifacts(output):
    frontend = features.create(PARAMS)
    found = read(output, "train")
    clips = CLEAN["train"] + NOISY["train"]
    assert set(found) == {item.clip_id for item in clips}
    for item in clips:
        (expected,) = clip_features.features_of([item], frontend)
        np.testing.assert_array_equal(found[item.clip_id].features, expected)
    noisy = found["0003-500"]
    assert (noisy.label_index, noisy.snr_bucket, noisy.augmentation) == (2, "0_to_10", "noisy")


def test_a_split_that_only_one_artifact_has_or_that_is_empty_is_there(output):
    assert artifact_utils.decode_split_names(output.split_names) == ["train", "eval", "test"]
    assert set(read(output, "eval")) == {"0005-0", "0006-0"}
    assert read(output, "test") == {}


def test_what_the_features_are_is_written_beside_them(output):
    assert files.read(output.uri) == PARAMS
    assert files.read_labels(output.uri) == ["_silence_", "_unknown_", "yes"]
    assert not (Path(output.uri) / "refused.json").exists()


def test_more_workers_write_the_same_files(output, tmp_path):
    other = transform(tmp_path, CLEAN, NOISY, workers=2)
    alone, together = (sorted(Path(made.uri).rglob("*.gz")) for made in (output, other))
    assert [path.name for path in alone] == [path.name for path in together]
    assert [path.read_bytes() for path in alone] == [path.read_bytes() for path in together]
    assert len(read(other, "train")) == 10


def test_clips_and_milliseconds_are_counted_for_each_split(output):
    assert output.get_int_custom_property("clips_train") == 10
    assert output.get_int_custom_property("milliseconds_train") == 5 * 1000 + 5 * 1500
    assert output.get_int_custom_property("clips_eval") == 2
    assert output.get_int_custom_property("clips_test") == 0


def test_a_clip_that_does_not_fit_fails_the_step_by_its_name(tmp_path):
    wrong = [dataclasses.replace(clip(n), sample_rate=8000) for n in (8, 7)]
    with pytest.raises(KwsError) as error:
        transform(tmp_path, {**CLEAN, "eval": [clip(5), *wrong]})
    assert error.value.message == (
        "clip 0007-0 ('yes' of test) has sample_rate=8000, the frontend 16000 Hz "
        "(and 1 more clips like it)"
    )


def test_the_parameters_are_part_of_the_execution(tmp_path):
    channel = channel_utils.as_channel([standard_artifacts.Examples()])
    component = SpectrogramTransform(channel, PARAMS, ["yes", "no"])
    assert FeatureParams.from_json(component.exec_properties["params"]) == PARAMS
    assert json.loads(component.exec_properties["keywords"]) == ["yes", "no"]
