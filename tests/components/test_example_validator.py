"""An anomaly in the audio examples stops the run, by its feature, name and split."""

import pandas as pd
import pytest
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.types import artifact_utils, standard_artifacts, standard_component_specs
from tfx.utils import io_utils

from components.example_validator.executor import Executor
from kws.errors import KwsError


def validate(folder, labels):
    """Runs the executor on statistics of these labels, against a schema of yes and no."""
    statistics = standard_artifacts.ExampleStatistics()
    statistics.uri = str(folder / "statistics")
    statistics.split_names = artifact_utils.encode_split_names(["train"])
    found = tfdv.generate_statistics_from_dataframe(pd.DataFrame({"label": labels}))
    io_utils.write_bytes_file(
        f"{statistics.uri}/Split-train/FeatureStats.pb", found.SerializeToString()
    )
    schema = standard_artifacts.Schema()
    schema.uri = str(folder / "schema")
    expected = schema_pb2.Schema()
    label = expected.feature.add(name="label", type=schema_pb2.BYTES)
    label.string_domain.value.extend(["yes", "no"])
    io_utils.write_pbtxt_file(f"{schema.uri}/schema.pbtxt", expected)
    anomalies = standard_artifacts.ExampleAnomalies()
    anomalies.uri = str(folder / "anomalies")
    Executor().Do(
        {
            standard_component_specs.STATISTICS_KEY: [statistics],
            standard_component_specs.SCHEMA_KEY: [schema],
        },
        {standard_component_specs.ANOMALIES_KEY: [anomalies]},
        {standard_component_specs.EXCLUDE_SPLITS_KEY: "[]"},
    )


def test_sound_examples_pass(tmp_path):
    validate(tmp_path, ["yes", "no", "yes"])


def test_a_label_nobody_asked_for_stops_the_run_and_is_named(tmp_path):
    with pytest.raises(KwsError, match=r"train: label: .*maybe"):
        validate(tmp_path, ["yes", "no", "maybe"])
