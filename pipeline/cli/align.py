"""`kws align`: what ingestion cuts from recordings that are longer than a clip, to hear and see."""

import functools
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from kws.terminal import Terminal

SHOWN_SKIPPED = 10


def align(
    folder: Annotated[Path, typer.Argument(help="Recordings; folders in it are kept.")],
    out: Annotated[Path, typer.Option(help="Folder for the clips, align.csv and pictures.")],
    clip_duration_ms: Annotated[int, typer.Option(min=100, max=10_000)] = 1000,
    plot: Annotated[bool, typer.Option(help="Draw what was cut, doubtful clips first.")] = True,
    all_plots: Annotated[bool, typer.Option("--all-plots", help="Draw every clip.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace what kws align wrote.")] = False,
) -> None:
    """Cut every recording of a folder to its loudest window, and draw what was done.

    Shorter recordings are padded alike on both sides. Ingestion does the same by itself; here one
    can look. Recordings that cannot be read are named and skipped; exit status 1 if none is left.
    """
    from kws.audio.align import Aligned
    from kws.corpus.align_folder import align_folder

    console = Terminal()
    pictures: list[str] = []

    def draw(rows: Sequence[Aligned], written: Path) -> None:
        from kws.report.align_sheet import draw_sheets

        pages = None if all_plots else 3
        with console.status("Drawing"):
            found = draw_sheets(rows, folder, written, clip_duration_ms, most_pages=pages)
        pictures.extend(path.name for path in found)

    def progress(names: Sequence[str]) -> Iterator[str]:
        from rich.progress import track

        return iter(track(names, "Aligning", console=console, disable=not sys.stdout.isatty()))

    rows = align_folder(
        folder,
        out,
        clip_duration_ms=clip_duration_ms,
        force=force,
        finish=draw if plot or all_plots else lambda rows, written: None,
        progress=progress,
    )
    done = [row for row in rows if not row.reason]
    cut = sum(row.original_ms > clip_duration_ms for row in done)
    padded = sum(row.original_ms < clip_duration_ms for row in done)
    doubtful = sum(bool(row.doubts) for row in done)
    say = functools.partial(console.print, highlight=False, markup=False, soft_wrap=True)
    say(f"{len(done)} clips of {clip_duration_ms} ms in {out}: {cut} cut, {padded} padded")
    drawn = f"drawn in {', '.join(pictures)}; " if pictures else ""
    say(f"{doubtful} doubtful; {drawn}figures in align.csv")
    skipped = [row for row in rows if row.reason]
    if skipped:
        say(f"Skipped {len(skipped)}:", style="yellow")
    for row in skipped[:SHOWN_SKIPPED]:
        say(f"  {row.path}: {row.reason}, {row.detail}")
    if len(skipped) > SHOWN_SKIPPED:
        say(f"  and {len(skipped) - SHOWN_SKIPPED} more (align.csv lists all)")
