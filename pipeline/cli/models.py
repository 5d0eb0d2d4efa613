"""`kws models`: the zoo, and what each of it costs."""

import dataclasses
import json as json_module
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from kws.errors import KwsError
from kws.terminal import Terminal
from pipeline.cli import complete

if TYPE_CHECKING:
    from kws.features.params import FeatureParams
    from kws.models.params import ModelParams
    from kws.runtime.footprint import Footprint

LABELS = 10
"""Outputs of the models that are listed: eight keywords, `_unknown_` and `_silence_`."""


def models(
    name: Annotated[
        str | None,
        typer.Argument(help="Only this one, in all its variants.", autocompletion=complete.models),
    ] = None,
    measure: Annotated[
        bool,
        typer.Option(
            "--measure",
            help="Convert to int8 and run in TensorFlow Lite Micro for bytes and arena: some "
            "seconds a model, the first time.",
        ),
    ] = False,
    hop_ms: Annotated[int, typer.Option(help="Between frames.")] = 20,
    channels: Annotated[int, typer.Option(help="Of the features.")] = 40,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List the models with their parameters, multiply-adds, receptive field and kind.

    A streaming model's multiply-adds are those of one step, a windowed one's those of a clip. What
    has once been built or measured is kept and listed at once: bytes and arena too.
    """
    import pydantic

    from kws.features.params import FeatureParams
    from kws.runtime import footprint

    try:
        features = FeatureParams(window_stride_ms=hop_ms, feature_bin_count=channels)
    except pydantic.ValidationError as error:
        raise KwsError(error.errors()[0]["msg"]) from error
    chosen = footprint.members()
    if name is not None:
        from kws.models import registry

        registry.architecture(name)
        chosen = [params for params in chosen if params.name == name]
    with Terminal(stderr=True).status("") as status:
        found, refused = _footprints(chosen, features, status.update, measured=measure)
    if json:
        rows = [dataclasses.asdict(figures) for figures in found]
        typer.echo(json_module.dumps({"models": rows, "refused": refused}, indent=2))
        return
    console = Terminal()
    frames, channels = features.feature_shape
    title = f"{frames} frames x {channels} channels, {LABELS} labels"
    console.print(_table(found, title, hop_ms))
    if any(row.int8_bytes is not None for row in found):
        console.print(
            "ms of an inference: estimated, perhaps twice or half of it; docs/device.md says how",
            highlight=False,
        )
    if any(row.int8_bytes is None for row in found):
        console.print("bytes and arena of an int8 model: kws models --measure", highlight=False)
    for which, reason in refused.items():
        console.print(f"{which}: {reason}", highlight=False, markup=False)


_DEVICES = ("esp32-s3", "cortex-m4f")
"""Whose latencies are shown; see `kws.runtime.targets`."""


def _footprints(
    chosen: "list[ModelParams]",
    features: "FeatureParams",
    tell: Callable[[str], None],
    *,
    measured: bool,
) -> "tuple[list[Footprint], dict[str, str]]":
    """The figures of those that such features fit, and why the others refuse them."""
    from kws.runtime import footprint

    found, refused = [], {}
    for params in chosen:
        title = _title(params.name, params.variant)
        tell(f"{'measuring' if measured else 'building'} {title}")
        try:
            found.append(footprint.cached_footprint(params, features, LABELS, measured=measured))
        except KwsError as error:
            refused[title] = str(error)
    return found, refused


def _title(name: str, variant: str | None) -> str:
    return name if variant is None else f"{name} {variant}"


def _table(found: "list[Footprint]", title: str, hop_ms: int) -> Table:
    from kws.runtime.targets import in_ms

    table = Table(title=title)
    table.add_column("model")
    table.add_column("kind")
    for heading in ("parameters", "multiply-adds", "every", "hears"):
        table.add_column(heading, justify="right")
    if any(row.int8_bytes is not None for row in found):
        table.add_column("int8 KB", justify="right")
        table.add_column("arena KB", justify="right")
        for device in _DEVICES:
            table.add_column(device, justify="right")
    for row in found:
        cells = [
            _title(row.name, row.variant),
            "streaming" if row.streaming else "windowed",
            f"{row.parameters:,}",
            f"{row.macs:,}",
            f"{row.frames_per_inference * hop_ms} ms" if row.streaming else "clip",
            f"{row.receptive_field_frames} frames",
        ]
        if row.int8_bytes is not None and row.arena_bytes is not None:
            cells += [f"{row.int8_bytes / 1000:,.1f}", f"{row.arena_bytes / 1000:,.1f}"]
            cells += [in_ms(row.latency_ms(device) or 0.0) for device in _DEVICES]
        table.add_row(*cells)
    return table
