"""Which code made something: checked against git and pip themselves."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

import kws
from kws import code_version

ROOT = Path(kws.__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def _afresh():
    code_version.find.cache_clear()
    yield
    code_version.find.cache_clear()


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no working copy of the repository")
def test_commit_and_lock_are_those_of_the_working_copy(monkeypatch):
    monkeypatch.delenv("KWS_COMMIT", raising=False)
    found = code_version.find()
    head = subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD"], capture_output=True, text=True)
    assert found.commit == head.stdout.strip()
    assert found.lock_sha256 == hashlib.sha256((ROOT / "uv.lock").read_bytes()).hexdigest()
    assert found.commit[:12] in found.sentence and "Python 3." in found.sentence


def test_the_environment_is_what_pip_would_list():
    import importlib.metadata

    names = {
        d.metadata["Name"].lower().replace("_", "-") for d in importlib.metadata.distributions()
    }
    lines = [f"{name}=={importlib.metadata.version(name)}\n" for name in sorted(names)]
    found = code_version.find()
    assert found.environment_sha256 == hashlib.sha256("".join(lines).encode()).hexdigest()
    assert found.packages["tfx"] == "1.16.0"
    assert found.python == ".".join(map(str, sys.version_info[:3]))


def test_an_image_says_its_commit_by_the_environment(monkeypatch):
    monkeypatch.setenv("KWS_COMMIT", "c" * 40)
    assert code_version.find().commit == "c" * 40


def test_a_repository_around_the_installed_package_is_not_its_own(tmp_path, monkeypatch):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    monkeypatch.delenv("KWS_COMMIT", raising=False)
    monkeypatch.setattr(kws, "__file__", str(tmp_path / "lib" / "kws" / "__init__.py"))
    found = code_version.find()
    assert found.commit is None and found.changed is None and found.lock_sha256 is None
