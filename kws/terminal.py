"""What is printed for a person: names and messages are shown as they are, and never obeyed.

A file may be called `clip [final].wav`, hold an escape sequence that clears the screen, or bytes
that are no text. `Terminal` is the console of every verb: a string is text and not markup, and a
character that would steer the terminal is shown as its code. `echo` is the same for a line.
"""

import re
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from kws import credentials

_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but the tab and the line feed
    "\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"  # the direction of writing, line separators
    "\ud800-\udfff]"  # bytes that are not UTF-8, as Python keeps them
)


def visible(text: str) -> str:
    """The text with its line feeds, and what else steers a terminal as its code (`\\x1b`)."""
    return _STEERING.sub(_code, text)


def printable(name: object) -> str:
    """A name on one line: a line feed or tab in it is shown as its code, too."""
    return visible(str(name)).replace("\n", "\\n").replace("\t", "\\t")


def _code(found: "re.Match[str]") -> str:
    number = ord(found[0])
    if 0xDC80 <= number <= 0xDCFF:  # surrogateescape
        return f"\\x{number - 0xDC00:02x}"
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def echo(text: str, err: bool = False) -> None:
    """Prints a line; what looks like a credential is left out."""
    shown = visible(credentials.redacted(text))
    print(shown, file=sys.stderr if err else sys.stdout, flush=True)


def headed(title: str, text: object = "", style: str = "bold") -> Text:
    """A title in a style of its own, and the text after it as it is."""
    return Text.assemble((visible(title), style), visible(str(text)))


def lines(texts: Iterable[str | Text]) -> Text:
    """One below the other."""
    return Text("\n").join(Text(text) if isinstance(text, str) else text for text in texts)


class Terminal(Console):
    """Rich's console, where a string is neither markup nor emoji codes nor escape sequences."""

    def __init__(self, **options: Any):
        """As of `rich.console.Console`."""
        super().__init__(**{"markup": False, "emoji": False, **options})

    def render_str(self, text: str, **options: Any) -> Text:  # type: ignore[override]
        """See the base class: here a text is measured as it will be seen."""
        return super().render_str(visible(credentials.redacted(text)), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Any:
        """See the base class: what was no string on its way here is made visible, too."""
        for segment in super().render(renderable, options):
            if segment.control or not _STEERING.search(segment.text):
                yield segment
            else:
                yield Segment(visible(segment.text), segment.style)
