"""`kws detect`: what a pushed bundle hears in recordings, and when."""

import json as json_module
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track
from rich.table import Table

from kws.errors import KwsError
from kws.terminal import Terminal, echo, printable


def detect(
    recordings: Annotated[
        Path, typer.Argument(help="A recording of any length, or a folder of them.")
    ],
    bundle: Annotated[
        str,
        typer.Option(help="Bundle, or a folder of versions (or gs://…, s3://…): the one served."),
    ],
    threshold: Annotated[
        float | None,
        typer.Option(min=0.001, max=0.999, help="In place of the bundle's own."),
    ] = None,
    sensitivity: Annotated[
        str | None,
        typer.Option(help="One that the bundle names: low, medium, high.", show_default=False),
    ] = None,
    picture: Annotated[
        Path | None,
        typer.Option(help="PNG to draw: features, posteriors, detections (one recording)."),
    ] = None,
    chime: Annotated[
        Path | None,
        typer.Option(help="WAV to write: the recording with a chime at each detection."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Detections with their times and scores, by frontend, int8 model and detector of a bundle.

    A time is when the device would have acted: the end of the sound it had heard by then.
    """
    from kws import detect as detecting
    from kws.corpus.inspect import FileReport
    from kws.corpus.listing import find_recordings
    from kws.corpus.source_yield import MAX_LOSS, yield_of_recordings
    from kws.report.tables import print_left_out

    listed = find_recordings(recordings)
    files = listed.paths
    if (picture or chime) and len(files) > 1:
        raise KwsError("--picture and --chime are of one recording", hint="name it, not its folder")
    spotter = detecting.load(bundle, threshold, sensitivity)
    console = Terminal()
    shown = track(
        files, "Listening", console=console, transient=True, disable=json or len(files) == 1
    )
    rate = spotter.frontend.params.sample_rate
    heard, unreadable, reports = [], [], []
    for file in shown:
        try:
            one = detecting.listen_to(spotter, file)
        except KwsError as error:
            if len(files) == 1:
                raise
            unreadable.append({"file": str(file), "error": str(error)})
            why = error.__cause__
            reason, detail = getattr(why, "reason", "unreadable"), getattr(why, "detail", "")
            size_bytes = file.stat().st_size if file.exists() else 0
            reports.append(FileReport(str(file), 0, b"", reason, detail, size_bytes=size_bytes))
            continue
        heard.append(one)
        size_bytes = file.stat().st_size
        reports.append(FileReport(str(file), len(one.audio) * 1000 / rate, size_bytes=size_bytes))
        if picture is not None:
            from kws.report.stream_pictures import draw_detections

            picture.parent.mkdir(parents=True, exist_ok=True)
            draw_detections(one, spotter, picture)
        if chime is not None:
            from kws.scenes.chime import lay_chimes

            chime.parent.mkdir(parents=True, exist_ok=True)
            ends = [detection.end_ms for detection in one.detections]
            lay_chimes(one.audio, spotter.frontend.params.sample_rate, ends, chime)
    lost = yield_of_recordings(reports)
    if json:
        left_out = [
            {"file": str(recordings / name), "left_out": str(why)}
            for name, why in listed.left_out.items()
        ]
        rows = [*(one.to_dict(rate) for one in heard), *unreadable, *left_out]
        typer.echo(json_module.dumps(rows, indent=2))
        lost.refuse_loss(str(recordings), MAX_LOSS, "minutes")
        raise typer.Exit(1 if unreadable else 0)
    table = Table("file", "second", "keyword", "score")
    for one in heard:
        for found in one.detections:
            table.add_row(
                printable(one.path), f"{found.end_ms / 1000:.2f}", found.label, f"{found.score:.3f}"
            )
    count = sum(len(one.detections) for one in heard)
    seconds = sum(len(one.audio) for one in heard) / rate
    if count:
        console.print(table)
    named = "" if spotter.sensitivity is None else f"sensitivity {spotter.sensitivity}, "
    console.print(
        f"{count} detections in {seconds:.1f} s of {len(heard)} recordings, {named}threshold "
        f"{spotter.detector.detection_threshold:g} ({spotter.folder})",
        highlight=False,
        soft_wrap=True,
    )
    for one in heard:
        for note in one.notes:
            echo(f"kws: {one.path}: {note}", err=True)
    print_left_out(console, listed.left_out)
    for row in unreadable:
        echo(f"kws: {row['error']}", err=True)
    lost.refuse_loss(str(recordings), MAX_LOSS, "minutes")
    raise typer.Exit(1 if unreadable else 0)
