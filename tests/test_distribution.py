"""The wheel and the source archive carry the licence, the notices and every data file."""

import email
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import tomli

import kws

ROOT = Path(kws.__file__).resolve().parents[1]
PACKAGES = ("kws", "components", "pipeline", "schemas")
LICENCES = {
    "LICENSE",
    "THIRD_PARTY_NOTICES.md",
    "kws/models/data/NOTICE",
    "kws/speech/data/LICENSE",
    "kws/speech/data/NOTICE",
    "kws/voices/data/ATTRIBUTION.md",
}
pytestmark = pytest.mark.skipif(
    not (ROOT / ".git").exists(), reason="needs a working copy of the repository"
)


def tracked(*paths: str) -> set[str]:
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z", "--", *paths], check=True, capture_output=True
    )
    return {name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).exists()}


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A folder with both, built by the declared backend from the tracked files."""
    tree, out = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("dist")
    for name in tracked():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes((ROOT / name).read_bytes())
    for hook in ("build_sdist", "build_wheel"):
        build = f"from setuptools import build_meta; build_meta.{hook}({str(out)!r})"
        subprocess.run([sys.executable, "-c", build], cwd=tree, check=True, capture_output=True)
    return out


@pytest.fixture(scope="module")
def wheel(built) -> zipfile.ZipFile:
    (path,) = built.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_declares_its_licence_and_carries_the_texts(wheel):
    (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    metadata = email.message_from_bytes(wheel.read(name))
    assert metadata["License-Expression"] == "Apache-2.0"
    assert set(metadata.get_all("License-File")) == LICENCES
    folder = name.removesuffix("METADATA") + "licenses/"
    for licence in LICENCES:
        assert wheel.read(folder + licence) == (ROOT / licence).read_bytes()


def test_the_wheel_has_every_tracked_file_of_the_packages(wheel):
    assert tracked(*PACKAGES) - set(wheel.namelist()) == set()


def test_the_source_archive_has_what_a_build_and_a_contributor_need(built):
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    needed = {"pyproject.toml", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "uv.lock"}
    assert (tracked(*PACKAGES) | LICENCES | needed) - names == set()


def test_every_folder_of_data_is_accounted_for_in_the_notices():
    notices = (ROOT / "THIRD_PARTY_NOTICES.md").read_text(encoding="utf-8")
    folders = {name.rpartition("/")[0] for name in tracked("kws/*/data/*")}
    assert len(folders) >= 4
    assert {folder for folder in folders if folder not in notices} == set()
    # Weights and other arrays are the work of somebody: each is named with its origin.
    arrays = tracked("kws/*.npz", "kws/*.onnx", "kws/*.tflite")
    assert arrays and {name for name in arrays if name not in notices} == set()


def test_everything_that_states_the_version_agrees():
    project = tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = tomli.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    (locked,) = [one for one in lock["package"] if one["name"] == project["name"]]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"(?m)^## (\S+)", changelog).group(1)
    named = re.findall(r"kws_pipeline-([\d.]+)-py3", (ROOT / "docs/scale.md").read_text())
    assert named
    stated = [kws.__version__, locked["version"], newest, *named]
    assert stated == [project["version"]] * len(stated)
