"""The Beam parts in worker processes behind a job server, and with a bucket for a pipeline root:
what they write is what they write in this process."""

import json
import os
from pathlib import Path

import pytest
import tensorflow as tf
from tensorflow_metadata.proto.v0 import statistics_pb2

import tests.components.ram_store  # noqa: F401  # makes Beam know ram://
from benchmarks.beam_cluster import cluster
from benchmarks.beam_parts import Parts, records
from kws.augment.params import NoisyCopyParams
from kws.corpus.params import IngestParams
from kws.detection.params import OperatingPointParams, StreamingParams
from kws.scenes.params import SceneParams, StreamParams
from tests.components.test_audio_example_gen import PARAMS, fill
from tests.components.test_spectrogram_transform import CLEAN, NOISY, artifact
from tests.kws.runtime.conftest import Trial, trial  # noqa: F401

SETTINGS = {
    "ingestion": PARAMS,
    "copies": NoisyCopyParams(copies=2, eval_copies=1),
    "streams": StreamParams(minutes=0.3, negatives_chunk_s=3),
    "scenes": SceneParams(scenes=(4, 2, 2)),
    "streaming": StreamingParams(operating_point=OperatingPointParams(candidates=5)),
}
STATISTICS = "FeatureStats.pb"
LOCATIONS = ("audio/long_recordings.json", "audio/clips.json")
"""Files that say where recordings are."""
CONFIGURATION = "clips_evaluation/eval_config.json"


def run(parts: Parts, corpus: str, trial: Trial) -> None:  # noqa: F811
    """All parts, each on what the ones before wrote."""
    audio = parts.ingest(corpus)
    parts.statistics(audio)
    noisy, streams = parts.synthesize(audio, corpus)
    features = parts.transform(audio, noisy)
    model = parts.model(trial.int8, trial.conversion.model)
    parts.evaluate(model, features)
    parts.evaluate_streams(model, streams)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    fill(folder)
    return folder


@pytest.fixture(scope="module")
def here(corpus, trial, tmp_path_factory) -> dict[str, list[bytes]]:  # noqa: F811
    """What all parts write in this process, by one worker, into a folder."""
    root = str(tmp_path_factory.mktemp("here"))
    run(Parts(root=root, **SETTINGS), str(corpus), trial)
    return records(root)


def test_features_of_two_worker_processes_behind_a_job_server_are_the_same(tmp_path: Path) -> None:
    inputs = [artifact(tmp_path / "clean", CLEAN), artifact(tmp_path / "noisy", NOISY)]
    settings = {"ingestion": IngestParams(keywords=("yes",))}
    Parts(root=str(tmp_path / "here"), **settings).transform(*inputs)
    with cluster(workers=2) as found:
        Parts(root=str(tmp_path / "there"), flags=found.flags, **settings).transform(*inputs)
    expected = records(str(tmp_path / "here"))
    assert len(expected["features/Split-train/data_tfrecord"]) == 10
    assert records(str(tmp_path / "there")) == expected


@pytest.mark.nightly
def test_two_worker_processes_behind_a_job_server_write_the_same(
    corpus: Path,
    trial: Trial,  # noqa: F811
    here: dict[str, list[bytes]],
    tmp_path: Path,
) -> None:
    with cluster(workers=2) as found:
        run(Parts(root=str(tmp_path), flags=found.flags, **SETTINGS), str(corpus), trial)
    assert_same(records(str(tmp_path)), here)


def test_a_bucket_for_a_root_and_for_recordings_gives_the_same(
    corpus: Path,
    trial: Trial,  # noqa: F811
    here: dict[str, list[bytes]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Code that takes a URL for a path would write here.
    monkeypatch.chdir(tmp_path)
    for folder, _, names in os.walk(corpus):
        inside = f"ram://words/{Path(folder).relative_to(corpus)}".removesuffix("/.")
        tf.io.gfile.makedirs(inside)
        for name in names:
            tf.io.gfile.copy(f"{folder}/{name}", f"{inside}/{name}")
    run(Parts(root="ram://root", **SETTINGS), "ram://words", trial)
    assert list(tmp_path.iterdir()) == []
    there = records("ram://root")
    digests = [json.loads(found["audio/clips.json"][0])["splits"] for found in (there, here)]
    assert digests[0] == digests[1]
    assert [there.pop(name) for name in LOCATIONS]
    assert_same(there, {name: found for name, found in here.items() if name not in LOCATIONS})


def assert_same(there: dict[str, list[bytes]], here: dict[str, list[bytes]]) -> None:
    """Byte for byte. But of statistics, whose sums of fractions depend on the order, the numbers;
    and of TFMA's copy of its configuration, a map in no order, the content."""
    assert sorted(there) == sorted(here)
    statistics = [name for name in here if name.endswith(STATISTICS)]
    for name in statistics:
        numbers, expected = (_numbers(found[name][0]) for found in (there, here))
        assert numbers == pytest.approx(expected, rel=1e-9), name
    assert len(statistics) == 3
    contents, expected = (json.loads(found[CONFIGURATION][0]) for found in (there, here))
    assert contents == expected
    exact = set(here) - {*statistics, CONFIGURATION}
    assert [name for name in sorted(exact) if there[name] != here[name]] == []


def _numbers(statistics: bytes) -> dict[str, float]:
    """Counts, means and extremes of every feature of every slice."""
    found = {}
    for dataset in statistics_pb2.DatasetFeatureStatisticsList.FromString(statistics).datasets:
        found[f"{dataset.name}: examples"] = float(dataset.num_examples)
        for feature in dataset.features:
            what = f"{dataset.name}: {'.'.join(feature.path.step)}"
            numeric = feature.num_stats
            found[f"{what}: mean"], found[f"{what}: deviation"] = numeric.mean, numeric.std_dev
            found[f"{what}: min"], found[f"{what}: max"] = numeric.min, numeric.max
            found[f"{what}: unique"] = feature.string_stats.unique
    return found
