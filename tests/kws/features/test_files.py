"""frontend.json and labels.txt: written, read, compared."""

import json

import pytest

from kws.errors import KwsError
from kws.features import files
from kws.features.params import FRONTEND_FILE, FeatureParams

PARAMS = FeatureParams(window_stride_ms=10, feature_bin_count=32)


def test_what_is_written_is_read_again_by_both_readers(tmp_path):
    files.write(tmp_path, PARAMS)
    assert files.read(tmp_path) == PARAMS
    assert FeatureParams.from_json((tmp_path / FRONTEND_FILE).read_text()) == PARAMS


def test_what_follows_from_the_parameters_is_written_for_other_readers(tmp_path):
    files.write(tmp_path, PARAMS)
    derived = json.loads((tmp_path / FRONTEND_FILE).read_text())["derived"]
    assert derived == {
        "dtype": "uint16",
        "feature_shape": [98, 32],
        "model_input_scale": 0.0390625,
    }


def test_bare_parameters_are_read_too(tmp_path):
    (tmp_path / FRONTEND_FILE).write_text(PARAMS.to_json())
    assert files.read(tmp_path) == PARAMS


@pytest.mark.parametrize(
    "text, complaint",
    [
        (None, "is missing"),
        ("{", "does not describe a frontend"),
        ('{"frontend": "mfcc9"}', "frontend: Input should be 'micro'"),
        ('{"hop": 3}', "hop: Extra inputs"),
        ('{"derived": {"dtype": "int8"}}', "does not follow from its parameters"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused(tmp_path, text, complaint):
    if text is not None:
        (tmp_path / FRONTEND_FILE).write_text(text)
    with pytest.raises(KwsError, match=complaint) as error:
        files.read(tmp_path)
    assert FRONTEND_FILE in error.value.message


def test_a_difference_names_its_fields_and_values():
    files.check_same(PARAMS, PARAMS.model_copy(), "the model")
    other = PARAMS.model_copy(update={"window_stride_ms": 20, "enable_pcan": False})
    with pytest.raises(KwsError) as error:
        files.check_same(PARAMS, other, "the dataset")
    assert error.value.message == (
        "the dataset has other features than expected: window_stride_ms=20 instead of 10, "
        "enable_pcan=False instead of True"
    )


def test_labels_keep_their_order(tmp_path):
    files.write_labels(tmp_path, ["_silence_", "_unknown_", "ja", "nein"])
    assert files.read_labels(tmp_path) == ["_silence_", "_unknown_", "ja", "nein"]
