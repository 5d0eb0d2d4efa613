"""`kws lineage`: from a bundle back to gates, model, training, clips, code and configuration."""

import json as json_module
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kws.errors import KwsError
from kws.terminal import Terminal, echo

if TYPE_CHECKING:
    from rich.tree import Tree

    from pipeline.runs.lineage import Check, Made

_SIGNS = {True: "agrees", False: "DIFFERS", None: "not known"}


def lineage(
    bundle: Annotated[
        str,
        typer.Argument(help="A bundle, or a folder of versions (or gs://…, s3://…): the served."),
    ],
    metadata: Annotated[
        Path | None,
        typer.Option(
            help="The run's folder, its metadata.sqlite or its metadata.json. "
            "Default: the run that the bundle lies in.",
            show_default=False,
        ),
    ] = None,
    clips: Annotated[
        Path | None,
        typer.Option(
            help="Write every clip to this .csv or .jsonl (clip_id, word, label, speaker, source, "
            "split), and check them against the bundle."
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a tree.")] = False,
) -> None:
    """What a bundle was made of: its gates, model, training, clips, code and configuration.

    The bundle says so itself (lineage.json). Where its run's ML Metadata is at hand, the artifacts
    are followed back from the push and held against what the bundle says; exit status 1 if they
    differ.

    Example: kws lineage runs/quickstart/bundles --clips clips.csv
    """
    from kws.bundle import destination
    from kws.bundle import lineage as bundles
    from kws.bundle.destinations import bundle_folder
    from kws.bundle.publishing import EVALUATION_FILE
    from kws.gates import Gate
    from kws.report import lineage_tree

    folder = bundle_folder(bundle).resolve()
    destination.verify_checksums(folder)
    told = bundles.read(folder)
    evaluation = json_module.loads((folder / EVALUATION_FILE).read_text())
    gates = [Gate(**gate) for gate in evaluation["gates"]]
    traced, checks = _follow(folder, metadata)
    if clips is not None:
        checks += _list_clips(told, traced, clips)
    if json:
        typer.echo(json_module.dumps(_as_dict(folder, told, evaluation, traced, checks), indent=2))
    else:
        tree = lineage_tree.tree(f"bundle {folder.name}: {folder}", told, gates)
        if traced is None:
            tree.add("ML Metadata: not at hand; name it: --metadata runs/NAME")
        else:
            _grow(tree.add("ML Metadata: artifact #id, made by a step"), traced, set())
            branch = tree.add("the bundle and the run")
            for check in checks:
                branch.add(f"{check.what}: {_SIGNS[check.agrees]} ({check.detail})")
        # In a file or a pipe nobody reads columns: an address stays in one line.
        Terminal(width=None if sys.stdout.isatty() else 1000).print(tree, highlight=False)
        if clips is not None:
            echo(f"clips: {clips}")
    wrong = [check.what for check in checks if check.agrees is False]
    if wrong:
        raise KwsError(f"{folder} and its run do not agree: {', '.join(wrong)}")


def _follow(folder: Path, metadata: Path | None) -> "tuple[Made | None, list[Check]]":
    from pipeline import metadata_store
    from pipeline.runs import lineage as traces

    if metadata is None:
        place = metadata_store.find(folder.parents[1])
        if place is None:
            return None, []
    else:
        found = metadata_store.find(metadata) if metadata.is_dir() else metadata
        if found is None:
            raise KwsError(f"{metadata}: no run has been here", hint="give the folder of a run")
        place = found
    traced = traces.trace(place, folder.name)
    return traced, traces.checks(folder, traced)


def _list_clips(told: dict[str, Any] | None, traced: "Made | None", file: Path) -> "list[Check]":
    from pipeline.runs import lineage as traces
    from pipeline.runs.lineage import check_clips, write_clips

    ingested = None if traced is None else traces.ingested(traced)
    if ingested is None:
        raise KwsError(
            "the clips are listed from the run's audio examples, and no run is at hand",
            hint="name it: --metadata runs/NAME",
        )
    return check_clips(told, write_clips(Path(ingested.uri), file))


def _grow(branch: "Tree", made: "Made", seen: set[int]) -> None:
    text = f"{made.key} #{made.id} ({made.type}), by {made.step} #{made.execution}"
    if made.id in seen:
        branch.add(f"{text}: see above")
        return
    seen.add(made.id)
    version = f", of version {made.version}" if made.version else ""
    child = branch.add(f"{text}: {made.uri}{version}")
    for one in made.inputs:
        _grow(child, one, seen)


def _as_dict(
    folder: Path,
    told: dict[str, Any] | None,
    evaluation: dict[str, Any],
    traced: "Made | None",
    checks: "list[Check]",
) -> dict[str, Any]:
    return {
        "bundle": str(folder),
        "gates": evaluation["gates"],
        "lineage": told,
        "metadata": None if traced is None else traced.to_dict(),
        "checks": [vars(check) for check in checks],
    }
