"""`kws run`: the whole pipeline on this machine, with a live summary and one screen at the end."""

from pathlib import Path
from typing import Annotated

import typer

from kws.errors import KwsError
from kws.terminal import echo
from pipeline.cli import complete

REFUSED = 2
"""Exit status of a run whose model did not pass its gates."""
TIERS = {"small": "keyword", "windowed": "keyword_windowed", "large": "keyword_large"}
"""Presets of one keyword, by the devices that they are for."""


def run(
    preset: Annotated[
        str | None,
        typer.Option(
            help="Preset by name (`kws presets`), or a YAML file. Default: quickstart, and keyword "
            "where --keyword is given.",
            show_default=False,
            autocompletion=complete.presets,
        ),
    ] = None,
    keyword: Annotated[
        list[str] | None,
        typer.Option(
            help='Word or phrase to listen for, e.g. "ok toaster"; may be repeated. Nothing else '
            "is needed to try it: voices say it. For use, add recordings without it: docs/data.md.",
        ),
    ] = None,
    tier: Annotated[
        str | None,
        typer.Option(
            help="With --keyword, the device. small: any microcontroller (preset keyword). large: "
            "an ESP32-S3 or more; a pretrained speech embedding and heads in 0.6 MB, which misses "
            "fewer words (preset keyword_large). Default: small.",
            show_default=False,
            autocompletion=complete.tiers,
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Recordings: Speech Commands folder, .tar.gz or .zip. None: synthesize."),
    ] = None,
    with_: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            help="Public corpora by name, fetched if they are not there, e.g. "
            "librispeech-dev-clean,musan (kws corpus list); may be repeated.",
            autocompletion=complete.corpora,
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Metadata, artifacts, logs and bundles.")] = Path(
        "runs"
    ),
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override, e.g. training.epochs=5; may be repeated."),
    ] = None,
    fresh: Annotated[
        bool,
        typer.Option(
            "--fresh/--resume",
            help="--resume: a killed training (or search) goes on from its last checkpoint, to the "
            "same result. --fresh: it begins anew; steps that were finished are reused either way.",
        ),
    ] = False,
) -> None:
    """Run the pipeline: ingest, synthesize, train, convert, judge, and push if all gates pass.

    Exit status: 0 pushed (or nothing new to do), 2 judged and refused, 1 an error.

    A killed run is simply started again: finished steps are reused, training resumes from its last
    checkpoint (one every training.checkpoint_every_steps). With changed data or training settings
    it starts anew by itself; --fresh makes it so in any case.
    """
    from pipeline.cli import phrases
    from pipeline.cli.common import is_verbose
    from pipeline.cli.corpus import corpora_overrides
    from pipeline.config import load

    chosen = preset or _preset_of(tier, bool(keyword))
    # A --set of the user has the last word.
    overrides = [
        *(phrases.overrides(keyword) if keyword else ()),
        *corpora_overrides(with_),
        *(set_ or ()),
    ]
    if preset and tier:
        raise KwsError(
            f"--preset {preset} and --tier {tier} both choose a preset",
            hint=f"leave one out; tiers are {_tiers_in_words()}",
        )
    # What is wrong is refused before anything slow is imported.
    if data is not None and not data.exists():
        raise KwsError(f"{data} does not exist", hint="--data: a folder, .tar.gz or .zip")
    config = load(chosen, overrides, data)
    if keyword and config.data.has_voices:
        phrases.check_length(config.keywords, config.voices.max_word_ms)

    if config.data.has_voices:
        note = phrases.spelling_note(config.keywords)
        if note:
            echo(f"kws: {note}", err=True)

    from pipeline.runners.console import run_with_summary

    pushed = run_with_summary(chosen, overrides, data, out, is_verbose(), fresh)
    raise typer.Exit(0 if pushed else REFUSED)


def _preset_of(tier: str | None, has_keyword: bool) -> str:
    """The preset that is run where none is named.

    Raises:
      KwsError: a tier that is not known, or without a keyword.
    """
    if tier is None:
        return TIERS["small"] if has_keyword else "quickstart"
    if tier not in TIERS:
        raise KwsError(f"--tier {tier} is not known", hint=f"one of {_tiers_in_words()}")
    if not has_keyword:
        raise KwsError(
            f"--tier {tier} is for a keyword of your own, and none is given",
            hint='add --keyword "ok toaster"',
        )
    return TIERS[tier]


def _tiers_in_words() -> str:
    return ", ".join(f"{tier} (preset {preset})" for tier, preset in TIERS.items())
