"""`kws say`: hear a phrase, and what sounds like it, from many voices before training on them."""

import os
from pathlib import Path
from typing import Annotated

import typer

from kws.terminal import Terminal


def say(
    text: Annotated[str, typer.Argument(help='Word or short phrase, e.g. "ok toaster".')],
    voices: Annotated[
        int, typer.Option(min=1, help="Speakers: 45 single voices, then mixes of two.")
    ] = 20,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder to make. Default: said-<phrase>.", show_default=False),
    ] = None,
    near_words: Annotated[
        int, typer.Option(min=0, max=500, help="So many words that sound alike, a voice each.")
    ] = 0,
    speed: Annotated[
        tuple[float, float], typer.Option(help="Slowest and fastest; 1 is normal.")
    ] = (1.0, 1.0),
    engine: Annotated[
        str,
        typer.Option(help="kokoro, espeak, or a Piper voice's .onnx file."),
    ] = "kokoro",
    seed: Annotated[int, typer.Option(help="Of speeds and near-words.")] = 0,
) -> None:
    """Say a phrase by many voices into a folder of WAV files to listen to.

    A folder that was made by this command before is made anew; any other is left alone.
    """

    from kws.errors import KwsError
    from kws.voices import say as voices_say
    from pipeline.cli import phrases
    from pipeline.runners.terminal_progress import source_bar

    if not 0.5 <= speed[0] <= speed[1] <= 2.0:
        raise KwsError(f"--speed {speed[0]} {speed[1]} must rise, between 0.5 and 2")
    text = " ".join(text.split())
    folder = Path(f"said-{phrases.name_of([text])}") if out is None else out
    console = Terminal()
    note = phrases.spelling_note([text])
    if note:
        console.print(note, style="yellow", highlight=False, soft_wrap=True)
    with source_bar(console) as progress:
        said = voices_say.say(
            text,
            folder,
            voices,
            near=near_words,
            speed=speed,
            seed=seed,
            engine=engine,
            workers=os.cpu_count() or 1,
            progress=progress,
        )
    console.print(
        f"{said.files} files, {said.audio_s:.1f} s in all: {said.folder}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
