"""Spans: a corpus that grows by folders, `day-{SPAN}` or `{YYYY}-{MM}-{DD}/v{VERSION}`.

The pattern is that of TFX's ExampleGen (https://www.tensorflow.org/tfx/guide/examplegen#span):
`{SPAN}` or `{SPAN:2}` (so many digits) is a number that grows; a date stands for the days since
1970; of each span the highest `{VERSION}` counts. Here a pattern is one of folders below a base.
"""

import datetime
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from kws.errors import KwsError

_SPEC = re.compile(r"\{(SPAN|VERSION|YYYY|MM|DD)(?::(\d+))?\}")
_DATE = ("YYYY", "MM", "DD")


class Span(NamedTuple):
    """One folder of a growing corpus.

    Attributes:
      number: of the span.
      version: of what is in it; 0 where the pattern has no `{VERSION}`.
      folder: below the base.
    """

    number: int
    version: int
    folder: str


def check_pattern(pattern: str) -> None:
    """Refuses what TFX would not take.

    Raises:
      ValueError: says what the pattern lacks.
    """
    specs = [name for name, _ in _SPEC.findall(pattern)]
    dated = all(specs.count(name) == 1 for name in _DATE)
    if len(set(specs)) != len(specs) or ("SPAN" in specs) == dated:
        raise ValueError(
            f"{pattern!r} is no pattern of spans: it needs {{SPAN}} once, or {{YYYY}}, {{MM}} and "
            "{DD}; and {VERSION} at most once"
        )
    if re.search(r"[{}*?]", _SPEC.sub("", pattern)) or pattern.startswith("/"):
        raise ValueError(f"{pattern!r}: folders below the base, and nothing but {{SPAN}} varies")


def find_spans(pattern: str, list_folders: Callable[[str], Iterable[str]]) -> list[Span]:
    """All spans below a base, oldest first, each in its highest version.

    Args:
      pattern: of folders, see above.
      list_folders: gives the names of the folders in a folder (a path below the base; "" is it).
    """
    check_pattern(pattern)
    found: dict[int, Span] = {}
    folders: list[tuple[str, dict[str, str]]] = [("", {})]
    for level in pattern.strip("/").split("/"):
        expression = _expression(level)
        folders = [
            (f"{parent}/{name}".lstrip("/"), {**values, **match.groupdict()})
            for parent, values in folders
            for name in list_folders(parent)
            if (match := expression.fullmatch(name))
        ]
    for folder, values in sorted(folders):
        number = _number(values)
        if number is None:
            continue
        span = Span(number, int(values.get("VERSION", 0)), folder)
        if number not in found or found[number].version < span.version:
            found[number] = span
    return [found[number] for number in sorted(found)]


def last_spans(spans: list[Span], count: int, where: str) -> list[Span]:
    """The newest spans, oldest of them first.

    Args:
      spans: all, as `find_spans` gives them.
      count: how many at most.
      where: base and pattern, for the error.

    Raises:
      KwsError: there is none.
    """
    if not spans:
        raise KwsError(f"there is no folder {where}", hint="spans are folders that are named so")
    return spans[-count:]


def _expression(level: str) -> re.Pattern[str]:
    widths = {"YYYY": "4", "MM": "2", "DD": "2"}
    parts, end = [], 0
    for match in _SPEC.finditer(level):
        name, width = match[1], match[2] or widths.get(match[1])
        parts += [re.escape(level[end : match.start()])]
        parts += [f"(?P<{name}>[0-9]{{{width}}})" if width else f"(?P<{name}>[0-9]+)"]
        end = match.end()
    return re.compile("".join([*parts, re.escape(level[end:])]))


def _number(values: dict[str, str]) -> int | None:
    if "SPAN" in values:
        return int(values["SPAN"])
    try:
        day = datetime.date(*(int(values[name]) for name in _DATE))
    except ValueError:
        return None  # 2026-02-31 is no day.
    return (day - datetime.date(1970, 1, 1)).days
