"""A compiled pipeline comes to what the local runner comes to, bundle included.

Every task runs by the command line that is in the compiled file; see `kubeflow_cluster`.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from kws.bundle import publishing
from kws.bundle.destinations import open_destination
from pipeline.config import load
from pipeline.retraining.one_pass import overrides
from pipeline.runners.kubeflow.compile import Target, compile_spec
from pipeline.runners.kubeflow.resources import platform_of
from tests.e2e import spans
from tests.e2e.conftest import PRESET
from tests.e2e.test_data_only import recordings
from tests.pipeline.kubeflow_cluster import Cluster
from tests.pipeline.object_stores import KEY, KEY_ID, SECRETS, serving_s3

pytestmark = pytest.mark.nightly

ROOT = "gs://bucket/root"
DATA = (
    "AudioExampleGen", "AudioSchemaGen", "StatisticsGen", "PreviousStatistics",
    "StrictExampleValidator", "StatisticsKeeper",
)  # fmt: skip
SERVING = "Format-Serving"
TELLING = (
    "manifest.json", "SHA256SUMS", "model_card.md", "lineage.json", "model_float_io.tflite",
)  # fmt: skip
"""Files with the time, the run, where the recordings came from, or sums of these."""


@pytest.fixture(scope="module")
def corpus(pipeline, first_run):
    """The recordings that the local run had synthesized."""
    corpora = Path(pipeline.environment["KWS_CACHE"]) / "corpora"
    (folder,) = [path for path in corpora.iterdir() if not path.name.startswith(".")]
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cluster")


def cluster(folder, name, overrides=(), preset=PRESET, version="2.17", **parameters):
    """A run of a compiled preset whose folders below the pipeline root are here."""
    spec = compile_spec(
        load(str(preset), ["data.path=elsewhere", *overrides]),
        Target(image="kws", root=ROOT, data="gs://bucket/elsewhere"),
    )
    root = folder / name
    places = {ROOT: str(folder / "shared"), "/tmp/kws": str(root / "container" / "kws")}
    return Cluster(spec, root, parameters, places, version=version, pipeline_root=ROOT)


@pytest.fixture(scope="module")
def whole(corpus, folder):
    """A run of everything, pushed to another place than was compiled."""
    run = cluster(folder, "whole", data=str(corpus), destination=str(folder / "served"))
    run.run()
    return run


def training(run, task="Trainer"):
    return json.loads((run.uri(task, "model") / SERVING / "training.json").read_text())


def test_the_same_bundle_is_pushed(pipeline, whole, folder):
    (pushed,) = (folder / "served").glob("[0-9]*")
    assert whole.properties("MicroPusher", "pushed_model")["pushed_version"] == pushed.name
    publishing.verify(pushed)
    local = pipeline.versions[0]
    files = [path.relative_to(local) for path in local.rglob("*") if path.is_file()]
    assert files and {path.relative_to(pushed) for path in pushed.rglob("*") if path.is_file()} == {
        *files
    }
    assert (pushed / "model.tflite").read_bytes() == (local / "model.tflite").read_bytes()
    for file in files:
        if file.name in TELLING:
            continue
        ours = (pushed / file).read_bytes().replace(pushed.name.encode(), local.name.encode())
        assert ours == (local / file).read_bytes(), file


def test_the_log_of_a_container_says_what_our_own_code_says(whole):
    assert "Training on " in whole.logs["Trainer"]


def test_all_three_judges_blessed_it(whole):
    for judge in ("Evaluator", "StreamingEvaluator", "MicroValidator"):
        properties = whole.properties(judge, "blessing")
        assert properties["blessed"] == 1 and json.loads(properties["gates"])


def test_a_later_run_has_its_own_parameters_and_is_compared_with_what_is_served(
    whole, corpus, folder
):
    run = cluster(
        folder,
        "later",
        ["training.warm_start=true", "streaming.gates.max_false_accepts_per_hour=9000"],
        data=str(corpus),
        destination=str(folder / "served"),
        base_model=str(whole.uri("Trainer", "model")),
        epochs=2,
        learning_rate=0.0015,
        min_accuracy=0.31,
        max_false_accepts_per_hour=8000.0,
        max_miss_rate=0.97,
        max_flash_bytes=99000,
        max_arena_bytes=59000,
    )
    run.reuse(whole, *DATA, "AudioSynthesizer", "SpectrogramTransform")
    run.run()

    trained = training(run)
    assert trained["training"]["epochs"] == len(trained["history"]["epochs"]) == 2
    assert trained["training"]["learning_rate"] == 0.0015
    given, found = (
        place / SERVING / "saved_model.pb"
        for place in (whole.uri("Trainer", "model"), run.uri("BaseModel", "float_model"))
    )
    assert found.read_bytes() == given.read_bytes()
    assert "Training starts from" in run.logs["Trainer"]

    before = whole.properties("MicroPusher", "pushed_model")["pushed_version"]
    assert run.properties("ServedModel", "model")["version"] == before
    gates = {
        name: limit
        for judge in ("Evaluator", "StreamingEvaluator", "MicroValidator")
        for name, (_, _, limit, _) in json.loads(run.properties(judge, "blessing")["gates"]).items()
    }
    wanted = {
        "clips.accuracy": 0.31,
        "streaming.false_accepts_per_hour": 8000,
        "streaming.miss_rate": 0.97,
        "micro.flash_bytes": 99000,
        "micro.arena_bytes": 59000,
    }
    assert {name: gates.get(name) for name in wanted} == wanted
    # Compared with the model that is served, on clips and on streams.
    assert {"clips.accuracy_diff", "streaming.misses_against_last"} <= set(gates)


def test_a_search_and_two_rounds_of_mining_run_from_the_compiled_file(whole, corpus, folder):
    run = cluster(
        folder,
        "searched",
        [
            "training.epochs=3",
            "tuning={space: {training.learning_rate: [0.002, 0.003]}, max_trials: 2, epochs: 1}",
            "training.hard_negatives={rounds: 2, epochs: 1, threshold: 0.2, minutes: 0.5, "
            "negatives_minutes: 0.3}",
        ],
        data=str(corpus),
    )
    run.reuse(whole, *DATA)
    run.run_until("Trainer")

    trials = json.loads((run.uri("Tuner", "tuner_results") / "tuning.json").read_text())["trials"]
    assert [trial["status"] for trial in trials] == ["done", "done"]
    best = max(trials, key=lambda trial: trial["score"])["values"]["training.learning_rate"]
    features = run.properties("SpectrogramTransform", "transformed_examples")["clips_train"]
    mined = [
        run.properties(name, "examples")["mined"]
        for name in ("HardNegativeMiner", "HardNegativeMiner2")
    ]
    learned = [sum(training(run, task)["label_counts"].values())
               for task in ("FirstTrainer", "Trainer2", "Trainer")]  # fmt: skip
    assert learned == [features, features + mined[0], features + sum(mined)]
    assert training(run)["training"]["learning_rate"] in (0.002, 0.003)
    assert training(run, "FirstTrainer")["training"]["learning_rate"] == best


def test_a_model_that_answers_at_every_step_comes_to_a_bundle_too(folder, tmp_path):
    preset = PRESET.with_name("tiny_scenes.yaml")
    data = recordings(tmp_path / "data")
    run = cluster(folder, "scenes", preset=preset, data=str(data))
    run.run()
    assert run.properties("SceneEvaluator", "blessing")["blessed"] == 1
    pushed = run.properties("MicroPusher", "pushed_model")
    assert pushed["pushed"] == 1
    publishing.verify(Path(pushed["pushed_destination"]))


class Weekly:
    """A bucket with recordings that grow by weeks; runs of a server that have nothing else."""

    def __init__(self, bucket, folder, scheme, version):
        self._bucket, self._folder, self._version = bucket, folder, version
        self.url = f"{scheme}://mlpipeline"
        store = f"kubeflow.store={{endpoint: '{bucket.endpoint}'}}"
        settings = [f"data.path={self.url}/words", "data.span_folder=week-{SPAN}", store]
        weekly = str(PRESET.with_name("weekly.yaml"))
        config = load(weekly, [*overrides(load(weekly, settings), warm=False), *settings])
        self._target = Target(
            image="kws", root=f"{self.url}/kws", data=f"{self.url}/words", retrain=True
        )
        self._spec = compile_spec(config, self._target)
        labels = list(self._spec["deploymentSpec"]["executors"])
        self._platform = platform_of(config.kubeflow, labels)
        self._cache = {}
        self._runs = 0

    def lay(self, week, **how):
        folder = self._folder / week
        spans.lay(folder, seed=int(week[-1]), **how)
        for number in range(6):
            noise = np.random.default_rng(number).standard_normal(8 * spans.RATE_HZ) * 0.003
            (folder / "_background_noise_").mkdir(exist_ok=True)
            spans.write(folder / "_background_noise_" / f"{number}.wav", noise)
        self._bucket.put_folder(folder, f"{self.url}/words/{week}")

    def run(self, **parameters):
        self._runs += 1
        root = self._folder / f"run-{self._runs}"
        run = Cluster(
            self._spec, root, parameters, {"/tmp/kws": str(root / "kws")},
            version=self._version, pipeline_root=self._target.root, platform=self._platform,
            objects=self._bucket, secrets=SECRETS, cache=self._cache,
        )  # fmt: skip
        run.run()
        return run


@pytest.mark.timeout(7200)
@pytest.mark.parametrize(
    "version, scheme",
    [("2.4", "minio"), ("2.5", "s3"), ("2.17", "minio"), ("without ML Metadata", "s3")],
)
def test_two_weeks_come_to_a_push_and_a_refusal_with_nothing_but_a_bucket(
    tmp_path, monkeypatch, version, scheme
):
    with serving_s3(tmp_path / "store") as bucket:
        bucket.make_bucket("mlpipeline")
        weekly = Weekly(bucket, tmp_path, scheme, version)
        monkeypatch.setenv("AWS_ENDPOINT_URL", bucket.endpoint)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEY)
        bundles = open_destination(f"{weekly.url}/kws/weekly/bundles")

        weekly.lay("week-1", speakers=40, snr_db=20)
        first = weekly.run()
        assert not first.not_triggered
        pushed = first.properties("MicroPusher", "pushed_model")
        assert pushed["pushed"] == 1, pushed
        assert bundles.served() == pushed["pushed_version"]

        again = weekly.run()
        assert set(again.outputs) == {"NewData"}

        # Wrong labels: the model that is served tells.
        weekly.lay("week-2", speakers=40, snr_db=20, labels=spans.ROTATED)
        second = weekly.run(epochs=2)
        assert second.properties("ServedModel", "model")["version"] == pushed["pushed_version"]
        assert "Training starts from" in second.logs["Trainer"]
        assert second.properties("MicroPusher", "pushed_model")["pushed"] == 0
        assert bundles.versions() == [pushed["pushed_version"]]
        assert set(weekly.run(epochs=2).outputs) == {"NewData"}, "it was judged"
        # What no recording reaches, and nothing else, was answered by the cache.
        assert second.cached == {"AudioSchemaGen"}
