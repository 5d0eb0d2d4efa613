"""Tasks of a compiled pipeline, run by their own command lines, in the order of the specification.

The whole pipeline up to its features; what follows has executors that are tested by themselves.
"""

import json

import numpy as np
import pytest
import soundfile

from pipeline.config import load
from pipeline.kubeflow_runner import Target, compile_spec
from tests.pipeline.kubeflow_cluster import Cluster

RATE_HZ, SPEAKERS = 16000, 24
OVERRIDES = (
    "keywords=[yes, no]",
    "voices.unknown_words=[cat]",
    "ingest.eval_percentage=30",
    "ingest.test_percentage=30",
    "noisy_copies.copies=1",
    "streams.minutes=0.5",
    "data.span_folder=day-{SPAN}",
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
    target = Target(image="kws", root="gs://bucket/root", data="gs://bucket/elsewhere")
    return compile_spec(config, target)


def kept(spec, folder):
    """The same specification, with statistics in a folder of this machine."""
    changed = json.loads(json.dumps(spec))
    for name in ("PreviousStatistics", "StatisticsKeeper"):
        given = changed["root"]["dag"]["tasks"][name]["inputs"]["parameters"]
        given["folder"]["runtimeValue"]["constant"] = str(folder)
    return changed


@pytest.mark.nightly
def test_a_run_of_a_span_and_one_of_the_newest_after_it(spec, words, tmp_path):
    local = kept(spec, tmp_path / "kept")
    first = Cluster(local, tmp_path / "first", {"data": str(words), "span": 1})
    first.run_until("StatisticsKeeper")
    assert first.outputs["AudioExampleGen"]["examples"]["metadata"]["span"] == 1
    assert not any(first.uri("PreviousStatistics", "statistics").iterdir())

    second = Cluster(local, tmp_path / "second", {"data": str(words)})
    second.run_until("SpectrogramTransform")
    assert second.outputs["AudioExampleGen"]["examples"]["metadata"]["span"] == 2
    found = second.outputs["PreviousStatistics"]["statistics"]
    assert found["metadata"]["span"] == 1
    anomalies = second.outputs["StrictExampleValidator"]["anomalies"]["metadata"]
    assert json.loads(anomalies["drift"]), "measured from the statistics that the first run kept"

    clips = {
        split: sum(json.loads((second.uri("AudioExampleGen", "examples") / "ingest.json")
                              .read_text())["clips"][split].values())
        for split in ("train", "eval", "test")
    }  # fmt: skip
    features = second.outputs["SpectrogramTransform"]["transformed_examples"]["metadata"]
    assert features["clips_train"] == 2 * clips["train"], "clean clips and one copy of each"
