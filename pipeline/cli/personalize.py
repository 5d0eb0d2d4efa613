"""`kws personalize`: a run's model fitted to one person's voice, by ten clips."""

from pathlib import Path
from typing import Annotated

import typer

from kws.terminal import Terminal, echo, printable

REFUSED = 2
"""Exit status where the new model is no better, or worse elsewhere."""
SHOWN_UNUSABLE = 5
CONFIG_FILE = "personal.yaml"


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
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="Override, e.g. training.learning_rate=0.0001; may be repeated."
        ),
    ] = None,
) -> None:
    """Fit a model to your own voice: ten clips of its keywords in, a table and a new bundle out.

    Record each keyword some ten times, a second or so each, as you would say it to the device: WAV,
    FLAC, Ogg or MP3, any rate. A folder that is named after another word, or _unknown_, teaches the
    model what not to wake up to.

    This is kws run with the preset personal: a pipeline of its own, in a folder below the run's,
    which may be killed and started again. The run's own artifacts are needed (float model, training
    examples, recordings, streams): what a run leaves in its folder. Some clips are kept back; the
    table shows how the int8 model hears them before and after, alone and in noise, and what became
    of the original test split and streams. A model that lost more than --max-drop there, or that
    fails the run's gates, is not pushed. The run's own bundles stay as they are.

    Exit status: 0 pushed, 2 judged and refused, 1 an error.
    """
    import yaml

    from kws import storage
    from kws.corpus.own_clips import read_clips
    from pipeline.cli.common import is_verbose
    from pipeline.config import PERSONAL, load, values_of
    from pipeline.runs import run_artifacts

    base = run_artifacts.find(place, run)
    name = f"{base.info['name']}-{PERSONAL}"
    source = {"name": "user", "own_clips": str(clips.resolve()), "keyword": keyword or ""}
    values = values_of(PERSONAL)
    values |= {
        "name": name,
        "seed": seed,
        "base": {"place": str(place.resolve()), **({"run": str(run.resolve())} if run else {})},
        "data": {"sources": [source]},
        "destination": str(out.resolve()) if out else f"{base.bundles}-{PERSONAL}",
    }
    values["noisy_copies"]["copies"] = copies
    values["training"] |= {"replay": replay, "epochs": epochs}
    values["evaluation"]["max_accuracy_drop_from_last"] = max_drop
    values["evaluation"]["every_class"]["max_false_positive_rate_rise_from_last"] = max_drop
    file = base.run / name / CONFIG_FILE
    storage.atomic_write(file, yaml.safe_dump(values, sort_keys=False, allow_unicode=True))

    # What is wrong with the clips is said before anything slow begins.
    config = load(str(file), set_ or ())
    (own,) = config.data.sources
    found = read_clips(clips, own.keyword, config.ingest, own.held_out_share)
    console = Terminal()
    if found.unusable:
        console.print(f"{len(found.unusable)} files could not be used:", style="yellow")
        for unusable, reason in list(found.unusable.items())[:SHOWN_UNUSABLE]:
            console.print(f"  {printable(unusable)}: {reason}", highlight=False)
    console.print(
        f"{found.keyword_clips} clips of keywords: {len(found.held_out)} kept back to judge by, "
        f"the others to learn from, with {copies} noisy copies each",
        highlight=False,
    )

    from pipeline.runners.console import run_with_summary

    pushed = run_with_summary(str(file), set_ or (), None, base.run, is_verbose())
    if not pushed:
        echo("More or clearer clips or fewer --epochs may help; --max-drop allows more.")
    raise typer.Exit(0 if pushed else REFUSED)
