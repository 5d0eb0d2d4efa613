"""`kws doctor`: whether this machine has what the product needs, and what to do if not."""

import dataclasses
import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from kws.terminal import Terminal, headed

COLOURS = {"ok": "green", "note": "yellow", "missing": "red"}


def doctor(
    out: Annotated[Path, typer.Option(help="Where runs would be written.")] = Path("runs"),
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of lines.")] = False,
) -> None:
    """Check the environment: Python, packages, folders, memory, ffmpeg, GPU.

    Nothing is changed. "note": only some commands are affected. Exit status: 1 if something that
    everything needs is missing.
    """
    from kws.doctor import examine

    findings = list(examine(out))
    missing = [finding for finding in findings if finding.state == "missing"]
    if json:
        typer.echo(json_module.dumps([dataclasses.asdict(one) for one in findings], indent=2))
        raise typer.Exit(1 if missing else 0)

    console = Terminal()
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        pad = " " * (len("missing") - len(finding.state))
        line = f"{pad}  {finding.name:<{width}}  {finding.found}"
        console.print(headed(finding.state, line, COLOURS[finding.state]), soft_wrap=True)
        if finding.advice:
            indent = " " * (len("missing") + width + 4)
            console.print(f"{indent}{finding.advice}", highlight=False, soft_wrap=True)
    raise typer.Exit(1 if missing else 0)
