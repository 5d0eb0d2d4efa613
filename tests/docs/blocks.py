"""The command lines of README.md and docs/: those in blocks, those in text, those of --help."""

import dataclasses
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import typer

ROOT = Path(__file__).resolve().parents[2]
FILES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "THIRD_PARTY_NOTICES.md")),
    ROOT / "benchmarks/README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
OTHER_LANGUAGES = ("yaml", "python", "json", "cpp", "c", "diff", "csv", "ini")
"""Fenced blocks of these are no commands."""

_FENCE = re.compile(r"^\s*```+\s*(\w*)")
_SPAN = re.compile(r"`([^`\n]+)`")
_BETWEEN = ("|", "||", "&&", ";", "&", ">", ">>", "<", "2>&1")


@dataclasses.dataclass(frozen=True)
class Command:
    """A command that a reader may type.

    Attributes:
      file: relative to the repository.
      line: where it begins, from 1.
      words: program and arguments, as a shell hands them on.
    """

    file: str
    line: int
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {shlex.join(self.words)}"


def in_blocks(file: Path) -> Iterator[Command]:
    """Commands of the indented and fenced blocks of a file."""
    name = str(file.relative_to(ROOT))
    for number, text in _block_lines(file.read_text(encoding="utf-8")):
        for words in split(text):
            yield Command(name, number, tuple(words))


def in_text(file: Path) -> Iterator[Command]:
    """Commands in backticks; one with `…` or `|` in it is no command to type."""
    name = str(file.relative_to(ROOT))
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        for span in _SPAN.findall(line):
            if not re.search(r"[…|]", span):
                for words in split(span):
                    yield Command(name, number, tuple(words))


def in_help(app: typer.Typer, prefix: str = "") -> Iterator[Command]:
    """The examples under the verbs' --help."""
    for verb in app.registered_commands:
        for line in str(verb.epilog).splitlines():
            begin = line.find("kws ")
            for words in split(line[begin:]) if begin >= 0 else ():
                yield Command(f"kws {prefix}{verb.name} --help", 1, tuple(words))
    for group in app.registered_groups:
        assert group.typer_instance is not None
        yield from in_help(group.typer_instance, f"{prefix}{group.name} ")


def yaml_blocks(file: Path) -> Iterator[tuple[str | None, int, str]]:
    """Fenced YAML: the name of the file that its first line says it is, its line, and the text."""
    text = file.read_text(encoding="utf-8")
    for found in re.finditer(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        named = re.match(r"# (\S+\.yaml)\n", found.group(1))
        number = text[: found.start()].count("\n") + 1
        yield (named.group(1) if named else None), number, found.group(1)


def split(text: str) -> list[list[str]]:
    """The programs of a shell's line that are ours, each with its arguments."""
    text = re.sub(r"^\s*\$ ", "", text)
    # A shell's comment begins a word; shlex would take quickstart#2 for one.
    lexer = shlex.shlex(re.sub(r"(^|\s)# .*", "", text), posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        words = list(lexer)
    except ValueError:  # an apostrophe: this is no command, but prose or a program's output
        return []
    parts: list[list[str]] = [[]]
    for word in words:
        if word in _BETWEEN:
            parts.append([])
        else:
            parts[-1].append(word)
    return [found for part in parts if (found := _ours(part))]


def _ours(words: list[str]) -> list[str]:
    """Without what a shell takes off, and only if the program is one of this repository's."""
    while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
        words = words[1:]
    words = [words[0].removeprefix(".venv/bin/"), *words[1:]] if words else []
    if words[:1] in (["kws"], ["make"], ["tfx"]) and len(words) > 1:
        return words
    if words[:2] == ["python", "-m"] and re.match(r"(kws|benchmarks)\b", " ".join(words[2:])):
        return words
    return []


def _block_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines of blocks with their numbers; one that ends in a backslash goes on in the next."""
    language: str | None = None
    kept, begin = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        fence = _FENCE.match(line)
        if fence:
            language = None if language is not None else fence.group(1)
            continue
        in_block = language is not None and language not in OTHER_LANGUAGES
        if not (in_block or (language is None and line.startswith("    "))):
            kept = ""
            continue
        begin = begin if kept else number
        kept = f"{kept}{line.strip()}"
        if kept.endswith("\\"):
            kept = kept[:-1]
            continue
        yield begin, kept
        kept = ""
