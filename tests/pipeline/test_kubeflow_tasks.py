"""Tasks of a compiled pipeline, run by their own command lines, in the order of the specification.

Here its beginning, with spans; `tests/e2e/test_kubeflow.py` has the whole, up to the bundle.
"""

import json

import numpy as np
import pytest
import soundfile

from kws.report import data_statistics
from kws.splits import SPLITS
from pipeline.config import load
from pipeline.kubeflow_runner import Target, compile_spec
from tests.pipeline.kubeflow_cluster import VERSIONS, Cluster, TaskFailed

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
