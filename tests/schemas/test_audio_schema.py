"""TFDV holds audio examples against the schema: sound ones pass, unsound ones are named."""

import dataclasses

import numpy as np
import pytest
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx_bsl.coders import example_coder

import schemas
from kws.audio.clip import Clip, clip_id, encode
from kws.corpus.params import IngestParams, ShiftParams, ValidationParams

PARAMS = IngestParams(keywords=("yes", "no"))


def clips() -> list[Clip]:
    rng = np.random.default_rng(0)
    made = []
    for i, label in enumerate(["yes", "no", "_unknown_", "_silence_"] * 5):
        audio = (rng.standard_normal(16000) * 3000).astype(np.int16)
        if i == 3:
            audio[:] = 0
        made.append(
            Clip(
                audio=audio,
                sample_rate=16000,
                label=label,
                word=label.strip("_"),
                speaker=f"speaker {i}",
                source="recordings",
                clip_id=clip_id(audio, str(i)),
                novelty="keyword",
                original_rate=44100,
                snr_db=12.5 if i % 2 else None,
            )
        )
    return made


def anomalies(examples: list[Clip], schema: schema_pb2.Schema) -> dict[str, str]:
    decoder = example_coder.ExamplesToRecordBatchDecoder()
    batch = decoder.DecodeBatch([encode(clip) for clip in examples])
    from tensorflow_data_validation.statistics import stats_impl

    statistics = stats_impl.generate_statistics_in_memory(batch, tfdv.StatsOptions())
    found = tfdv.validate_statistics(statistics, schema).anomaly_info
    return {name: info.short_description for name, info in found.items()}


@pytest.fixture(scope="module")
def schema() -> schema_pb2.Schema:
    return schemas.audio_schema(PARAMS.keywords, PARAMS)


def test_sound_clips_have_no_anomaly(schema):
    assert anomalies(clips(), schema) == {}


@pytest.mark.parametrize(
    ("feature", "changes"),
    [
        ("label", {"label": "marvin"}),
        ("novelty", {"novelty": "odd"}),
        ("clipped_ratio", {"audio": np.tile([32767, -32768], 8000).astype(np.int16)}),
        ("dc_offset", {"audio": np.full(16000, 20000, np.int16)}),
        ("duration_ms", {"audio": np.ones(8000, np.int16)}),
        ("sample_rate", {"sample_rate": 8000, "audio": np.ones(8000, np.int16)}),
        ("snr_db", {"snr_db": float("nan")}),
    ],
)
def test_one_unsound_clip_is_an_anomaly_with_its_name(schema, feature, changes):
    examples = clips()
    examples[7] = dataclasses.replace(examples[7], **changes)
    assert set(anomalies(examples, schema)) == {feature}


def test_limits_of_drift_and_skew_are_comparators_of_the_schema():
    params = ValidationParams(drift=ShiftParams(max_label_distance=0.07))
    features = {f.name: f for f in schemas.audio_schema(PARAMS.keywords, PARAMS, params).feature}
    assert features["label"].drift_comparator.infinity_norm.threshold == 0.07
    assert features["label"].skew_comparator.infinity_norm.threshold == 0.2
    assert features["rms_dbfs"].skew_comparator.jensen_shannon_divergence.threshold == 0.3


def test_another_schema_has_another_path_and_the_same_one_is_not_written_again(tmp_path, schema):
    path = schemas.write_audio_schema(tmp_path, PARAMS.keywords, PARAMS)
    assert tfdv.load_schema_text(str(path)) == schema
    path.chmod(0o400)
    before = path.stat()
    assert schemas.write_audio_schema(tmp_path, PARAMS.keywords, PARAMS) == path
    assert path.stat() == before
    assert schemas.write_audio_schema(tmp_path, ["other"], PARAMS) != path
