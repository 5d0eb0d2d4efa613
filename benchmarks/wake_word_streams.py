"""The streams that judge a wake word: it in five conditions, hours without it, and near misses."""

import csv
import functools
import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import soundfile

from kws.augment.chain import in_room
from kws.augment.level import active_speech, amplitude, rms
from kws.augment.rooms import room_bank
from kws.augment.seed import generator
from kws.augment.surroundings import cut_background, cut_speech, loop_period
from kws.corpus.splits import speaker_of
from kws.errors import KwsError
from kws.labels import BACKGROUND_FOLDER, NEGATIVES_FOLDER
from kws.scenes.ground_truth import GroundTruth, Word
from kws.splits import EVAL, TEST
from kws.voices import engines, render, speaker_splits
from kws.voices.confusables import near_words
from kws.voices.engine import Request
from kws.voices.params import VoicesParams
from kws.voices.render import ClipCache, default_folder

RATE = 16000
LEAD_S, TAIL_S = 2.5, 1.0
"""Before a recording, as long as a model takes to hear anything, and after it."""
CHUNK_S = 600
LOUDEST = 32000.0

QUIET, PINK, DISHES, BABBLE, ROOM = (
    "quiet", "pink noise 20 dB", "dishes 10 dB", "babble 10 dB", "room",
)  # fmt: skip
CONDITIONS = (QUIET, PINK, DISHES, BABBLE, ROOM)
SPEECH, SINGLE_WORDS = "speech and sounds", "single words"
NEGATIVES = (SPEECH, SINGLE_WORDS)
NOISES = {PINK: ("pink_noise", 20.0), DISHES: ("doing_the_dishes", 10.0)}
"""Recordings of Speech Commands, and the SNR; they are in no training."""
BABBLE_TALKERS, BABBLE_SNR_DB = 4, 10.0
ROOMS, SEED = 30, 99

Heard = Iterator[tuple[np.ndarray, GroundTruth]]


def kinds(unpacked: Path, word: str) -> dict[str, Callable[[], Heard]]:
    """What makes each kind of stream; called again, the same streams again.

    Args:
      unpacked: see `benchmarks.wake_words`.
      word: the keyword; only the streams of `CONDITIONS` contain it.

    Raises:
      KwsError: recordings are missing.
    """
    commands = unpacked / "speech_commands"
    noises = {name: commands / BACKGROUND_FOLDER / f"{name}.wav" for name, _ in NOISES.values()}
    sounds = [commands / NEGATIVES_FOLDER / split / "sounds.wav" for split in (EVAL, TEST)]
    speech = [unpacked / "negatives" / "librispeech_dev.wav", *sounds]
    others = _half_of_the_speakers(commands)
    said = unpacked / "wake_words" / word
    for path in (*speech, unpacked / "negatives" / "librispeech_index.tsv", *noises.values()):
        if not path.is_file():
            raise KwsError(
                f"{path} does not exist", hint="python -m benchmarks.recordings lays sounds out"
            )
    for folder, found in ((said, list(said.glob("*.wav"))), (commands, others)):
        if not found:
            raise KwsError(f"{folder} holds no WAV files that the benchmark uses")
    return {
        **{c: functools.partial(word_streams, unpacked, word, c) for c in CONDITIONS},
        SPEECH: functools.partial(negative_streams, speech, "speech-and-sounds"),
        SINGLE_WORDS: functools.partial(negative_streams, others, "single-words"),
    }


def word_streams(unpacked: Path, word: str, condition: str = QUIET) -> Heard:
    """One stream a recording, between loops of its own edges: a device hears no sudden start."""
    change = _condition(unpacked, condition)
    for path in sorted((unpacked / "wake_words" / word).glob("*.wav")):
        audio = _read(path)
        said = active_speech(audio, RATE)
        before = audio[: max(1600, said.start - 3200)]
        after = audio[min(len(audio) - 1600, said.stop + 3200) :]
        lead = np.resize(loop_period(before), int(LEAD_S * RATE))
        tail = np.resize(loop_period(after), int(TAIL_S * RATE))
        stream = np.concatenate([lead, audio, tail])
        active = slice(len(lead) + said.start, len(lead) + said.stop)
        changed = change(stream, active, generator(SEED, condition, path.stem))
        spoken = Word(
            label=word,
            word=word,
            start_ms=active.start * 1000 // RATE,
            end_ms=active.stop * 1000 // RATE,
            speaker=path.stem,
            source="recordings",
            clip_id=path.stem,
        )
        yield changed, _truth(path.stem, changed, (spoken,))


def negative_streams(paths: Sequence[Path], name: str) -> Heard:
    """Recordings one after the other, in streams of ten minutes."""
    audio = np.concatenate([_read(path) for path in paths])
    for number, start in enumerate(range(0, len(audio), CHUNK_S * RATE)):
        chunk = audio[start : start + CHUNK_S * RATE]
        yield chunk, _truth(f"{name}-{number}", chunk, ())


def near_miss_streams(word: str, count: int, voices: VoicesParams) -> Heard:
    """Phrases that sound like the word, in faint noise, each said by one of the test voices."""
    cache = ClipCache(default_folder())
    speakers = speaker_splits.cast(voices)[TEST]
    for number, near in enumerate(near_words(word, count)):
        request = Request(
            engine=engines.KOKORO,
            text=near.text,
            phonemes=near.phonemes,
            voice=speakers[number % len(speakers)],
        )
        clip = cache.get(render.key(request))
        if clip is None:
            clip = render.render(request)
            cache.put(render.key(request), clip)
        parts = np.zeros(int(LEAD_S * RATE)), clip.astype(float), np.zeros(int(TAIL_S * RATE))
        stream = np.concatenate(parts)
        stream += generator(SEED, "near", near.text).normal(0, 10, len(stream))
        audio = np.rint(stream).clip(-32768, 32767).astype(np.int16)
        yield audio, _truth(near.text, audio, ())


Change = Callable[[np.ndarray, slice, np.random.Generator], np.ndarray]
"""A recording int16 `[samples]` and where in it the word is -> the same in a condition."""


def _condition(unpacked: Path, condition: str) -> Change:
    if condition == QUIET:
        return lambda audio, active, rng: audio
    if condition == ROOM:
        rooms = room_bank(SEED, TEST, ROOMS)

        def reverberated(audio: np.ndarray, active: slice, rng: np.random.Generator) -> np.ndarray:
            room = rooms[int(rng.integers(len(rooms)))]
            return _int16(in_room(audio.astype(np.float32), active, room))

        return reverberated
    if condition == BABBLE:
        talkers = _talkers(unpacked / "negatives")

        def in_babble(audio: np.ndarray, active: slice, rng: np.random.Generator) -> np.ndarray:
            who = rng.permutation(len(talkers))[:BABBLE_TALKERS]
            speech = [cut_speech([talkers[i]], len(audio), rng) for i in who]
            return _over(audio, active, np.sum(speech, axis=0), BABBLE_SNR_DB)

        return in_babble
    name, snr_db = NOISES[condition]
    noise = _read(unpacked / "speech_commands" / BACKGROUND_FOLDER / f"{name}.wav")

    def over_noise(audio: np.ndarray, active: slice, rng: np.random.Generator) -> np.ndarray:
        return _over(audio, active, cut_background(noise, len(audio), rng), snr_db)

    return over_noise


def _over(audio: np.ndarray, active: slice, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """The recording over noise that is `snr_db` below the word."""
    gain = rms(audio[active]) / max(rms(noise), 1e-3) / amplitude(snr_db)
    return _int16(audio.astype(np.float32) + noise.astype(np.float32) * np.float32(gain))


def _int16(audio: np.ndarray) -> np.ndarray:
    """Turned down where a peak would not fit."""
    return np.rint(audio * min(1.0, LOUDEST / float(np.abs(audio).max(initial=1.0)))).astype(
        np.int16
    )


def _talkers(negatives: Path) -> list[np.ndarray]:
    """What each speaker of LibriSpeech's evaluation part says, int16.

    Raises:
      KwsError: there are fewer than babble asks for.
    """
    audio = _read(negatives / "librispeech_dev.wav")
    spans: dict[str, list[np.ndarray]] = {}
    with (negatives / "librispeech_index.tsv").open(newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if row["group"] == "dev":
                start = round(float(row["start_s"]) * RATE)
                stop = start + round(float(row["dur_s"]) * RATE)
                spans.setdefault(row["speaker"], []).append(audio[start:stop])
    if len(spans) < BABBLE_TALKERS:
        raise KwsError(
            f"{negatives}: librispeech_dev.wav has {len(spans)} speakers, babble needs "
            f"{BABBLE_TALKERS}"
        )
    return [np.concatenate(spans[speaker]) for speaker in sorted(spans)]


def _read(path: Path) -> np.ndarray:
    audio, rate = soundfile.read(path, dtype="int16")
    assert rate == RATE, f"{path} is at {rate} Hz"
    return audio


def _truth(name: str, audio: np.ndarray, words: tuple[Word, ...]) -> GroundTruth:
    return GroundTruth(
        stream_id=name,
        kind="words" if words else "negatives",
        duration_ms=len(audio) * 1000 // RATE,
        sample_rate=RATE,
        words=words,
    )


def is_tested(path: Path) -> bool:
    """Whether a clip of Speech Commands is by one of the half of the speakers whose words are
    negatives here; the others' may be learnt from."""
    return hashlib.sha1(speaker_of(path.name).encode()).digest()[0] % 2 == 0


def _half_of_the_speakers(folder: Path) -> list[Path]:
    """Speech Commands' clips of every other speaker, mixed."""
    paths = [path for path in sorted(folder.glob("[!_]*/*.wav")) if is_tested(path)]
    return [paths[i] for i in np.random.default_rng(1).permutation(len(paths))]
