"""Names of files and words of others are printed as they are: no markup, no escape sequences."""

import ast
import io
from pathlib import Path

import pytest
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

import kws
import pipeline
from kws.terminal import Terminal, echo, headed, lines, printable, visible

NAMES = [
    "clip [final].wav", "[/red].wav", "[bold]x", "a [link=file:///etc]b", ":warning:.wav",
    "\x1b[2J\x1b[31mred.wav", "\x1b]0;title\x07.wav", "\x9b31m.wav", "a\rb.wav", "\u202egpj.wav",
    b"\xff\xfe.wav".decode("utf-8", "surrogateescape"),
]  # fmt: skip


def _printed(*renderables: object) -> str:
    out = io.StringIO()
    Terminal(file=out, width=200, force_terminal=False).print(*renderables, highlight=False)
    return out.getvalue()


@pytest.mark.parametrize("name", NAMES, ids=ascii)
@pytest.mark.parametrize("kind", [str, "table", "tree", Text, headed])
def test_a_name_is_printed_whole_and_steers_nothing(name, kind):
    shown = name
    if kind == "table":
        shown = Table(name, title=name)
        shown.add_row(name)
    elif kind == "tree":
        shown = Tree(name)
        shown.add(name)
    elif kind is not str:
        shown = kind(name)
    printed = _printed(shown)
    assert all(character.isprintable() or character == "\n" for character in printed)
    printed.encode()  # no halves of characters
    assert visible(name) in printed or kind is Text  # rich leaves some control characters out


def test_what_steers_is_shown_as_its_code_and_line_feeds_of_names_too():
    assert visible("a\x1b[2J\nb\x9b\udcff\u202e") == "a\\x1b[2J\nb\\x9b\\xff\\u202e"
    assert printable("a\nkws: all is well\tb") == "a\\nkws: all is well\\tb"
    assert visible("öffne die Tür — 開けて") == "öffne die Tür — 開けて"


def test_a_line_shows_names_and_leaves_out_credentials(capsys):
    echo("\x1b[2J https://tok3n@host/a.zip?version=2&key=s3cret")
    assert capsys.readouterr().out == "\\x1b[2J https://…@host/a.zip?version=2&key=…\n"


def test_titles_and_lines_have_styles_by_themselves_only():
    text = lines([headed("[bold]", ": [/bold]"), "[red]x"])
    assert text.plain == "[bold]: [/bold]\n[red]x"
    assert [(span.start, span.end) for span in text.spans] == [(0, 6)]


def test_no_module_prints_by_another_console():
    """Whoever makes a console of rich's own prints names as markup."""
    uses_ours = 0
    for package in (kws, pipeline):
        for file in Path(package.__file__).parent.rglob("*.py"):
            calls = {
                getattr(node.func, "id", getattr(node.func, "attr", ""))
                for node in ast.walk(ast.parse(file.read_text()))
                if isinstance(node, ast.Call)
            }
            assert "Console" not in calls and "from_markup" not in calls, file
            uses_ours += "Terminal" in calls
    assert uses_ours > 10
