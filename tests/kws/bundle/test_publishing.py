import dataclasses
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from kws.bundle import destination, manifest, publishing
from kws.bundle.contents import BundleContents
from kws.errors import KwsError
from kws.runtime.tflite_model import Int8Model
from tests.kws.runtime.conftest import Trial

FILES = {
    "LATEST", "model.tflite", "model_float_io.tflite", "model.h", "model.cc", "manifest.json",
    "labels.txt", "frontend.json", "test_vectors", "evaluation.json", "model_card.md", "SHA256SUMS",
    "ops_resolver.h", "frontend_params.h", "detector.h", "arena.h", "main.cc",
}  # fmt: skip


def test_a_bundle_is_complete_and_its_checksums_are_those_of_sha256sum(
    contents: BundleContents, trial: Trial, tmp_path: Path
) -> None:
    folder = publishing.push(contents, tmp_path)
    assert folder == tmp_path / "17"
    assert (tmp_path / "LATEST").read_text() == "17\n"
    assert {path.name for path in folder.iterdir()} == FILES - {"LATEST"}
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=folder, check=True)
    publishing.verify(folder)
    features = trial.judged.features[:5]
    expected = trial.int8.posteriors(features)
    np.testing.assert_array_equal(Int8Model.load_folder(folder).posteriors(features), expected)
    evaluation = json.loads((folder / "evaluation.json").read_text())
    assert evaluation["nothing"] is None
    assert [gate["name"] for gate in evaluation["gates"]] == [g.name for g in contents.gates]
    (wav,) = (folder / "test_vectors").glob("*.wav")
    np.testing.assert_array_equal(soundfile.read(wav, dtype="int16")[0], contents.vectors[0].audio)
    card = (folder / "model_card.md").read_text()
    assert "random numbers" in card and "none needed" in card and "micro.arena_bytes" in card


def test_the_manifest_says_what_a_device_needs(contents: BundleContents, tmp_path: Path) -> None:
    described = json.loads((publishing.push(contents, tmp_path) / "manifest.json").read_text())
    assert described["labels"] == ["_silence_", "_unknown_", "yes", "no"]
    assert described["model"]["input"]["shape"] == [1, 49, 40]
    assert described["model"]["output"]["scale"] == 1 / 256
    assert described["arena"]["measured_bytes"] == contents.micro.arena_bytes
    assert described["detector"]["detection_threshold"] == 0.7
    described["model"]["input"]["dtype"] = "float32"
    with pytest.raises(KwsError, match=r"model.input.dtype: 'int8' was expected"):
        manifest.check(described)


def test_a_version_is_never_overwritten(contents: BundleContents, tmp_path: Path) -> None:
    folder = publishing.push(contents, tmp_path)
    before = (folder / "SHA256SUMS").read_text()
    with pytest.raises(KwsError, match="17 exists already"):
        publishing.push(dataclasses.replace(contents, name="other"), tmp_path)
    assert (folder / "SHA256SUMS").read_text() == before
    with pytest.raises(KwsError, match="digits only"):
        publishing.push(dataclasses.replace(contents, version="../18"), tmp_path)


@pytest.mark.parametrize("name", ["model.tflite", "labels.txt", "test_vectors/index.json"])
def test_a_changed_file_is_named(contents: BundleContents, tmp_path: Path, name: str) -> None:
    folder = publishing.push(contents, tmp_path)
    (folder / name).write_bytes((folder / name).read_bytes() + b"\n")
    with pytest.raises(KwsError, match=f"{name} is not the file that was pushed"):
        publishing.verify(folder)
    (folder / name).unlink()
    with pytest.raises(KwsError, match=f"{name} is missing"):
        publishing.verify(folder)


def test_a_vector_that_the_model_does_not_give_is_named_even_with_new_checksums(
    contents: BundleContents, tmp_path: Path
) -> None:
    folder = publishing.push(contents, tmp_path)
    output = next((folder / "test_vectors").glob("*.output.bin"))
    output.write_bytes(bytes(4))
    (folder / "SHA256SUMS").unlink()
    destination.write_checksums(folder)
    with pytest.raises(KwsError, match=f"{output.name} is not what model.tflite makes"):
        publishing.verify(folder)
