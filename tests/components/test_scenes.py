"""Scenes from AudioSynthesizer, and their features from SpectrogramTransform."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import channel_utils, standard_artifacts

from components import beam_args
from components.artifacts import AudioStreams
from components.audio_synthesizer.component import AudioSynthesizer
from components.audio_synthesizer.executor import Executor as Synthesize
from components.spectrogram_transform.component import SpectrogramTransform
from components.spectrogram_transform.executor import Executor as Transform
from kws import features
from kws.augment.params import NoisyCopyParams
from kws.errors import KwsError
from kws.features.params import FeatureParams
from kws.scenes import example
from kws.scenes.params import SceneParams, StreamParams
from kws.scenes.scene import Scene
from tests.components.test_audio_synthesizer import RATE, SPLITS, corpus, examples

SCENES = SceneParams(scenes=(7, 2, 0), duration_ms=4000, positives=(0, 3), steps=100, label_steps=9)
FEATURES = FeatureParams(
    frontend="spectrogram", clip_duration_ms=4000, window_size_ms=16, window_stride_ms=8,
    feature_bin_count=129,
)  # fmt: skip


def stage(folder: Path, recordings: Path, order: int = 1, workers: int = 1):
    """The artifact of scenes that the executor makes with so many Beam workers."""
    source = examples(folder / "in", order)
    component = AudioSynthesizer(
        channel_utils.as_channel([source]), str(recordings),
        NoisyCopyParams(copies=0, eval_copies=0), StreamParams(minutes=0.1), SCENES,
    )  # fmt: skip
    made, streams, scenes = (
        standard_artifacts.Examples(), AudioStreams(), standard_artifacts.Examples(),
    )  # fmt: skip
    made.uri, streams.uri, scenes.uri = (str(folder / name) for name in ("out", "streams", "stage"))
    mode = "in_memory" if workers == 1 else "multi_threading"
    context = BaseBeamExecutor.Context(
        beam_pipeline_args=beam_args.complete(
            [f"--direct_running_mode={mode}", f"--direct_num_workers={workers}"]
        )
    )
    Synthesize(context).Do(
        {"audio_examples": [source]},
        {"examples": [made], "streams": [streams], "scenes": [scenes]},
        component.exec_properties,
    )
    return scenes


def records(artifact: standard_artifacts.Examples, split: str) -> list[bytes]:
    """Sorted: a runner deals records to files as it likes."""
    files = sorted((Path(artifact.uri) / f"Split-{split}").glob("data_tfrecord-*.gz"))
    assert files
    return sorted(r.numpy() for r in tf.data.TFRecordDataset([str(f) for f in files], "GZIP"))


@pytest.fixture(scope="module")
def staged(tmp_path_factory) -> standard_artifacts.Examples:
    folder = tmp_path_factory.mktemp("staged")
    return stage(folder, corpus(folder / "corpus"))


def read(artifact: standard_artifacts.Examples, split: str) -> list[Scene]:
    scenes = [example.decode(record) for record in records(artifact, split)]
    return sorted(scenes, key=lambda scene: scene.truth.stream_id)


def test_every_split_has_its_scenes_of_its_own_words(staged):
    for split, count in zip(SPLITS, (7, 2, 0), strict=True):
        scenes = read(staged, split)
        names = [scene.truth.stream_id for scene in scenes]
        assert names == [f"scene-{split}-{i:05d}" for i in range(count)]
        for scene in scenes:
            assert len(scene.audio) == 4 * RATE and len(scene.steps) == 100
            speakers = {word.speaker for word in scene.truth.words}
            assert speakers <= {f"{split}{n}" for n in range(6)}
            keywords = [word for word in scene.truth.words if word.label == "yes"]
            assert bool(scene.steps.any()) == any(word.end_ms < 3900 for word in keywords)
        laid = sum(len(scene.truth.words) for scene in scenes)
        assert staged.get_int_custom_property(f"scenes_{split}") == count
        assert staged.get_int_custom_property(f"words_{split}") == laid
        left_out = sum(scene.left_out for scene in scenes)
        assert staged.get_int_custom_property(f"left_out_{split}") == left_out


def test_four_workers_and_another_order_of_clips_make_the_same_bytes(staged, tmp_path):
    again = stage(tmp_path, Path(staged.uri).parent / "corpus", order=-1, workers=4)
    for split in SPLITS:
        assert records(again, split) == records(staged, split)


def test_without_a_scenes_section_there_is_no_such_output(staged):
    component = AudioSynthesizer(
        channel_utils.as_channel([staged]), "corpus", NoisyCopyParams(), StreamParams()
    )
    assert set(component.outputs) == {"examples", "streams"}


def transform(
    folder: Path, source: standard_artifacts.Examples, params: FeatureParams
) -> standard_artifacts.Examples:
    component = SpectrogramTransform(
        channel_utils.as_channel([source]), params, ["yes"], scenes=True
    )
    computed = standard_artifacts.Examples()
    computed.uri = str(folder / "features")
    Transform().Do(
        {"examples": [source]}, {"transformed_examples": [computed]}, component.exec_properties
    )
    return computed


def test_features_of_scenes_keep_the_label_vector_and_the_ground_truth(staged, tmp_path):
    computed = transform(tmp_path, staged, FEATURES)
    frontend = features.create(FEATURES)
    for split, count in zip(SPLITS, (7, 2, 0), strict=True):
        scenes = {scene.truth.stream_id: scene for scene in read(staged, split)}
        found = [
            example.decode_features(record, FEATURES.feature_shape, np.dtype(np.float32))
            for record in records(computed, split)
        ]
        assert len(found) == count == computed.get_int_custom_property(f"clips_{split}")
        for item in found:
            scene = scenes[item.truth.stream_id]
            assert item.truth == scene.truth
            np.testing.assert_array_equal(item.steps, scene.steps)
            np.testing.assert_array_equal(item.features, frontend.compute(scene.audio))


def test_scenes_of_another_length_are_refused_by_name(staged, tmp_path):
    other = FEATURES.model_copy(update={"clip_duration_ms": 5000})
    with pytest.raises(KwsError, match=r"scene scene-.* has 64000 samples.* 8 more"):
        transform(tmp_path, staged, other)
