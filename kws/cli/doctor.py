"""`kws doctor`: is everything here that the product needs, and what to do where it is not."""

import dataclasses
import json as json_module
from typing import Annotated

import typer

from kws.terminal import Terminal, headed

COLOURS = {"ok": "green", "note": "yellow", "missing": "red"}
DEMO_PORT = 8765


def doctor(
    out: Annotated[str, typer.Option(help="Where runs would be written.")] = "runs",
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of lines.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Only what is not in order.")] = False,
) -> None:
    """Check the environment: packages, compiler, ffmpeg, disk, memory, GPU, microphone, ports.

    Nothing is changed. "note": only some verbs suffer. Exit status: 1 if something needed is
    missing.
    """
    from kws.doctor import examine

    findings = examine(out, DEMO_PORT)
    missing = [finding for finding in findings if finding.state == "missing"]
    shown = [finding for finding in findings if finding.state != "ok"] if quiet else findings
    if json:
        typer.echo(json_module.dumps([dataclasses.asdict(one) for one in shown], indent=2))
        raise typer.Exit(1 if missing else 0)

    console = Terminal()
    width = max((len(finding.name) for finding in findings), default=0)
    for finding in shown:
        pad = " " * (len("missing") - len(finding.state))
        colour = COLOURS[finding.state]
        line = f"{pad}  {finding.name:<{width}}  {finding.found}"
        console.print(headed(finding.state, line, colour), soft_wrap=True)
        if finding.advice:
            indent = " " * (len("missing") + width + 4)
            console.print(f"{indent}{finding.advice}", highlight=False, soft_wrap=True)
    if not quiet:
        said = "nothing needed is missing" if not missing else f"needed and missing: {len(missing)}"
        console.print(said, highlight=False)
    raise typer.Exit(1 if missing else 0)
