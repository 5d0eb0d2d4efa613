"""`kws presets`: what comes with the product, and a preset in full."""

import json as json_module
from typing import Annotated

import typer

from kws.terminal import echo
from pipeline.cli import complete


def presets(
    name: Annotated[
        str | None,
        typer.Argument(
            help="Print this preset with every default.", autocompletion=complete.presets
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False,
) -> None:
    """List the presets, or print one in full: every key that a YAML file or --set may use."""
    import yaml

    from pipeline.config import load, preset_names

    if name is None:
        if json:
            keywords = {preset: list(load(preset).keywords) for preset in preset_names()}
            typer.echo(json_module.dumps(keywords, indent=2))
            return
        for preset in preset_names():
            echo(f"{preset}: {', '.join(load(preset).keywords)}")
        return
    config = load(name).model_dump(mode="json")
    if json:
        typer.echo(json_module.dumps(config, indent=2))
        return
    typer.echo(yaml.safe_dump(config, sort_keys=False, default_flow_style=None, width=100))
