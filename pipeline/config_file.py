"""Reads the YAML of a configuration strictly: what a person did not mean is refused, not guessed.

YAML allows more than a configuration needs, and much of it goes wrong in silence: a second key of
the same name discards the first, `yes` is a boolean, an anchor of ten lines expands to gigabytes.
Everything here ends in one sentence with the line or the key's path, whatever the file holds.
"""

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from kws.errors import KwsError

MAX_BYTES = 1_000_000
"""A preset has a few kilobytes; one that lists ten thousand words has a hundred."""
MAX_DEPTH = 30
MAX_VALUES = 20_000
"""Once anchors are expanded."""
MAX_DIGITS = 30
"""Of a number."""
LARGEST = 2**53
"""Of whole numbers: what JSON and every library below can hold."""
_STR, _MERGE = "tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where PyYAML was built with it: ten times as fast."""


class _Yaml(_Base):
    """YAML 1.2's booleans: `yes`, `no`, `on` and `off` are words here, and likely keywords."""


_NOT_RESOLVED = {"bool", "timestamp", "value"}
"""What stays text: booleans but `true` and `false`, dates, and a lone `=`."""
_Yaml.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules if tag.rpartition(":")[2] not in _NOT_RESOLVED]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Yaml.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))


def read(path: Path) -> dict[str, Any]:
    """The mapping of sections in a file.

    Raises:
      KwsError: it cannot be read, is not UTF-8, or see `parse` and `check_values`.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise KwsError(f"{path} cannot be read: {error.strerror}") from None
    if len(content) > MAX_BYTES:
        raise KwsError(
            f"{path} is larger than {MAX_BYTES:,} bytes: a configuration is not",
            hint="lists of recordings belong in a manifest: data.sources, see docs/data.md",
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise KwsError(
            f"{path}: line {line}: byte 0x{content[error.start]:02x} is not UTF-8",
            hint="save the file as UTF-8",
        ) from None
    values = parse(text, str(path))
    if not isinstance(values, dict):
        found = "empty" if values is None else f"a {_kind(values)}"
        raise KwsError(
            f"{path}: a configuration is a mapping of sections, this is {found}",
            hint="see `kws presets` for one to begin with",
        )
    return values


def parse(text: str, what: str, path: str = "") -> Any:
    """The value of a YAML text.

    Args:
      text: a whole document, or the value of one key.
      what: where it comes from, for the message.
      path: of the key whose value it is; "" of a document.

    Raises:
      KwsError: it is not YAML, is nested or expanded too far, has a key twice, or one that is not
        text.
    """
    try:
        _check_extent(text, what)
        root = yaml.compose(text, Loader=_Yaml)
        if root is None:
            return None
        for problem in _problems(root, path):
            raise KwsError(f"{what}: {problem}")
        return yaml.load(text, Loader=_Yaml)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
        said = " ".join((error.problem or error.context or "").split())
        raise KwsError(f"{what}: not valid YAML: {where}{said}") from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # A character that YAML does not allow.
        said = " ".join(str(error).split())
        raise KwsError(f"{what}: not valid YAML: {_short(said, 200)}") from None


def check_values(values: Any, what: str) -> None:
    """Refuses what no setting can be: not-a-number, infinity, control characters.

    Args:
      values: nested mappings and lists.
      what: where they come from, for the message.

    Raises:
      KwsError: names the key's path.
    """
    for path, value in _leaves(values, ""):
        if isinstance(value, float) and not math.isfinite(value):
            raise KwsError(f"{what}: {path}: {value} is not a finite number")
        if isinstance(value, int) and abs(value) > LARGEST:
            raise KwsError(f"{what}: {path}: {value} is more than any setting can be")
        if not isinstance(value, str):
            continue
        for character in value:
            if (character < " " and character not in "\t\n") or character == "\x7f":
                raise KwsError(
                    f"{what}: {path}: contains the control character U+{ord(character):04X}",
                    hint="plain text is expected",
                )
            if "\ud800" <= character <= "\udfff":
                raise KwsError(
                    f"{what}: {path}: contains U+{ord(character):04X}, half of a character",
                    hint="save the text as UTF-8",
                )


def _check_extent(text: str, what: str) -> None:
    """Refuses a text that is nested or expanded too far, by its events: nothing is built yet."""
    sizes: dict[str, int] = {}
    open_: list[tuple[str | None, int]] = [(None, 0)]
    for event in yaml.parse(text, Loader=_Yaml):
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise KwsError(
                f"{what}: line {_line(event)}: {_short(tag)}: tags are not read",
                hint="write a plain value",
            )
        if isinstance(event, yaml.CollectionStartEvent):
            open_.append((event.anchor, 1))
        elif isinstance(event, yaml.ScalarEvent | yaml.AliasEvent | yaml.CollectionEndEvent):
            if isinstance(event, yaml.CollectionEndEvent):
                anchor, size = open_.pop()
            elif isinstance(event, yaml.ScalarEvent):
                anchor, size = event.anchor, 1
            else:
                anchor, size = None, sizes.get(event.anchor or "", 0)
                if not size:
                    raise KwsError(
                        f"{what}: line {_line(event)}: *{event.anchor} names nothing "
                        "that stands before it"
                    )
            if anchor is not None:
                sizes[anchor] = size
            outer, before = open_.pop()
            open_.append((outer, before + size))
            if before + size > MAX_VALUES:
                raise KwsError(
                    f"{what}: line {_line(event)}: more than {MAX_VALUES:,} values, "
                    "those of repeated anchors counted"
                )
        if len(open_) > MAX_DEPTH:
            raise KwsError(f"{what}: line {_line(event)}: nested more than {MAX_DEPTH} deep")


def _problems(node: yaml.Node, path: str = "") -> Iterator[str]:
    """A sentence for each key that is there twice or is not text, and each endless number."""
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from _problems(item, f"{path}[{number}]")
        return
    if isinstance(node, yaml.ScalarNode):
        if node.tag in _NUMBERS and len(node.value) > MAX_DIGITS:
            yield (
                f"{path + ': ' if path else ''}a number of {len(node.value):,} characters: "
                f"at most {MAX_DIGITS} are read"
            )
        return
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[str, int] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode) or key.tag not in (_STR, _MERGE):
            shown = f" {_short(key.value)}" if isinstance(key, yaml.ScalarNode) else ""
            yield (
                f"line {line}: the key{shown}{f' of {path}' if path else ''} is not text: "
                'a key is a name; write it in quotes ("…") if this is one'
            )
            continue
        name = f"{path}.{_short(key.value)}" if path else _short(key.value)
        if key.value in lines:
            yield (
                f"{name} is there twice, at line {lines[key.value]} and at line {line}: the second "
                "would discard the first, write it once"
            )
        lines[key.value] = line
        yield from _problems(value, name)


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            name = f"{path}.{key}" if path else str(key)
            yield f"the key {name!r}", key
            yield from _leaves(item, name)
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from _leaves(item, f"{path}[{number}]")
    else:
        yield path, value


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark is not None else 0


def _kind(value: Any) -> str:
    return "text" if isinstance(value, str) else type(value).__name__


def _short(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[:most]}…"
