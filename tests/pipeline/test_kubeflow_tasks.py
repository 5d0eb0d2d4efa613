"""Tasks of a compiled pipeline, run by their own command lines, in the order of the specification.

Here its beginning, with spans; `tests/e2e/test_kubeflow.py` has the whole, up to the bundle.
"""

import json
import os

import numpy as np
import pytest
import soundfile

from kws.report import data_statistics
from kws.splits import SPLITS
from pipeline.config import load
from pipeline.runners.kubeflow.compile import Target, compile_spec
from pipeline.runners.kubeflow.resources import platform_of
from tests.pipeline.kubeflow_cluster import VERSIONS, Cluster, TaskFailed
from tests.pipeline.object_stores import SECRETS, serving_s3

RATE_HZ, SPEAKERS = 16000, 24
OLDER = ("2.4", "2.5")
ROOT = "gs://bucket/root"
OVERRIDES = (
    "keywords=[yes, no]",
    "voices.unknown_words=[cat]",
    "ingest.eval_percentage=30",
    "ingest.test_percentage=30",
    "noisy_copies.copies=1",
    "streams.minutes=0.5",
    "data.span_folder=day-{SPAN}",
    "validation.drift.min_clips=10",
)


def say(seed, seconds=0.9):
    """A burst of noise in silence: every speaker and word another one."""
    samples = np.zeros(int(RATE_HZ * seconds))
    burst = np.random.default_rng(seed).normal(0, 0.1, RATE_HZ // 2).clip(-1, 1)
    samples[RATE_HZ // 8 : RATE_HZ // 8 + len(burst)] = burst
    return samples


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    folder = tmp_path_factory.mktemp("words")
    for day in (1, 2):
        place = folder / f"day-{day}"
        for w, word in enumerate(("yes", "no", "cat")):
            (place / word).mkdir(parents=True)
            for s in range(SPEAKERS):
                samples = say(10000 * day + 1000 * w + s)
                soundfile.write(place / word / f"{day}{s:04x}_nohash_0.wav", samples, RATE_HZ)
        (place / "_background_noise_").mkdir()
        for name in range(4):
            noise = np.random.default_rng(name).normal(0, 0.01, 6 * RATE_HZ)
            soundfile.write(place / "_background_noise_" / f"{name}.wav", noise, RATE_HZ)
    return folder


@pytest.fixture(scope="module")
def spec(words, tmp_path_factory):
    config = load("quickstart", [f"data.path={words}", *OVERRIDES])
    target = Target(image="kws", root=ROOT, data="gs://bucket/elsewhere")
    return compile_spec(config, target)


def cluster(spec, root, words, shared, version="2.17", **parameters):
    """A run whose folders below the pipeline root are here, and whose containers keep nothing."""
    places = {ROOT: str(shared), "/tmp/kws": str(root / "container" / "kws")}
    return Cluster(
        spec, root, {"data": str(words), **parameters}, places, version=version, pipeline_root=ROOT
    )


@pytest.mark.parametrize(
    "version",
    [pytest.param(name, marks=[pytest.mark.nightly] * (name in OLDER)) for name in VERSIONS],
)
def test_a_span_is_ingested_and_its_statistics_are_those_of_its_clips(
    spec, words, tmp_path, version
):
    run = cluster(spec, tmp_path, words, tmp_path / "shared", version, span=1)
    run.run_until("StatisticsGen")
    assert run.properties("AudioExampleGen", "examples")["span"] == 1
    assert run.properties("StatisticsGen", "statistics")["span"] == 1
    ingested = json.loads((run.uri("AudioExampleGen", "examples") / "ingest.json").read_text())
    for split in SPLITS:
        file = run.uri("StatisticsGen", "statistics") / f"Split-{split}" / "FeatureStats.pb"
        table = data_statistics.read(file.read_bytes())
        assert table["all"]["all"].clips == sum(ingested["clips"][split].values()) > 0


def test_a_failure_names_the_task_and_says_what_to_do(spec, words, tmp_path):
    run = cluster(spec, tmp_path, tmp_path / "nothing", tmp_path / "shared")
    with pytest.raises(TaskFailed, match="task AudioExampleGen failed"):
        run.run_until("AudioExampleGen")


def test_recordings_of_a_volume_are_ingested_by_a_user_of_any_number(words, tmp_path):
    words.chmod(0o755)  # pytest keeps its folders to itself
    volumes = "kubeflow.volumes=[{claim: recordings, path: /data}]"
    config = load("quickstart", ["data.path=/data", *OVERRIDES, volumes])
    spec = compile_spec(config, Target(image="kws", root=ROOT, data="/data"))
    run = Cluster(
        spec,
        tmp_path,
        version="2.5",
        pipeline_root=ROOT,
        platform=platform_of(config.kubeflow, list(spec["deploymentSpec"]["executors"])),
        claims={"recordings": words},
        uid=1000730000 if os.geteuid() == 0 else None,
    )
    run.run_until("AudioExampleGen")
    assert run.properties("AudioExampleGen", "examples")["span"] == 2


@pytest.fixture
def bucket(words, tmp_path):
    """A server that speaks S3 with the recordings, and nothing else that tasks share."""
    with serving_s3(tmp_path / "store") as objects:
        objects.make_bucket("mlpipeline")
        objects.put_folder(words, "s3://mlpipeline/words")
        # As a page for buckets leaves it where somebody makes a folder.
        objects.put_marker("s3://mlpipeline/words/day-1")
        yield objects


@pytest.mark.parametrize("scheme, version", [("minio", "2.17"), ("s3", "without ML Metadata")])
def test_recordings_of_a_bucket_are_new_and_ingested(bucket, tmp_path, scheme, version):
    run = in_bucket(bucket, tmp_path, scheme, version)
    run.run_until("AudioExampleGen")
    assert run.parameters["NewData"] == {"new": "true"}
    ingested = json.loads((run.uri("AudioExampleGen", "examples") / "ingest.json").read_text())
    assert run.properties("AudioExampleGen", "examples")["span"] == 2
    assert sum(sum(labels.values()) for labels in ingested["clips"].values()) > 2 * SPEAKERS


def test_a_secret_that_the_namespace_lacks_ends_the_task(bucket, tmp_path):
    run = in_bucket(bucket, tmp_path, "minio", "2.17", secrets={})
    with pytest.raises(TaskFailed, match="secret 'mlpipeline-minio-artifact' not found"):
        run.run_until("NewData")


def in_bucket(bucket, root, scheme, version, secrets=SECRETS, **parameters):
    """A run that retrains, where recordings, artifacts and what is kept are in a bucket alone."""
    store = f"kubeflow.store={{endpoint: '{bucket.endpoint}'}}"
    url = f"{scheme}://mlpipeline"
    config = load("quickstart", [f"data.path={url}/words", *OVERRIDES, store])
    target = Target(image="kws", root=f"{url}/kws", data=f"{url}/words", retrain=True)
    spec = compile_spec(config, target)
    return Cluster(
        spec,
        root,
        parameters,
        places={"/tmp/kws": str(root / "kws")},
        version=version,
        pipeline_root=target.root,
        platform=platform_of(config.kubeflow, list(spec["deploymentSpec"]["executors"])),
        objects=bucket,
        secrets=secrets,
    )


@pytest.mark.nightly
@pytest.mark.parametrize("scheme, version", [("minio", "2.17"), ("s3", "without ML Metadata")])
def test_what_is_kept_in_a_bucket_is_found_by_the_next_run(bucket, tmp_path, scheme, version):
    first = in_bucket(bucket, tmp_path / "first", scheme, version, span=1)
    first.run_until("StatisticsKeeper")
    second = in_bucket(bucket, tmp_path / "second", scheme, version)
    second.run_until("PreviousStatistics")
    assert second.properties("PreviousStatistics", "statistics")["span"] == 1


@pytest.mark.nightly
def test_a_run_of_a_span_and_one_of_the_newest_after_it(spec, words, tmp_path):
    first = cluster(spec, tmp_path / "first", words, tmp_path / "shared", span=1)
    first.run_until("StatisticsKeeper")
    assert not first.uri("PreviousStatistics", "statistics").exists()

    second = cluster(spec, tmp_path / "second", words, tmp_path / "shared")
    second.run_until("SpectrogramTransform")
    assert second.properties("AudioExampleGen", "examples")["span"] == 2
    assert second.properties("PreviousStatistics", "statistics")["span"] == 1
    anomalies = second.properties("StrictExampleValidator", "anomalies")
    assert json.loads(anomalies["drift"]), "measured from the statistics that the first run kept"

    ingested = json.loads((second.uri("AudioExampleGen", "examples") / "ingest.json").read_text())
    clips = sum(ingested["clips"]["train"].values())
    features = second.properties("SpectrogramTransform", "transformed_examples")
    assert features["clips_train"] == 2 * clips, "clean clips and one copy of each"
