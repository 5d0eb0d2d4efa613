"""A bundle is followed back through ML Metadata, and what the two say is compared."""

import hashlib
import json
from pathlib import Path

import pytest
from ml_metadata.metadata_store import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd

from kws.audio.clip import Clip, encode
from kws.bundle import lineage as bundles
from kws.bundle.lineage import folder_sha256
from kws.corpus.digests import ClipDigest, name_of
from kws.errors import KwsError
from pipeline.metadata_store import SQLITE_FILE
from pipeline.runs import lineage
from pipeline.runs.lineage import Check

CONFIG = {"keywords": ["yes"], "seed": 3}


class Run:
    """Ingestion, features, training, conversion, push: by hand, as TFX records them."""

    def __init__(self, folder: Path):
        self.folder = folder
        config = mlmd.ConnectionConfig()
        config.sqlite.filename_uri = str(folder / SQLITE_FILE)
        config.sqlite.connection_mode = mlmd.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
        self._store = MetadataStore(config)
        audio = self.step("AudioExampleGen", "Examples", {}, {"clips_train": 2})
        copies = self.step("AudioSynthesizer", "Examples", {"audio_examples": [audio]})
        features = self.step("SpectrogramTransform", "Examples", {"examples": [audio, copies]})
        trained = self.step("Trainer", "Model", {"examples": [features]})
        model = self.step("MicroConverter", "Model", {"float_model": [trained]})
        self.audio, self.trained, self.model = audio, trained, model
        for artifact, name in ((trained, "weights"), (model, "model.tflite")):
            serving = Path(artifact.uri) / "Format-Serving"
            serving.mkdir(parents=True)
            (serving / name).write_text(name)
        # What was taken from the cache is an output of a later execution, too.
        self.step("AudioExampleGen", "Examples", {}, made=audio)
        info = json.dumps({"name": "mine", "config": CONFIG})
        inputs = {"model": [model], "audio_examples": [audio]}
        self.step("MicroPusher", "PushedModel", inputs, {"pushed_version": "17"}, info=info)
        self.bundle = folder / "bundles" / "17"
        self.bundle.mkdir(parents=True)
        (self.bundle / "model.tflite").write_text("model.tflite")
        self.told = {
            "config_sha256": bundles.config_sha256(dict(reversed(CONFIG.items()))),
            "artifacts": {
                "model": {"id": model.id},
                "audio_examples": {"id": audio.id},
                "examples": {},
            },
            "float_model": {"sha256": folder_sha256(Path(trained.uri) / "Format-Serving")},
            "data": {"clips": {"train": {"yes": 1, "_unknown_": 1}}},
        }
        self.tell()

    def tell(self, **changes: object) -> None:
        (self.bundle / "lineage.json").write_text(json.dumps({**self.told, **changes}))

    def step(
        self,
        component: str,
        kind: str,
        inputs: dict[str, list[mlmd.Artifact]],
        properties: dict[str, str | int] | None = None,
        made: mlmd.Artifact | None = None,
        **settings: str,
    ) -> mlmd.Artifact:
        type_id = self._store.put_execution_type(mlmd.ExecutionType(name=f"components.{component}"))
        execution = mlmd.Execution(type_id=type_id, last_known_state=mlmd.Execution.COMPLETE)
        for name, value in settings.items():
            execution.custom_properties[name].string_value = value
        (execution_id,) = self._store.put_executions([execution])
        if made is None:
            artifact = mlmd.Artifact(
                type_id=self._store.put_artifact_type(mlmd.ArtifactType(name=kind)),
                uri=str(self.folder / "artifacts" / component / str(execution_id)),
            )
            for name, value in (properties or {}).items():
                field = "int_value" if isinstance(value, int) else "string_value"
                setattr(artifact.custom_properties[name], field, value)
            (id_,) = self._store.put_artifacts([artifact])
            (made,) = self._store.get_artifacts_by_id([id_])
        events = [(mlmd.Event.OUTPUT, "out", 0, made.id)] + [
            (mlmd.Event.INPUT, key, index, one.id)
            for key, some in inputs.items()
            for index, one in enumerate(some)
        ]
        for event_type, key, index, artifact_id in events:
            event = mlmd.Event(type=event_type, artifact_id=artifact_id, execution_id=execution_id)
            event.path.steps.add().key = key
            event.path.steps.add().index = index
            self._store.put_events([event])
        return made

    def trace(self) -> lineage.Made:
        return lineage.trace(self.folder / SQLITE_FILE, "17")

    def checks(self) -> dict[str, Check]:
        return {check.what: check for check in lineage.checks(self.bundle, self.trace())}


@pytest.fixture
def run(tmp_path) -> Run:
    return Run(tmp_path)


def test_the_way_back_has_every_step_that_had_a_part_in_it(run):
    pushed = run.trace()
    assert (pushed.step, [one.key for one in pushed.inputs]) == (
        "MicroPusher", ["audio_examples", "model"],
    )  # fmt: skip
    steps = [one.step for one in pushed.walk()]
    assert steps == [
        "MicroPusher", "AudioExampleGen", "MicroConverter", "Trainer", "SpectrogramTransform",
        "AudioExampleGen", "AudioSynthesizer", "AudioExampleGen",
    ]  # fmt: skip
    # The execution that made it, not the one that found it in the cache.
    ingested = pushed.find("AudioExampleGen")
    assert ingested.id == run.audio.id and ingested.uri.endswith(f"/{ingested.execution}")
    written = json.dumps(pushed.to_dict())
    assert written.count('"MicroConverter"') == 1 and written.count('"AudioExampleGen"') == 3


def test_a_bundle_and_its_run_agree(run):
    checks = run.checks()
    assert {check.agrees for check in checks.values()} == {True}
    assert set(checks) == {
        "int8 model", "artifact model", "artifact audio_examples", "float model", "clips of train",
        "configuration",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"config_sha256": "0" * 64}, "configuration"),
        ({"data": {"clips": {"train": {"yes": 3}}}}, "clips of train"),
        ({"artifacts": {"model": {"id": 99}}}, "artifact model"),
        ({"float_model": {"sha256": "0" * 64}}, "float model"),
    ],
)
def test_what_differs_is_named_with_both_figures(run, change, what):
    run.tell(**change)
    (wrong,) = [check for check in run.checks().values() if check.agrees is False]
    assert wrong.what == what and "the bundle says" in wrong.detail


def test_a_model_that_was_exchanged_differs_and_one_that_is_gone_is_not_known(run):
    model = Path(run.model.uri) / "Format-Serving" / "model.tflite"
    model.write_text("another")
    expected = hashlib.sha256(b"another").hexdigest()[:12]
    assert expected in run.checks()["int8 model"].detail
    model.unlink()
    assert run.checks()["int8 model"].agrees is None


def test_an_old_bundle_says_nothing_and_is_followed_all_the_same(run):
    (run.bundle / "lineage.json").unlink()
    assert [check.what for check in lineage.checks(run.bundle, run.trace())] == ["int8 model"]


def test_metadata_that_does_not_know_the_bundle_is_named(run):
    with pytest.raises(KwsError, match=r"metadata\.sqlite knows of no bundle 18"):
        lineage.trace(run.folder / SQLITE_FILE, "18")


def record(folder: Path, split: str, count: int) -> ClipDigest:
    import numpy as np
    import tensorflow as tf

    digest = ClipDigest()
    (folder / f"Split-{split}").mkdir(parents=True)
    path = folder / f"Split-{split}" / "data_tfrecord-00000-of-00001.gz"
    with tf.io.TFRecordWriter(str(path), "GZIP") as out:
        for number in range(count):
            clip = Clip(
                audio=np.full(8, number, np.int16), sample_rate=16000, label="yes",
                word="yes, well", speaker=f"{split} {number}", source="people",
                clip_id=f"{number:016x}", novelty="keyword",
            )  # fmt: skip
            out.write(encode(clip))
            digest.add(name_of(encode(clip)))
    return digest


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_every_clip_is_listed_and_its_digest_checked(tmp_path, suffix):
    import csv

    folder, file = tmp_path / "examples", tmp_path / "lists" / f"clips{suffix}"
    digests = {
        split: record(folder, split, n) for split, n in (("train", 3), ("eval", 1), ("test", 1))
    }
    assert lineage.write_clips(folder, file) == digests
    if suffix == ".csv":
        rows = list(csv.DictReader(file.open(newline="", encoding="utf-8")))
    else:
        rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert [row["split"] for row in rows] == ["train"] * 3 + ["eval", "test"]
    assert rows[1] == {
        "clip_id": f"{1:016x}", "word": "yes, well", "label": "yes", "speaker": "train 1",
        "source": "people", "split": "train",
    }  # fmt: skip
    said = {split: digest.to_dict() for split, digest in digests.items()}
    told = {"data": {"digests": said}}
    assert {check.agrees for check in lineage.check_clips(told, digests)} == {True}
    said["eval"] = {**said["eval"], "digest": "0" * 64}
    wrong = [check.what for check in lineage.check_clips(told, digests) if not check.agrees]
    assert wrong == ["every clip of eval"]


def test_a_list_appears_whole_or_not_at_all(tmp_path):
    with pytest.raises(KwsError, match=r"\.csv or \.jsonl"):
        lineage.write_clips(tmp_path, tmp_path / "clips.txt")
    with pytest.raises(KwsError, match="audio examples are gone"):
        lineage.write_clips(tmp_path / "gone", tmp_path / "clips.csv")
    record(tmp_path / "half", "train", 1)
    with pytest.raises(KwsError, match="holds no examples"):
        lineage.write_clips(tmp_path / "half", tmp_path / "clips.csv")
    assert {path.name for path in tmp_path.iterdir()} == {"half"}
