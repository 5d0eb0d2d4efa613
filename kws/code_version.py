"""Which code this is: the package's version, the commit where there is one, the packages around it.

`environment` is a hash of every installed distribution and its version: two that are equal compute
with the same libraries. In an image, which has no `.git`, the commit is in `KWS_COMMIT`.
"""

import functools
import hashlib
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

import pydantic

import kws
from kws.params import Params

DISTRIBUTION = "kws-pipeline"
COMMIT_VARIABLE = "KWS_COMMIT"
NAMED = ("tfx", "tensorflow", "apache-beam", "numpy", "tflite-micro")
"""Packages whose version is written out: the others are in the hash alone."""
_TIMEOUT_S = 10.0


class CodeVersion(Params):
    """What a step was computed by.

    Attributes:
      package: version of the product.
      commit: of git, 40 hex digits; None where the code is not a working copy of its repository.
      changed: files of it differed from the commit; None where that is not known.
      lock_sha256: of `uv.lock` beside the code; None where it is not there.
      environment_sha256: of the sorted lines `name==version` of all installed distributions.
      python: its version.
      packages: versions of NAMED.
    """

    package: str
    commit: str | None = None
    changed: bool | None = None
    lock_sha256: str | None = None
    environment_sha256: str
    python: str
    packages: dict[str, str] = pydantic.Field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """One line for a person."""
        dirty = ", with changes that were not committed" if self.changed else ""
        commit = f", commit {self.commit[:12]}{dirty}" if self.commit else ""
        lock = f", uv.lock {self.lock_sha256[:12]}" if self.lock_sha256 else ""
        return f"kws-pipeline {self.package}{commit}{lock}, Python {self.python}"


@functools.lru_cache(maxsize=1)
def find() -> CodeVersion:
    """Of the code that runs."""
    root = Path(kws.__file__).resolve().parents[1]
    lock = root / "uv.lock"
    installed = _installed()
    commit, changed = _git(root)
    return CodeVersion(
        package=installed.get(DISTRIBUTION, "not installed"),
        commit=os.environ.get(COMMIT_VARIABLE) or commit,
        changed=changed,
        lock_sha256=hashlib.sha256(lock.read_bytes()).hexdigest() if lock.is_file() else None,
        environment_sha256=hashlib.sha256(
            "".join(f"{name}=={installed[name]}\n" for name in sorted(installed)).encode()
        ).hexdigest(),
        python=platform.python_version(),
        packages={name: installed[name] for name in NAMED if name in installed},
    )


def _installed() -> dict[str, str]:
    found: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        name = distribution.metadata["Name"]
        if name:  # what a broken removal left behind has none
            # The first is the one that is imported, where there are two.
            found.setdefault(name.lower().replace("_", "-"), distribution.version)
    return found


def _git(root: Path) -> tuple[str | None, bool | None]:
    """Commit, and whether tracked files differ from it; nothing outside a working copy."""
    if not (root / ".git").exists():  # the package may lie in an environment in another's copy
        return None, None
    try:
        commit = _run(root, "rev-parse", "HEAD")
        return commit, bool(_run(root, "status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.SubprocessError):
        return None, None


def _run(root: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(root), *arguments],
        check=True,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
    ).stdout.strip()
