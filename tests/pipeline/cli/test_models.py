"""`kws models`: the figures of the zoo, and why a model does not fit the features."""

import json

import pytest
from typer.testing import CliRunner

from kws.runtime import footprint
from pipeline.cli import app


@pytest.fixture(autouse=True)
def nothing_known(tmp_path, monkeypatch):
    monkeypatch.setenv("KWS_CACHE", str(tmp_path))


def run(*arguments):
    result = CliRunner().invoke(app, ["models", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_measured_a_model_has_the_bytes_of_its_int8_file_and_an_arena(monkeypatch):
    assert "kws models --measure" in run("single_fc")
    (row,) = json.loads(run("single_fc", "--measure", "--json"))["models"]
    weights = 49 * 40 * 10
    assert (row["parameters"], row["macs"], row["streaming"]) == (weights + 10, weights, False)
    assert weights < row["int8_bytes"] < weights + 4000
    assert 49 * 40 < row["arena_bytes"] < 2 * 49 * 40 + 4000

    assert row["elements"] == 10  # the softmax
    assert "estimated, perhaps twice or half" in run("single_fc")

    monkeypatch.setattr(footprint, "footprint", None)  # From here on it is not called again.
    assert f"{row['arena_bytes'] / 1000:.1f}" in run("single_fc")
    assert json.loads(run("single_fc", "--json"))["models"] == [row]


def test_a_streaming_model_costs_a_step_and_hears_further_than_a_clip():
    (row,) = json.loads(run("mixed_net", "--json"))["models"]
    assert row["streaming"] and row["frames_per_inference"] == 3
    depthwise = 32 * 5 + 32 * (7 + 11) + 32 * (9 + 15) + 64 * 23
    pointwise = 32 * 64 + 3 * 64 * 64
    assert row["macs"] == 40 * 5 * 32 + depthwise + pointwise + 16 * 64 * 10
    assert row["receptive_field_frames"] > 49 and row["int8_bytes"] is None


def test_variants_have_a_row_each_and_features_that_do_not_fit_are_explained():
    output = run("tc_resnet")
    assert "tc_resnet 8" in output and "tc_resnet 14" in output
    assert "bc_resnet 8: bc_resnet cannot cut 32 channels" in run("bc_resnet", "--channels", "32")
