"""`kws bundle`: which versions were pushed, whether they are whole, and which one is served."""

import json as json_module
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from kws.errors import KwsError
from kws.terminal import Terminal, echo

app = typer.Typer(
    help="Pushed bundles: list them, check them, choose which one is served.",
    no_args_is_help=True,
)

Destination = Annotated[
    str,
    typer.Argument(help="Folder of versions, e.g. runs/quickstart/bundles, or gs://…, s3://…"),
]


@app.command("list")
def list_(
    destination: Destination,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """All versions, the oldest first; a star marks the one that is served."""
    from kws.bundle import versions

    found = versions.list_versions(destination)
    if json:
        rows = [vars(version) | {"keywords": list(version.keywords)} for version in found]
        typer.echo(json_module.dumps(rows, indent=2))
        return
    table = Table("", box=box.SIMPLE)
    # Never cut: it is what promote is given.
    table.add_column("version", no_wrap=True)
    table.add_column("created", no_wrap=True)
    table.add_column("flash, bytes", justify="right")
    table.add_column("arena, bytes", justify="right")
    table.add_column("keywords")
    for version in found:
        table.add_row(
            "*" if version.served else "",
            version.name,
            version.created,
            f"{version.model_bytes:,}",
            f"{version.arena_bytes:,}",
            ", ".join(version.keywords),
        )
    Terminal().print(table if found else f"{destination} holds no version", highlight=False)


@app.command()
def verify(
    place: Annotated[
        str, typer.Argument(help="A bundle, or a folder of versions (or gs://…, s3://…): then all.")
    ],
    json: Annotated[
        bool, typer.Option("--json", help="Print JSON: what is wrong with each, null if whole.")
    ] = False,
) -> None:
    """Checksums, manifest, and that the model gives its test vectors' outputs, bit for bit."""
    from kws.bundle import publishing, versions

    if (Path(place) / "manifest.json").is_file():
        publishing.verify(place)
        whole = json_module.dumps({Path(place).name: None}, indent=2)
        echo(whole if json else f"{place}: whole")
        return
    found = versions.broken(place)
    if not found:
        raise KwsError(f"{place} holds no bundle")
    if json:
        typer.echo(json_module.dumps(found, indent=2))
    else:
        for name, reason in found.items():
            echo(f"{name}: {'whole' if reason is None else f'BROKEN: {reason}'}")
    count = sum(reason is not None for reason in found.values())
    if count:
        raise KwsError(f"{count} of {len(found)} are broken")


@app.command()
def promote(
    destination: Destination,
    version: Annotated[str, typer.Argument(help="The version to serve: see `kws bundle list`.")],
) -> None:
    """Serve this version from now on. It is checked first; nothing is deleted."""
    from kws.bundle import versions

    versions.promote(destination, version)
    echo(f"{destination} serves {version}")


@app.command()
def rollback(destination: Destination) -> None:
    """Serve the version before the one served now. It is checked first; nothing is deleted."""
    from kws.bundle import versions

    before = versions.served(destination)
    now = versions.rollback(destination)
    echo(f"{destination} serves {now} again, no longer {before}")
