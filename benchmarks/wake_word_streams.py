"""The streams that judge a wake word: recordings of it, and hours in which nobody says it."""

import functools
import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import soundfile

from kws.audio.splits import speaker_of
from kws.augment.activity import active_speech
from kws.augment.background import loop_period
from kws.errors import KwsError
from kws.labels import NEGATIVES_FOLDER
from kws.scenes.ground_truth import GroundTruth, Word
from kws.splits import EVAL, TEST

RATE = 16000
LEAD_S, TAIL_S = 1.5, 1.0
CHUNK_S = 600

SAID, SPEECH, SINGLE_WORDS = "recordings", "speech and sounds", "single words"

Heard = Iterator[tuple[np.ndarray, GroundTruth]]


def kinds(unpacked: Path, word: str) -> dict[str, Callable[[], Heard]]:
    """What makes each kind of stream; called again, the same streams again.

    Args:
      unpacked: see `benchmarks.wake_words`.
      word: that is said in the streams of kind `SAID` and in no other.

    Raises:
      KwsError: recordings are missing.
    """
    commands = unpacked / "speech_commands"
    sounds = [commands / NEGATIVES_FOLDER / split / "sounds.wav" for split in (EVAL, TEST)]
    speech = [unpacked / "negatives" / "librispeech_dev.wav", *sounds]
    others = _half_of_the_speakers(commands)
    said = unpacked / "wake_words" / word
    for path in speech:
        if not path.is_file():
            raise KwsError(
                f"{path} does not exist", hint="python -m benchmarks.recordings lays sounds out"
            )
    for folder, found in ((said, list(said.glob("*.wav"))), (commands, others)):
        if not found:
            raise KwsError(f"{folder} holds no WAV files that the benchmark uses")
    return {
        SAID: functools.partial(word_streams, said, word),
        SPEECH: functools.partial(negative_streams, speech, "speech-and-sounds"),
        SINGLE_WORDS: functools.partial(negative_streams, others, "single-words"),
    }


def word_streams(folder: Path, word: str) -> Heard:
    """One stream a recording, between loops of its own edges: a device hears no sudden start."""
    for path in sorted(folder.glob("*.wav")):
        audio, rate = soundfile.read(path, dtype="int16")
        assert rate == RATE, f"{path} is at {rate} Hz"
        said = active_speech(audio, RATE)
        before = audio[: max(1600, said.start - 3200)]
        after = audio[min(len(audio) - 1600, said.stop + 3200) :]
        lead = np.resize(loop_period(before), int(LEAD_S * RATE))
        tail = np.resize(loop_period(after), int(TAIL_S * RATE))
        start_ms = len(lead) * 1000 // RATE
        spoken = Word(
            label=word,
            word=word,
            start_ms=start_ms + said.start * 1000 // RATE,
            end_ms=start_ms + said.stop * 1000 // RATE,
            speaker=path.stem,
            source="recordings",
            clip_id=path.stem,
        )
        stream = np.concatenate([lead, audio, tail])
        yield stream, _truth(path.stem, stream, (spoken,))


def negative_streams(paths: Sequence[Path], name: str) -> Heard:
    """Recordings one after the other, in streams of ten minutes."""
    audio = np.concatenate([soundfile.read(path, dtype="int16")[0] for path in paths])
    for number, start in enumerate(range(0, len(audio), CHUNK_S * RATE)):
        chunk = audio[start : start + CHUNK_S * RATE]
        yield chunk, _truth(f"{name}-{number}", chunk, ())


def _truth(name: str, audio: np.ndarray, words: tuple[Word, ...]) -> GroundTruth:
    return GroundTruth(
        stream_id=name,
        kind="words" if words else "negatives",
        duration_ms=len(audio) * 1000 // RATE,
        sample_rate=RATE,
        words=words,
    )


def _half_of_the_speakers(folder: Path) -> list[Path]:
    """Speech Commands' clips of every other speaker, mixed."""
    paths = [
        path
        for path in sorted(folder.glob("[!_]*/*.wav"))
        if hashlib.sha1(speaker_of(path.name).encode()).digest()[0] % 2 == 0
    ]
    return [paths[i] for i in np.random.default_rng(1).permutation(len(paths))]
