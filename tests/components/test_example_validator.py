"""Each bound on audio examples, broken in turn, stops the run: which, by how many clips, by which.

The statistics are TFDV's own, of real tf.Examples, made with the options of the pipeline.
"""

import dataclasses
import functools
import json
import re

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_data_validation as tfdv
from tensorflow_data_validation.api import validation_api
from tensorflow_data_validation.statistics import stats_impl
from tensorflow_data_validation.utils import slicing_util
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx.types import artifact_utils, standard_artifacts
from tfx.utils import io_utils
from tfx_bsl.coders import example_coder

import schemas
from components.example_validator import findings
from components.example_validator.executor import Executor
from components.statistics.options import statistics_options
from kws.audio.clip import Clip, encode
from kws.corpus.params import IngestParams, MinClipsParams, ShiftParams, ValidationParams
from kws.errors import KwsError
from kws.splits import SPLITS

INGEST = IngestParams(keywords=("yes", "no"))


def clips(split: str = "train", level: float = 3000, labels=("yes", "no", "_unknown_") * 6):
    rng = np.random.default_rng(SPLITS.index(split))
    return [
        Clip(
            audio=(rng.standard_normal(16000) * level * rng.uniform(0.5, 1)).astype(np.int16),
            sample_rate=16000,
            label=label,
            word=label.strip("_"),
            speaker=f"speaker {i}",
            source="recordings" if i % 2 else "voices",
            clip_id=f"{split}-{i}",
            novelty="keyword",
            original_rate=44100,
            file=f"{label}/{split}-{i}.wav",
        )
        for i, label in enumerate(labels)
    ]


def record_batch(examples):
    return example_coder.ExamplesToRecordBatchDecoder().DecodeBatch([encode(c) for c in examples])


def statistics(examples):
    """What StatisticsGen computes by Beam, by the functions below it: all clips, then slices."""
    options = statistics_options()
    slicers, _ = slicing_util.convert_slicing_config_to_slice_functions_and_sqls(
        options.slicing_config
    )
    batch = record_batch(examples)
    found = statistics_pb2.DatasetFeatureStatisticsList()
    for name, slice_ in (("All Examples", batch), *slicing_util.generate_slices(batch, slicers)):
        (dataset,) = stats_impl.generate_statistics_in_memory(slice_, options).datasets
        dataset.name = name
        found.datasets.append(dataset)
    return found


@functools.cache
def sound_statistics(split):
    return statistics(clips(split))


class Corpus:
    """Statistics and examples of three splits, as StatisticsGen and AudioExampleGen leave them."""

    def __init__(self, folder, splits, id_=1, span=0):
        self.statistics = standard_artifacts.ExampleStatistics()
        self.examples = standard_artifacts.Examples()
        self.statistics.id, self.statistics.span = id_, span
        for name, artifact in (("statistics", self.statistics), ("examples", self.examples)):
            artifact.uri = str(folder / f"{name}-{id_}")
            artifact.split_names = artifact_utils.encode_split_names(list(SPLITS))
        for split in SPLITS:
            found = splits.get(split) or clips(split)
            computed = statistics(found) if split in splits else sound_statistics(split)
            path = f"{self.statistics.uri}/Split-{split}/FeatureStats.pb"
            io_utils.write_bytes_file(path, computed.SerializeToString())
            path = folder / f"examples-{id_}" / f"Split-{split}" / "data_tfrecord-00000-of-00001.gz"
            path.parent.mkdir(parents=True)
            with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
                for clip in found:
                    writer.write(encode(clip))


def validate(folder, corpus, params=None, previous=None):
    """Runs the executor; gives its anomalies artifact."""
    params = params or ValidationParams()
    schema = standard_artifacts.Schema()
    path = schemas.write_audio_schema(folder / "schema", INGEST.keywords, INGEST, params)
    schema.uri = str(path.parent)
    anomalies = standard_artifacts.ExampleAnomalies()
    anomalies.uri = str(folder / "anomalies")
    Executor().Do(
        {
            "statistics": [corpus.statistics],
            "schema": [schema],
            "examples": [corpus.examples],
            "previous_statistics": [previous.statistics] if previous else [],
        },
        {"anomalies": [anomalies]},
        {
            "params": params.to_json(),
            "keywords": json.dumps(INGEST.keywords),
            "report_file": str(folder / "anomalies.json"),
            "exclude_splits": "[]",
        },
    )
    return anomalies


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return Corpus(tmp_path_factory.mktemp("sound"), {})


def test_sound_examples_pass(tmp_path, sound):
    validate(tmp_path, sound)
    assert not (tmp_path / "anomalies.json").exists()


CLIPPED = np.tile([32767, -32768], 8000).astype(np.int16)
QUIET = np.zeros(16000, np.int16)


@pytest.mark.parametrize(
    ("feature", "change", "value"),
    [
        ("label", {"label": "marvin"}, "marvin"),
        ("novelty", {"novelty": "odd"}, "odd"),
        ("clipped_ratio", {"audio": CLIPPED}, "1"),
        ("dc_offset", {"audio": np.full(16000, 20000, np.int16)}, "0.6104"),
        ("duration_ms", {"audio": np.ones(8000, np.int16)}, "500"),
        ("rms_dbfs", {"audio": QUIET, "label": "yes"}, "-100"),
        ("silence_ratio", {"audio": QUIET, "label": "yes"}, "1"),
        ("sample_rate", {"sample_rate": 8000, "audio": np.ones(8000, np.int16)}, "8000"),
    ],
)
def test_a_broken_bound_is_named_with_its_clips(tmp_path, feature, change, value):
    found = clips()
    for i in (2, 5, 8, 11):
        found[i] = dataclasses.replace(found[i], **change)
    with pytest.raises(KwsError) as error:
        validate(tmp_path, Corpus(tmp_path, {"train": found}))
    lines = error.value.message.splitlines()
    (at,) = [i for i, line in enumerate(lines) if line.startswith(f"  train: {feature}: ")]
    assert lines[at].endswith(": 4 of 18 clips")
    named = lines[at + 1 : at + 4]
    # By its file, as a person finds it; the id is that of lists and bundles.
    assert [line.split(", label")[0].strip().partition("/")[2] for line in named] == [
        f"train-{i}.wav, clip_id train-{i}" for i in (2, 5, 8)
    ]
    assert all(line.strip().startswith("file ") for line in named)
    assert all("speaker" in line and line.endswith(f": {value}") for line in named)
    listed = json.loads((tmp_path / "anomalies.json").read_text())
    (whole,) = [item for item in listed if item["feature"] == feature]
    assert [clip["clip_id"] for clip in whole["offenders"]["listed"]][-1] == "train-11"


def test_silence_may_be_silent(tmp_path):
    found = clips("eval")
    found[2] = dataclasses.replace(found[2], audio=QUIET, label="_silence_")
    validate(tmp_path, Corpus(tmp_path, {"eval": found}))


@pytest.mark.parametrize("labels", [("yes",) * 9, ("yes",) * 9 + ("no",) * 4])
def test_a_keyword_with_too_few_clips_stops_the_run_with_the_counts(tmp_path, labels):
    params = ValidationParams(min_clips_per_keyword=MinClipsParams(eval=5))
    said = r"eval: label: fewer than 5 clips of 'no' \(yes 9" + (", no 4" if "no" in labels else "")
    with pytest.raises(KwsError, match=said):
        validate(tmp_path, Corpus(tmp_path, {"eval": clips(labels=labels)}), params)


def test_unbalanced_keywords_stop_the_run_with_the_counts(tmp_path):
    labels = ("_unknown_",) * 40 + ("yes",) * 13 + ("no",) * 4
    corpus = Corpus(tmp_path, {"test": clips(labels=labels)})
    with pytest.raises(KwsError, match=r"over 3 times .* \(_unknown_ 40, yes 13, no 4\)"):
        validate(tmp_path, corpus, ValidationParams(max_class_imbalance=3))
    validate(tmp_path, corpus, ValidationParams(max_class_imbalance=4))


QUIETER = {split: clips(split, level=300) for split in SPLITS}
MIXED = {split: clips(split, labels=("yes", "yes", "no") * 6) for split in SPLITS}


@pytest.mark.parametrize(
    ("changed", "feature", "detail"),
    [(QUIETER, "rms_dbfs", ""), (MIXED, "label", "'yes'|'_unknown_'")],
    ids=["20 dB quieter", "another mix of labels"],
)
def test_drift_from_the_previous_span_is_reported_and_may_stop_the_run(
    tmp_path, sound, changed, feature, detail
):
    corpus = Corpus(tmp_path, changed, id_=7, span=2)
    told = ValidationParams(drift=ShiftParams(min_clips=18))
    reported = json.loads(
        validate(tmp_path, corpus, told, previous=sound).get_string_custom_property("drift")
    )
    above = [item["feature"] for item in reported if item["distance"] > item["limit"]]
    assert feature in above
    gated = ValidationParams(drift=ShiftParams(mode="gate", min_clips=18))
    with pytest.raises(KwsError) as error:
        validate(tmp_path, corpus, gated, previous=sound)
    (said,) = re.findall(rf"drift: .*: {feature}: .*", error.value.message)
    assert re.search(r"train of span 2 against train of span 0: .* \d\.\d+, limit 0\.\d", said)
    assert re.search(detail, said)


def test_no_drift_between_alike_spans(tmp_path, sound):
    again = Corpus(tmp_path, {}, id_=7, span=2)
    validate(
        tmp_path,
        again,
        ValidationParams(drift=ShiftParams(mode="gate", min_clips=18)),
        previous=sound,
    )


def test_a_few_clips_are_not_compared(tmp_path, sound):
    quieter = Corpus(tmp_path, QUIETER, id_=7)
    few = ValidationParams(drift=ShiftParams(mode="gate", min_clips=19))
    validate(tmp_path, quieter, few, previous=sound)


def test_skew_is_between_the_splits_of_one_span(tmp_path):
    corpus = Corpus(tmp_path, {"test": clips("test", level=300)})
    with pytest.raises(KwsError, match="skew: test against train: rms_dbfs: Jensen-Shannon"):
        validate(tmp_path, corpus, ValidationParams(skew=ShiftParams(mode="gate", min_clips=18)))
    off = validate(tmp_path, corpus, ValidationParams(skew=ShiftParams(mode="off")))
    assert off.get_string_custom_property("skew") == "[]"


def test_the_clips_found_are_those_that_tfdv_finds_one_by_one():
    rng = np.random.default_rng(0)
    changes = [
        {"label": "marvin"}, {"audio": CLIPPED}, {"novelty": "odd"}, {"snr_db": float("nan")},
        {"snr_db": 500.0}, {"snr_db": float("inf")}, {"snr_db": 3.0}, {"lead_in_ms": -1}, {},
    ]  # fmt: skip
    found = [
        dataclasses.replace(clip, **rng.choice(changes)) for clip in clips(labels=("no",) * 30)
    ]
    schema = schemas.audio_schema(INGEST.keywords, INGEST)
    options = tfdv.StatsOptions(schema=schema)
    alone = [
        set(validation_api.validate_instance(record_batch([clip]), options).anomaly_info)
        for clip in found
    ]
    names = sorted(set().union(*alone))
    assert {"label", "clipped_ratio", "snr_db", "novelty", "lead_in_ms"} <= set(names)
    ours = findings.find([record_batch(found)], names, schema, [])
    for name in names:
        expected = [
            clip.clip_id for clip, broken in zip(found, alone, strict=True) if name in broken
        ]
        assert [clip["clip_id"] for clip in ours[name].listed] == expected, name
