"""`kws spectrogram`: what a model would hear of a recording, drawn."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kws.errors import KwsError
from kws.terminal import echo

if TYPE_CHECKING:
    from kws.audio.read import Recording
    from kws.features.frontend import Frontend
    from kws.features.params import FeatureParams

ALL = ("spectrogram", "log_mel", "mfcc", "micro")
FIXED = "speech_mel"
"""Has a window, a hop and a band of its own, and so is drawn where it is asked for."""
OF_THE_BINS = ("feature_bin_count", "density_rate_hz", "decibel_floor")
"""Fields of a preset that mean something else, or nothing, to another frontend than its own."""


def spectrogram(
    file: Annotated[Path, typer.Argument(help="Recording: WAV, FLAC, Ogg, MP3, ...")],
    frontend: Annotated[
        list[str] | None,
        typer.Option(
            help=f"{', '.join(ALL)}, {FIXED} or all; may be repeated. "
            "Default: the preset's, else all.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Picture, PNG.")] = Path("spectrogram.png"),
    preset: Annotated[
        str | None,
        typer.Option(help="Take the section features of this preset (a name or a YAML file)."),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="A parameter, e.g. window_stride_ms=10, sample_rate=8000; repeatable."
        ),
    ] = None,
) -> None:
    """Draw a recording: its waveform, and below it what the frontends make of it.

    A recording of another kind is converted as it would be for training: to the frontend's sample
    rate, mono, 16 bits.
    """
    base = _base(preset)
    changes = _changes(set_ or ())
    names = _names(frontend, default=ALL if preset is None else (base.frontend,))
    chosen = [_create(base, name, changes) for name in names]
    params = chosen[0].params
    recording, words = _read(file, params.sample_rate)
    longest_ms = max(float(one.params.window_size_ms) for one in chosen)
    if len(recording.audio) < max(one.params.window_samples for one in chosen):
        length_ms = len(recording.audio) * 1000 / params.sample_rate
        raise KwsError(
            f"{file} is {length_ms:.0f} ms long: shorter than one window_size_ms={longest_ms:g}",
            hint="a longer recording, or --set window_size_ms=...",
        )

    from kws.report import feature_sheet

    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        feature_sheet.draw(recording.audio, chosen, file.name, words, out)
    except OSError as error:
        raise KwsError(f"{out} cannot be written: {error.strerror or error}") from error
    echo(f"{file}: {words}")
    for one in chosen:
        frames = one.params.frame_count(len(recording.audio))
        echo(f"  {one.params.frontend}: {frames:,} frames x {one.params.channels}")
    echo(f"drawn in {out}")


def _base(preset: str | None) -> "FeatureParams":
    if preset is None:
        from kws.features.params import FeatureParams

        return FeatureParams()
    from pipeline.config import load

    return load(preset).features


def _changes(settings: "list[str] | tuple[()]") -> dict[str, Any]:
    """`name=value` by name; a value is read as YAML reads it, as in `kws run --set`."""
    import yaml

    from kws.features.params import FeatureParams

    changes = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        name = name.removeprefix("features.")
        if not equals:
            raise KwsError(f"--set {setting}: not of the form name=value")
        if name not in FeatureParams.model_fields or name == "frontend":
            known = [field for field in FeatureParams.model_fields if field != "frontend"]
            raise KwsError(f"--set {name}: no such parameter", hint=f"one of {', '.join(known)}")
        try:
            changes[name] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise KwsError(f"--set {setting}: {value!r} is no value") from error
    return changes


def _names(asked: list[str] | None, default: tuple[str, ...]) -> list[str]:
    names: list[str] = []
    for name in asked or default:
        if name not in (*ALL, FIXED, "all"):
            raise KwsError(
                f"--frontend {name}: no such frontend",
                hint=f"one of {', '.join(ALL)}, {FIXED}, all",
            )
        names += ALL if name == "all" else [name]
    return list(dict.fromkeys(names))


def _create(base: "FeatureParams", name: str, changes: dict[str, Any]) -> "Frontend":
    """A frontend of the base's window, hop, band and rate; its bins, if it is another than its."""
    import pydantic

    from kws import features
    from kws.features import speech_mel
    from kws.features.params import FeatureParams

    values = base.model_dump()
    if name == FIXED != base.frontend:
        values = speech_mel.PARAMS.model_dump()
    elif name != base.frontend:
        values = {field: value for field, value in values.items() if field not in OF_THE_BINS}
    values |= changes
    # A clip's length is nothing to a picture.
    values["clip_duration_ms"] = max(values["clip_duration_ms"], 1000)
    try:
        if name == "spectrogram" and name != base.frontend:
            # Its bins follow from the window; a number that was set is meant for mel channels.
            window = FeatureParams(**{**values, "frontend": "log_mel"}).window_samples
            values["feature_bin_count"] = window // 2 + 1
        return features.create(FeatureParams(**{**values, "frontend": name}))
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise KwsError(f"{name}: {f'{field}: ' if field else ''}{message}") from error
    except KwsError as error:
        raise KwsError(f"{name}: {error.message}", hint=error.hint) from error


def _read(file: Path, sample_rate: int) -> "tuple[Recording, str]":
    """The recording, and what it was and became in words."""
    import soundfile

    from kws.audio.read import Unreadable, read

    try:
        recording = read(file, sample_rate)
        kind = soundfile.info(str(file)).subtype_info
    except Unreadable as error:
        raise KwsError(f"{file} cannot be read: {error}") from error
    rate, channels = recording.original_rate, recording.original_channels
    sound = {1: "mono", 2: "stereo"}.get(channels, f"{channels} channels")
    words = f"{len(recording.audio) / sample_rate:.2f} s, {rate:,} Hz, {sound}, {kind}"
    made = []
    if rate != sample_rate:
        made.append(f"{sample_rate:,} Hz")
    if channels != 1:
        made.append("mono")
    if kind != "Signed 16 bit PCM":
        made.append("16 bit")
    return recording, f"{words}; converted to {', '.join(made)}" if made else words
