"""`kws personalize`: a run's model fitted to one user's voice, by ten clips."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kws.terminal import Terminal, headed, printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from kws.training.personal_comparison import Pair
    from pipeline.personal import Personalized

REFUSED = 2
"""Exit status where the new model is no better, or worse elsewhere."""
SHOWN_UNUSABLE = 5


def personalize(
    place: Annotated[
        Path,
        typer.Argument(
            metavar="BUNDLE_OR_RUN",
            help="runs/NAME/bundles/VERSION, or runs/NAME: its newest model, pushed or not.",
        ),
    ],
    clips: Annotated[
        Path,
        typer.Option(help="Recordings: <word>/*.wav, or a flat folder of one keyword's."),
    ],
    keyword: Annotated[
        str | None, typer.Option(help="Said in every clip of a flat folder.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the bundles. Default: bundles-personal, beside the run's bundles.",
            show_default=False,
        ),
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(help="The run that made a bundle which lies elsewhere.", show_default=False),
    ] = None,
    copies: Annotated[
        int, typer.Option(min=0, max=200, help="Noisy, changed copies of each clip.")
    ] = 20,
    replay: Annotated[
        int, typer.Option(min=0, help="Original examples learned again, against forgetting.")
    ] = 3000,
    epochs: Annotated[int, typer.Option(min=1, help="Rounds through all of them.")] = 4,
    max_drop: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=1.0,
            help="Accuracy that may be lost, and false positives won, on the original test split.",
        ),
    ] = 0.02,
    seed: Annotated[int, typer.Option(help="Of copies, replay and what is kept back.")] = 0,
) -> None:
    """Fit a model to your own voice: ten clips of its keywords in, a table and a new bundle out.

    Record each keyword some ten times, a second or so each, as you would say it to the device: WAV,
    FLAC, Ogg or MP3, any rate. A folder that is named after another word, or _unknown_, teaches the
    model what not to wake up to.

    The run's own artifacts are needed (float model, training examples, recordings, streams): what a
    run leaves in its folder. Some clips are kept back; the table shows how the int8 model hears
    them before and after, alone and in noise, and what became of the original test split and
    streams. A model that lost more than --max-drop there, or that fails the run's gates, is not
    written. The run's own bundles stay as they are.

    Exit status: 0 written, 2 judged and refused, 1 an error.
    """

    from kws.training.personalize import PersonalizeParams
    from pipeline import parents as lineage
    from pipeline.log_file import log_file

    params = PersonalizeParams(
        copies=copies, replay=replay, epochs=epochs, max_drop=max_drop, seed=seed
    )
    console = Terminal()
    parents = lineage.find(place, run)
    destination = out or parents.bundles.with_name(parents.bundles.name + "-personal")
    with log_file(parents.run / "logs"), console.status("starting") as status:
        from rich.text import Text

        def say(text: str) -> None:
            status.update(Text(text))
            if not console.is_terminal:
                console.print(f"  {text}", highlight=False, soft_wrap=True)

        # Here, and not at the top: it brings TensorFlow, which logs as it comes.
        from pipeline.personal import personalize as fit

        done = fit(parents, clips, keyword, params, destination, say)
    _print(console, done)
    raise typer.Exit(REFUSED if done.refused else 0)


def _print(console: "Console", done: "Personalized") -> None:
    unusable = done.clips.unusable
    if unusable:
        console.print(f"{len(unusable)} files could not be used:", style="yellow")
        for name, reason in list(unusable.items())[:SHOWN_UNUSABLE]:
            console.print(f"  {printable(name)}: {reason}", highlight=False)
    console.print(_table(done))
    for reason in done.refused:
        console.print(f"  {reason}", highlight=False)
    if done.bundle is None:
        console.print(
            headed(
                "NOT written",
                ": more or clearer clips or fewer --epochs may help; --max-drop allows more.",
                "bold red",
            )
        )
        return
    console.print(headed("WRITTEN", f" {done.bundle}", "bold green"), soft_wrap=True)


def _table(done: "Personalized") -> "Table":
    from rich.table import Table

    table = Table(title="The int8 model before and after")
    table.add_column("", overflow="fold")
    for name in ("before", "after", "of"):
        table.add_column(name, justify="right", no_wrap=True)

    def row(what: str, pair: "Pair | None", of: str) -> None:
        if pair is None:
            return
        shares = [f"{heard.right.estimate:.1%}" for heard in pair]
        table.add_row(what, *shares, f"{pair[0].right.exposure:.0f} {of}")

    compared = done.comparison
    row("your clips, kept back: recognised", compared.held_out, "clips")
    row("the same in noise", compared.in_noise, "copies")
    if compared.in_noise is not None:
        scores = [f"{heard.mean_score:.2f}" for heard in compared.in_noise]
        table.add_row("mean score of the keyword in noise", *scores, "")
    row("original test split: right", compared.original, "clips")
    wrong = [heard.false_positives for heard in compared.original]
    table.add_row(
        "original test split: taken for a keyword",
        *(f"{share.estimate:.1%}" for share in wrong),
        f"{wrong[0].exposure:.0f} others",
    )
    was, now = done.streams.before, done.streams.after
    table.add_row(
        "test streams: missed",
        f"{was['total']['miss_rate']['estimate'] or 0:.1%}",
        f"{now.total.miss_rate.estimate:.1%}",
        f"{now.total.words} words",
    )
    table.add_row(
        "test streams: false accepts",
        f"{was['total']['false_accepts_per_hour']['estimate']:.1f} /h",
        f"{now.total.false_accepts_per_hour.estimate:.1f} /h",
        f"{sum(now.hours.values()):.2f} h",
    )
    table.add_row(
        "threshold",
        f"{was['detector']['detection_threshold']:.3f}",
        f"{now.detector.detection_threshold:.3f}",
        "",
    )
    return table
