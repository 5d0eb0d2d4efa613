"""`kws presets`: what comes with the product, and a preset in full."""

from typing import Annotated

import typer


def presets(
    name: Annotated[
        str | None, typer.Argument(help="Print this preset with every default.")
    ] = None,
) -> None:
    """List the presets, or print one in full: every key that a YAML file or --set may use."""
    import yaml

    from pipeline.config import load, preset_names

    if name is None:
        for preset in preset_names():
            typer.echo(f"{preset}: {', '.join(load(preset).keywords)}")
        return
    config = load(name).model_dump(mode="json")
    typer.echo(yaml.safe_dump(config, sort_keys=False, default_flow_style=None, width=100))
