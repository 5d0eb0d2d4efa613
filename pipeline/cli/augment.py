"""`kws augment show`: what each augmentation does to a recording, to see and to hear."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kws.errors import KwsError
from kws.terminal import Terminal, headed

if TYPE_CHECKING:
    import numpy as np

app = typer.Typer(help="Augmentation: rooms, speed, microphones and so on.", no_args_is_help=True)

RATE = 16000
WORD = "computer"
MARGIN_MS = 180
LONGEST_S = 4.0
NOISE_S = 10
BABBLE = ("the weather is fine today", "we will meet at the station", "nobody knows his name")


@app.callback()
def _group() -> None:
    """Keeps `show` a verb of its own while it is the only one."""


@app.command()
def show(
    file: Annotated[
        Path | None,
        typer.Argument(help=f"Recording, its first {LONGEST_S:g} s. None: a voice says a word."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for pictures and sounds.")] = Path("augment"),
    only: Annotated[
        list[str] | None, typer.Option(help="This augmentation alone; may be repeated.")
    ] = None,
    sounds: Annotated[bool, typer.Option(help="Write WAV files to listen to.")] = True,
    seed: Annotated[int, typer.Option(help="Of the noise and the microphone.")] = 0,
) -> None:
    """Draw and play every augmentation, before and after: a PNG and a WAV each, and an overview.

    What they are and how to turn them on in a run: docs/augmentation.md.
    """
    from kws.augment.gallery import examples
    from kws.report import augment_sheet as sheet
    from kws.scenes.wav import to_wav

    console = Terminal()
    before = _said(WORD) if file is None else _recording(file)
    made = examples(before, RATE, only=only or (), seed=seed)
    out.mkdir(parents=True, exist_ok=True)
    if sounds:
        (out / "original.wav").write_bytes(to_wav(before, RATE))
    for example in made:
        sheet.draw_example(before, example, RATE, out / f"{example.name}.png")
        if sounds:
            (out / f"{example.name}.wav").write_bytes(to_wav(example.audio, RATE))
        console.print(headed(f"{example.name:<12}", example.words), soft_wrap=True)
    if not only:
        sheet.draw_overview(before, made, RATE, out / "overview.png")
        sheet.draw_microphones(RATE, out / "microphones.png")
        sheet.draw_noises(_noises(seed), RATE, out / "noises.png")
    what = "pictures and sounds" if sounds else "pictures"
    start = "" if only else ", begin with overview.png"
    console.print(f"{what} are in {out}{start}", highlight=False, soft_wrap=True)


def _said(text: str) -> "np.ndarray":
    """int16 `[samples]`: the small voice says it, with a little silence around."""
    import numpy as np

    from kws.voices.engine import Request
    from kws.voices.hibari_engine import VOICE
    from kws.voices.pronounce import sentence, word
    from kws.voices.render import render

    say = sentence if " " in text else word
    audio = render(Request(engine="hibari", text=text, phonemes=say(text), voice=VOICE))
    return np.pad(audio, RATE * MARGIN_MS // 1000)


def _recording(file: Path) -> "np.ndarray":
    from kws.audio.read import Unreadable, read

    try:
        return read(file, RATE).audio[: int(LONGEST_S * RATE)]
    except Unreadable as error:
        raise KwsError(f"{file} cannot be read: {error}") from error


def _noises(seed: int) -> "dict[str, np.ndarray]":
    import numpy as np

    from kws.audio import noise
    from kws.voices.backgrounds import chatter

    rngs = np.random.default_rng(seed).spawn(4)
    n = NOISE_S * RATE
    speech = [_said(sentence) for sentence in BABBLE]
    return {
        "white": noise.white(n, rngs[0]),
        "pink": noise.pink(n, rngs[1]),
        "brown": noise.brown(n, rngs[2]),
        "babble": chatter(n, speech, rngs[3]),
    }
