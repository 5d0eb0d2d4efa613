"""Every command of README.md and docs/ is one that the programs take.

All are held against the real parsers, with the real configuration behind --preset and --set. What
is cheap is run for real as well, on a finished run: tests/e2e/test_documented_commands.py.
"""

import re
from pathlib import Path

import pytest
import yaml

from pipeline.cli import app
from pipeline.config import Config, load
from tests.docs.blocks import FILES, ROOT, Command, in_blocks, in_help, in_text, split, yaml_blocks
from tests.docs.parsers import check

BLOCKS = [command for file in FILES for command in in_blocks(file)]
MENTIONS = [command for file in FILES for command in in_text(file)]


def unique(commands: list[Command]) -> list[Command]:
    return list({command.words: command for command in reversed(commands)}.values())[::-1]


@pytest.mark.parametrize("command", unique(BLOCKS), ids=str)
def test_a_command_of_a_block_is_taken_by_its_program(command, readers_folder):
    check(command)


@pytest.mark.parametrize("command", unique(MENTIONS), ids=str)
def test_a_command_in_the_text_names_a_verb_and_its_options(command, readers_folder):
    check(command, whole=False)


@pytest.mark.parametrize("command", list(in_help(app)), ids=str)
def test_an_example_of_help_is_taken(command, readers_folder):
    check(command)


def test_commands_are_found_where_readers_find_them():
    assert len(BLOCKS) > 60
    assert {command.file for command in BLOCKS} >= {"README.md", "docs/listening.md"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("$ kws runs   # all of them", [["kws", "runs"]]),
        ("arecord -r 16000 | kws listen - --bundle B", [["kws", "listen", "-", "--bundle", "B"]]),
        ("KWS_CACHE=x .venv/bin/kws data > d.txt", [["kws", "data"]]),
        ("cd x && make run && kws report", [["make", "run"], ["kws", "report"]]),
        ('kws run --set "a=[1, 2]"', [["kws", "run", "--set", "a=[1, 2]"]]),
        ("python -m benchmarks.zoo DIR", [["python", "-m", "benchmarks.zoo", "DIR"]]),
        ("the model isn't here", []),
        ("ffmpeg -i film.mkv", []),
    ],
)
def test_a_line_is_read_as_a_shell_reads_it(line, words):
    assert split(line) == words


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("kws detekt a.wav --bundle b", "no verb"),
        ("kws detect a.wav --bundel b", "bundel"),
        ("kws detect a.wav --bundle b --threshold 2", "0.999"),
        ("kws run --set training.epoks=3", "epoks"),
        ("kws run --preset nowhere.yaml", "nowhere.yaml"),
        ("make rnu", "targets"),
        ("python -m benchmarks.zo DIR", "no benchmarks.zo"),
        ("python -m benchmarks.startup --time 3", "refuses"),
    ],
)
def test_a_misspelt_command_is_found(line, reason, readers_folder, capsys):
    (words,) = split(line)
    with pytest.raises(Exception, match=reason):
        check(Command("here", 1, tuple(words)))


@pytest.mark.parametrize(
    ("file", "block"),
    [(file, block) for file in FILES for block in yaml_blocks(file)],
    ids=lambda value: str(value[1]) if isinstance(value, tuple) else value.stem,
)
def test_yaml_of_the_documents_is_a_configuration_or_a_part_of_one(file, block, tmp_path):
    name, _, text = block
    content = yaml.safe_load(text.replace("sha256: …", f"sha256: {'a' * 64}"))
    if not isinstance(content, dict) or not set(content) <= set(Config.model_fields):
        pytest.skip("of another program")
    known = {} if name is not None else {"name": "mine", "keywords": ["left", "stop"]}
    (tmp_path / "whole.yaml").write_text(yaml.safe_dump({**known, **content}))
    load(str(tmp_path / "whole.yaml"))


def links(file: Path) -> set[Path]:
    """The files of the repository that a document refers to."""
    text = re.sub(r"```.*?```", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    return {(file.parent / target).resolve() for target in targets if "://" not in target}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_document_refers_to_files_that_are_there(file):
    missing = {str(target.relative_to(ROOT)) for target in links(file) if not target.exists()}
    assert not missing


def test_every_document_is_found_from_the_index():
    seen, left = set(), {ROOT / "docs/README.md"}
    while left:
        seen |= left
        left = {one for file in left for one in links(file) if one in set(FILES)} - seen
    assert {file for file in FILES if file.parent == ROOT / "docs"} <= seen
