"""A phrase said by many voices, as a folder that one can listen to.

In it there are

    <voice>.wav                         16 kHz mono 16-bit
    near-words/<text>__<voice>.wav      what sounds alike, where asked for, a voice each
    voices.csv                          every file: text, kind, engine, voice, speed, milliseconds
    README.txt                          what this is and whose voices these are
"""

import csv
import dataclasses
import hashlib
import io
from pathlib import Path

import numpy as np

from kws.errors import KwsError
from kws.voices import engines, piper_engine, pronounce, render, speaker_splits
from kws.voices.confusables import near_words
from kws.voices.engine import Request
from kws.voices.render import ClipCache, default_folder
from kws.voices.speaker_splits import file_name

LISTING_FILE = "voices.csv"
README_FILE = "README.txt"
NEAR_FOLDER = "near-words"
COLUMNS = ("file", "text", "kind", "engine", "voice", "speed", "milliseconds")
PHRASE = "phrase"
README = """\
{text!r} said by {count} voices, made by `kws say`. {listing} lists the files.

All audio is synthesized; nobody was recorded for it. {whose}
"""
KOKORO_VOICES = """\
Voices: Kokoro-82M by hexgrad, Apache License 2.0. A name with + is a mix of two of its voices."""
OTHER_VOICES = "Voices: {version}; their licence is that of the program or voice file."


@dataclasses.dataclass(frozen=True, kw_only=True)
class Said:
    """What `say` wrote: the folder, the number of files, and their length together."""

    folder: Path
    files: int
    audio_s: float


def say(
    text: str,
    folder: Path,
    voices: int,
    near: int = 0,
    speed: tuple[float, float] = (1.0, 1.0),
    seed: int = 0,
    engine: str = engines.KOKORO,
    cache_dir: Path | None = None,
    workers: int = 1,
    progress: render.Progress | None = None,
) -> Said:
    """Says the phrase by so many speakers, and so many near-words of it, into a folder.

    Args:
      text: a word or short phrase.
      folder: new, empty, or written by `say` before: then its files of that time are replaced.
      voices: speakers; single voices first, then mixes of two.
      near: near-words, each by one of the speakers in turn.
      speed: range that is drawn from; 1 is normal.
      seed: of the speeds and the near-words.
      engine: "kokoro", an optional engine, or the path of a Piper voice.
      cache_dir: where clips are kept for the next time; see `cache.default_folder`.
      workers: processes that synthesize.
      progress: see `render.Progress`.

    Raises:
      KwsError: for a phrase that cannot be said, more voices than there are, an engine that is not
        installed, or a folder that holds something else.
    """
    speakers = _speakers(engine, voices)
    requests = _requests(text, speakers, near, speed, seed)
    before = _listed(folder)
    cache = ClipCache(default_folder() if cache_dir is None else cache_dir)
    render.synthesize([request for _, _, request in requests], cache.folder, workers, progress)

    for name in before:
        (folder / name).unlink(missing_ok=True)
    rows = []
    samples = 0
    for name, kind, request in requests:
        clip = cache.get(render.key(request))
        if clip is None:  # damaged since it was made, a moment ago
            clip = render.render(request)
        _write_new(folder / name, clip)
        samples += len(clip)
        milliseconds = len(clip) * 1000 // render.SAMPLE_RATE
        rows.append(
            (name, request.text, kind, request.engine, request.voice, request.speed, milliseconds)
        )
    listing = io.StringIO()
    csv.writer(listing, lineterminator="\n").writerows([COLUMNS, *rows])
    (folder / LISTING_FILE).write_text(listing.getvalue(), "utf-8")
    version = engines.version(*speakers[0])
    whose = KOKORO_VOICES if engine == engines.KOKORO else OTHER_VOICES.format(version=version)
    readme = README.format(text=text, count=len(speakers), listing=LISTING_FILE, whose=whose)
    (folder / README_FILE).write_text(readme, "utf-8")
    return Said(folder=folder, files=len(rows), audio_s=samples / render.SAMPLE_RATE)


def _speakers(engine: str, count: int) -> list[tuple[str, str]]:
    """Engine and voice of each speaker."""
    if engine == engines.KOKORO:
        return [(engine, voice) for voice in speaker_splits.speakers(count)]
    if engine in engines.PROGRAMS:
        voices = engines.program(engine).voices()
    elif engine.endswith(".onnx"):
        voices, engine = piper_engine.voices(Path(engine)), engines.PIPER
    else:
        raise KwsError(
            f"voice engine {engine!r} is unknown",
            hint=f"{engines.KOKORO}, {', '.join(engines.PROGRAMS)} or a Piper voice's .onnx file",
        )
    # Asked for more than a program has: all of them. Only Kokoro can mix new ones.
    return [(engine, voice) for voice in voices[:count]]


def _requests(
    text: str,
    speakers: list[tuple[str, str]],
    near: int,
    speed: tuple[float, float],
    seed: int,
) -> list[tuple[str, str, Request]]:
    """File name, kind and request of each clip."""
    phrase = pronounce.word(text)
    said = [(f"{file_name(*speaker)}.wav", PHRASE, text, phrase, speaker) for speaker in speakers]
    for place, word in enumerate(near_words(text, near, seed)):
        speaker = speakers[place % len(speakers)]
        name = f"{NEAR_FOLDER}/{word.text}__{file_name(*speaker)}.wav"
        said.append((name, word.kind, word.text, word.phonemes, speaker))
    rng = np.random.default_rng(
        int.from_bytes(hashlib.sha256(f"{seed}\0{text}".encode()).digest()[:8], "big")
    )
    return [
        (
            name,
            kind,
            Request(
                engine=engine,
                text=words,
                phonemes=phonemes,
                voice=voice,
                speed=round(float(rng.uniform(*speed)), 2),
            ),
        )
        for name, kind, words, phonemes, (engine, voice) in said
    ]


def _listed(folder: Path) -> list[str]:
    """The files that `say` wrote here before; none in a new or empty folder."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return []
    try:
        with (folder / LISTING_FILE).open(encoding="utf-8", newline="") as lines:
            reader = csv.DictReader(lines)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise ValueError("other columns")
            names = [row["file"] for row in reader]
    except (OSError, ValueError) as error:
        raise KwsError(
            f"{folder} is there and was not written by kws say",
            hint="choose another folder with --out",
        ) from error
    # A listing that somebody wrote by hand must not make us delete elsewhere.
    return [n for n in names if (folder / n).resolve().is_relative_to(folder.resolve())]


def _write_new(path: Path, clip: np.ndarray) -> None:
    import soundfile

    if path.exists():
        raise KwsError(f"{path} is there and is not ours", hint="choose another folder with --out")
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, clip, render.SAMPLE_RATE, format="WAV", subtype="PCM_16")
