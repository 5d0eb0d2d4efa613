"""`kws stream-test`: a pushed bundle on your own labelled recording."""

import json as json_module
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from kws.terminal import Terminal


def stream_test(
    recording: Annotated[Path, typer.Argument(help="A recording of any length.")],
    labels: Annotated[
        Path,
        typer.Argument(
            help='What is said in it: lines "label, time in ms" as of the tutorial, "label, start, '
            "end\", Audacity's labels, or the JSON of kws synth stream."
        ),
    ],
    bundle: Annotated[
        str, typer.Option(help="Bundle, or a folder of versions (or gs://…, s3://…).")
    ],
    threshold: Annotated[
        float | None, typer.Option(min=0.001, max=0.999, help="In place of the bundle's own.")
    ] = None,
    sensitivity: Annotated[
        str | None,
        typer.Option(help="One that the bundle names: low, medium, high.", show_default=False),
    ] = None,
    tolerance: Annotated[
        int, typer.Option(min=0, help="Of the tutorial's count, ms on both sides.")
    ] = 1500,
    after: Annotated[
        int, typer.Option(min=0, help="A hit comes at most so long after its word's end, ms.")
    ] = 750,
    events: Annotated[
        bool, typer.Option("--events", help="List every word and every false accept.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False,
) -> None:
    """TensorFlow's streaming accuracy test on a recording, and what a user would notice.

    The tutorial's count (matched, correctly, wrongly, false positives) is for comparing with it;
    misses and false accepts per hour come with 95 % bounds and are counted as in a run's gates.
    """
    from kws import detect as detecting
    from kws import stream_test as testing
    from kws.detection.params import MatchParams

    spotter = detecting.load(bundle, threshold, sensitivity)
    done = testing.run(spotter, recording, labels, MatchParams(after_ms=after), tolerance)
    if json:
        typer.echo(json_module.dumps(done.to_dict(), indent=2))
        return
    console = Terminal()
    if events:
        table = Table("said at, s", "said", "detected at, s", "detected", "score", "is a")
        for row in done.events():
            table.add_row(
                _seconds(row["said_ms"]), row["said"], _seconds(row["detected_ms"]),
                row["detected"], "" if row["score"] is None else f"{row['score']:.3f}", row["kind"],
            )  # fmt: skip
        console.print(table)
    figures = done.figures
    lines = [
        f"tutorial       {done.tutorial}",
        f"missed         {figures.miss_rate}",
        f"false accepts  {figures.false_accepts_per_hour}",
    ]
    if figures.hits and done.word_ends_known:
        lines.append(
            f"latency        {figures.latency_ms_median:.0f} ms median, "
            f"{figures.latency_ms_p95:.0f} ms 95th percentile, from the word's end"
        )
    console.print("\n".join(lines), highlight=False, markup=False, soft_wrap=True)


def _seconds(time_ms: int | None) -> str:
    return "" if time_ms is None else f"{time_ms / 1000:.2f}"
