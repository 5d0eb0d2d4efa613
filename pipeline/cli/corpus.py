"""`kws corpus`: public corpora by name: which there are, fetch one, check those that are here."""

import contextlib
import json as json_module
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kws.errors import KwsError
from pipeline.cli import complete

if TYPE_CHECKING:
    from kws.corpus.catalogue import CatalogueEntry
    from kws.corpus.store import CorpusStore, Report
    from kws.terminal import Terminal

app = typer.Typer(
    help="Public corpora: speech, noise, music and rooms by name.", no_args_is_help=True
)

Table = Annotated[
    Path | None,
    typer.Option(help="YAML file with corpora of your own, in the form of the catalogue."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]
FAILED = 1
_GIGABYTE = 1e9


def corpora_overrides(names: Sequence[str] | None) -> list[str]:
    """`--with a,b --with c` as an override of a configuration."""
    from kws.corpus.catalogue import parse_names

    found = parse_names(names or ())
    return [f"data.corpora={json_module.dumps(found)}"] if found else []


@app.command("list")
def list_(table: Table = None, json: Json = False) -> None:
    """Every corpus that can be fetched, its size, use and licence, and whether it is here.

    Nothing is loaded. Those that need a key or a signature are named with what to do instead.
    """
    from kws.corpus import catalogue

    known, store = catalogue.load(table), _store()
    if json:
        rows = [{**_row(entry), "state": store.state(entry)} for entry in known.corpora.values()]
        typer.echo(json_module.dumps({"corpora": rows, "by_hand": known.by_hand}, indent=2))
        return
    from rich import box
    from rich.table import Table as RichTable

    from kws.terminal import Terminal

    shown = RichTable(box=box.SIMPLE, collapse_padding=True, pad_edge=False)
    shown.add_column("name", no_wrap=True)
    shown.add_column("GB", justify="right", no_wrap=True)
    shown.add_column("hours", justify="right", no_wrap=True)
    shown.add_column("for", no_wrap=True)
    shown.add_column("licence", overflow="fold")
    shown.add_column("here", no_wrap=True)
    for entry in known.corpora.values():
        terms = "" if entry.terms == "open" else f" ({entry.terms})"
        state = store.state(entry)
        shown.add_row(
            entry.name,
            f"{entry.bytes / _GIGABYTE:.1f}" if entry.bytes else "",
            f"{entry.hours:.3g}" if entry.hours else "",
            "\n".join(entry.uses),
            f"{entry.licence}{terms}",
            "" if state == "absent" else state,
        )
    console = Terminal()
    console.print(shown, highlight=False, markup=False)
    console.print("Not to be fetched by name:", highlight=False)
    for name, advice in known.by_hand.items():
        console.print(f"  {name}: {advice}", highlight=False, markup=False, soft_wrap=True)


@app.command()
def get(
    names: Annotated[
        list[str], typer.Argument(help="Names, also with commas.", autocompletion=complete.corpora)
    ],
    table: Table = None,
    again: Annotated[
        bool, typer.Option("--again", help="Delete what is here of it, and load it once more.")
    ] = False,
    json: Json = False,
) -> None:
    """Load a corpus into the cache, check it, unpack it, and print its licence.

    A load that was cut off goes on where it was. What is here already is not loaded again.
    KWS_CORPORA_MIRROR, an address or a folder, gives the archives in place of the public addresses.
    """
    from kws.corpus import catalogue, index
    from kws.terminal import Terminal

    known, store = catalogue.load(table), _store()
    # Every name is looked up before the first is loaded.
    entries = [known.find(name) for name in catalogue.parse_names(names)]
    if not entries:
        raise KwsError("no corpus is named", hint="kws corpus list shows all")
    console = Terminal(stderr=json)
    rows = []
    for entry in entries:
        _print_licence(console, entry)
        if again:
            store.remove(entry)
        with _bars(console) as report:
            folder = store.fetch(entry, report)
        summary = index.read_summary(folder)
        rows.append(
            {**_row(entry), "folder": str(folder), "holds": vars(summary) if summary else None}
        )
        console.print(f"  {_holds(summary)} {folder}", highlight=False, soft_wrap=True)
    if json:
        typer.echo(json_module.dumps(rows, indent=2))


@app.command()
def verify(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Names; none: all that are here.",
            show_default=False,
            autocompletion=complete.corpora,
        ),
    ] = None,
    table: Table = None,
    json: Json = False,
) -> None:
    """Check archives in the cache against their checksums, and that no unpacked file is gone.

    Exit status: 0 all are whole, 1 one is not.
    """
    from kws.corpus import catalogue
    from kws.terminal import Terminal

    known, store = catalogue.load(table), _store()
    asked = catalogue.parse_names(names or ())
    entries = [known.find(name) for name in asked] or [
        entry for entry in known.corpora.values() if store.state(entry) in ("ready", "loaded")
    ]
    console = Terminal(stderr=json)
    results: dict[str, Any] = {}
    for entry in entries:
        state = store.state(entry)
        with _bars(console) as report:
            check = store.verify(entry, report)
        problems = list(check.problems)
        if state not in ("ready", "loaded"):
            problems.append(f"{entry.name} is not here: kws corpus get {entry.name}")
        results[entry.name] = {"state": state, **vars(check), "problems": problems}
        archive = "archive whole" if check.archive else "archive not kept"
        line = "; ".join(problems) or f"{archive}, {check.files} files there"
        console.print(f"{entry.name}: {line}", highlight=False, markup=False, soft_wrap=True)
    if json:
        typer.echo(json_module.dumps(results, indent=2))
    elif not entries:
        console.print("no corpus is here: kws corpus list", highlight=False)
    bad = [name for name, result in results.items() if result["problems"]]
    if bad:
        hint = f"kws corpus get --again {' '.join(bad)} loads it once more"
        raise KwsError(f"not whole: {', '.join(bad)}", hint=hint)


def _store() -> "CorpusStore":
    from kws.corpus.store import CorpusStore
    from kws.storage import cache_root

    return CorpusStore(cache_root())


def _row(entry: "CatalogueEntry") -> dict[str, Any]:
    return {**entry.model_dump(mode="json"), "uses": list(entry.uses)}


def _print_licence(console: "Terminal", entry: "CatalogueEntry") -> None:
    size = f", {entry.bytes / _GIGABYTE:.1f} GB" if entry.bytes else ""
    lines = [f"{entry.name}{size}: {', '.join(entry.uses)}"]
    lines.append(f"  Licence: {entry.licence} {entry.licence_url}".rstrip())
    if entry.attribution:
        lines.append(f"  {entry.attribution}")
    if entry.terms != "open":
        key = f"data.allow_{entry.terms.replace('-', '_')}"
        lines.append(f"  For {entry.terms} use alone: no model is pushed without {key}=true.")
    if entry.note:
        lines.append(f"  {entry.note}")
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _holds(summary: Any) -> str:
    """What a corpus holds, in words."""
    if summary is None:
        return "Words are in"
    counts = ", ".join(f"{count:,} for {use}" for use, count in summary.recordings.items())
    unreadable = sum(summary.unreadable.values())
    left = f", {unreadable} cannot be read" if unreadable else ""
    return f"{counts}; {summary.hours:.2f} h, {summary.groups:,} speakers or recordings{left}:"


@contextlib.contextmanager
def _bars(console: "Terminal") -> "Iterator[Report]":
    """A bar a step, with size, rate and time left; nothing where there is no terminal."""
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    class Amount(DownloadColumn):
        """Bytes as such, other things as counts."""

        def render(self, task: Any) -> Any:
            if task.fields["unit"] == "bytes":
                return super().render(task)
            return MofNCompleteColumn().render(task)

    class Rate(TransferSpeedColumn):
        def render(self, task: Any) -> Any:
            return super().render(task) if task.fields["unit"] == "bytes" else ""

    columns = (TextColumn("  {task.description}"), BarColumn(), Amount(), Rate())
    hidden = not console.is_terminal
    with Progress(
        *columns, TimeRemainingColumn(), console=console, transient=True, disable=hidden
    ) as bar:

        def report(what: str, unit: str) -> Callable[[int, int], None]:
            task = bar.add_task(what, total=None, unit=unit)
            return lambda done, total: bar.update(task, completed=done, total=total or None)

        yield report
