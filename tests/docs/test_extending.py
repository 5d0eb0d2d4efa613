"""docs/extending: a page's files are written into a copy of the repository, its commands run.

A block whose first line is `# path/of/a/file` is that file; `diff` blocks are applied; `sh` blocks
are run, and must end well.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT

PAGES = sorted((ROOT / "docs" / "extending").glob("*.md"))
COPIED = ("kws", "components", "pipeline", "schemas", "tests", "pyproject.toml")
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def copy(tmp_path) -> Path:
    """Of what is imported and tested; the environment is this one."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(
                source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "testdata")
            )
        else:
            shutil.copy(source, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_shows_works(page, copy):
    ran = 0
    for language, text in _BLOCK.findall(page.read_text(encoding="utf-8")):
        if language == "python":
            write(copy, text)
        elif language == "diff":
            change(copy, text)
        elif language == "sh":
            for line in text.splitlines():
                run(copy, line)
                ran += 1
    assert ran, f"{page.name} runs nothing"


def write(folder: Path, text: str) -> None:
    first, _, content = text.partition("\n")
    file = folder / first.removeprefix("# ")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, encoding="utf-8")
    if file.parent.name == "bin":
        file.chmod(0o755)


def change(folder: Path, diff: str) -> None:
    """Hunks without line numbers: the lines that go must be there, once, and others take over."""
    for part in re.split(r"^--- a/.*\n", diff, flags=re.MULTILINE)[1:]:
        name, _, hunks = part.removeprefix("+++ b/").partition("\n")
        file = folder / name
        content = file.read_text(encoding="utf-8")
        for hunk in hunks.split("@@\n")[1:]:
            lines = hunk.splitlines(keepends=True)
            before = "".join(line[1:] for line in lines if line[0] in " -")
            after = "".join(line[1:] for line in lines if line[0] in " +")
            assert content.count(before) == 1, f"{name} has not (once):\n{before}"
            content = content.replace(before, after)
        file.write_text(content, encoding="utf-8")


def run(folder: Path, line: str) -> None:
    words = shlex.split(line)
    words[:1] = [sys.executable, "-m", "kws"] if words[0] == "kws" else [sys.executable]
    environment = {
        **os.environ,
        "PYTHONPATH": str(folder),
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "KWS_CACHE": str(folder / "cache"),
    }
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{line}\n{done.stdout[-3000:]}{done.stderr[-2000:]}"
