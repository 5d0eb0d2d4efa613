"""A Dockerfile and a .dockerignore, read as the engines read them: just enough to check ours."""

import re
from pathlib import Path, PurePosixPath
from typing import NamedTuple


class Instruction(NamedTuple):
    """One of a stage: its name in capitals, and the rest of its line."""

    name: str
    value: str


class Stage(NamedTuple):
    """From one FROM to the next; `base` is what it begins with, `name` what others call it."""

    base: str
    name: str
    instructions: list[Instruction]

    def values(self, name: str) -> list[str]:
        """Of all instructions of a name."""
        return [one.value for one in self.instructions if one.name == name]


def stages(text: str) -> list[Stage]:
    """In order; what stands before the first FROM belongs to none."""
    joined = re.sub(r"\\\n", " ", re.sub(r"(?m)^\s*#.*\n", "", text))
    found: list[Stage] = []
    for line in filter(None, map(str.strip, joined.splitlines())):
        name, _, value = line.partition(" ")
        if name.upper() == "FROM":
            base, _, called = value.partition(" AS ")
            found.append(Stage(base.strip(), called.strip(), []))
        elif found:
            found[-1].instructions.append(Instruction(name.upper(), " ".join(value.split())))
    return found


def copied(stage: Stage) -> list[str]:
    """What a stage copies out of the context, not out of other stages."""
    sources = []
    for value in stage.values("COPY"):
        words = value.split()
        if not any(word.startswith("--from=") for word in words):
            sources += [word for word in words if not word.startswith("--")][:-1]
    return sources


def ignored(path: str, patterns: str) -> bool:
    """The last pattern that means the path, or a folder that it is in, decides."""
    verdict = False
    places = [str(place) for place in [PurePosixPath(path), *PurePosixPath(path).parents]]
    for line in patterns.splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        keeps = pattern.startswith("!")
        expression = re.escape(pattern.lstrip("!").strip("/")).replace(r"\*\*/", "(?:.*/)?")
        expression = expression.replace(r"\*", "[^/]*")
        if any(re.fullmatch(expression, place) for place in places):
            verdict = not keeps
    return verdict


def files(root: Path, source: str) -> list[str]:
    """Of a source of COPY, relative to the context."""
    place = root / source
    found = [place] if place.is_file() else [path for path in place.rglob("*") if path.is_file()]
    return [path.relative_to(root).as_posix() for path in found]
