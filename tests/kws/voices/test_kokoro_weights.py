"""Kokoro's weights come to the cache once, checked, and with the convolutions' very results."""

import os
import subprocess
import sys

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from kws.errors import KwsError
from kws.voices import kokoro_engine

ASK = "from kws.voices import kokoro_engine; print(kokoro_engine.weights_file())"


def convolution(taps, channels=5, outputs=7, weight_zero=121, **attributes):
    """A serialized model of one 8-bit convolution: uint8 `[1, channels, time]` to int32."""
    rng = np.random.default_rng(taps)
    weights = rng.integers(0, 256, (outputs, channels, taps)).astype(np.uint8)
    node = helper.make_node("ConvInteger", ["x", "w", "x_zero", "w_zero"], ["y"], **attributes)
    graph = helper.make_graph(
        [node],
        "convolution",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, [1, channels, "time"])],
        [helper.make_tensor_value_info("y", TensorProto.INT32, [1, outputs, "frames"])],
        [
            numpy_helper.from_array(weights, "w"),
            numpy_helper.from_array(np.uint8(97), "x_zero"),
            numpy_helper.from_array(np.uint8(weight_zero), "w_zero"),
        ],
    )
    opset = [helper.make_opsetid("", 20)]
    return helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString()


def output_of(model, x):
    return onnxruntime.InferenceSession(model).run(None, {"x": x})[0]


@pytest.mark.parametrize(
    "attributes",
    [
        {"taps": 1},
        {"taps": 3, "pads": [1, 1]},
        {"taps": 11, "dilations": [5], "pads": [25, 25]},
        {"taps": 12, "strides": [6], "pads": [3, 3]},
        {"taps": 4, "strides": [3], "dilations": [2], "pads": [0, 5]},
        {"taps": 1, "strides": [2]},
    ],
)
@pytest.mark.parametrize("samples", [31, 200])
def test_a_product_of_matrices_gives_the_very_integers_of_the_convolution(attributes, samples):
    model = convolution(**attributes)
    rewritten = kokoro_engine.convolutions_as_products(model)
    assert b"ConvInteger" in model and b"ConvInteger" not in rewritten
    x = np.random.default_rng(0).integers(0, 256, (1, 5, samples)).astype(np.uint8)
    np.testing.assert_array_equal(output_of(rewritten, x), output_of(model, x))


def test_processes_side_by_side_in_an_empty_home_put_them_together_once(tmp_path):
    environment = {**os.environ, "HOME": str(tmp_path)}
    environment.pop("KWS_CACHE", None)
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", ASK]
    asking = [
        subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True)
        for _ in range(3)
    ]
    said = [process.communicate() for process in asking]
    assert [process.returncode for process in asking] == [0] * 3, said
    (file,) = {out for out, _ in said}
    cache = tmp_path / ".cache" / "kws" / "kokoro"
    assert file.strip().startswith(str(cache))
    assert [path.suffix for path in cache.iterdir()] == [".onnx"]
    assert [path.name for path in (tmp_path / ".cache").iterdir()] == ["kws"]


def test_a_home_that_cannot_be_written_does_not_matter_where_the_cache_is_elsewhere(tmp_path):
    # The file that is there is taken as it is: appearing by renaming, it is whole.
    name = f"{kokoro_engine._expected_sha256()[:16]}-graph{kokoro_engine.GRAPH_VERSION}.onnx"
    (tmp_path / "kokoro").mkdir()
    (tmp_path / "kokoro" / name).touch()
    environment = {**os.environ, "HOME": "/dev/null", "KWS_CACHE": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", ASK], env=environment, capture_output=True, text=True
    )
    assert done.stdout.strip() == str(tmp_path / "kokoro" / name), done.stderr
    environment["KWS_CACHE"] = "/dev/null/cache"
    done = subprocess.run(
        [sys.executable, "-c", ASK], env=environment, capture_output=True, text=True
    )
    assert "KwsError: /dev/null/cache/kokoro/" in done.stderr.splitlines()[-1]
    assert "cannot be written" in done.stderr.splitlines()[-1]


def test_damaged_parts_are_refused_and_leave_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("KWS_CACHE", str(tmp_path))
    monkeypatch.setattr(kokoro_engine, "_expected_sha256", lambda: "0" * 64)
    with pytest.raises(KwsError, match=r"damaged: their SHA-256 is 6e742170.*, not 0000.*install"):
        kokoro_engine.weights_file()
    assert not list((tmp_path / "kokoro").iterdir())
