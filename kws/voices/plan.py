"""Plans the synthesized corpus: every utterance with its speaker, accent and speed.

The plan is a list of requests, made before anything is synthesized: words by the voices of each
split, words by the bulk voice for training, and sentences without keywords. Every random choice is
seeded by what the utterance is, so a change elsewhere in the plan does not affect it.
"""

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from kws.errors import KwsError
from kws.splits import SPLITS, TRAIN, Split
from kws.voices import engines, pronounce
from kws.voices import sentences as generated
from kws.voices.accents import accents
from kws.voices.confusables import NearWord, near_words
from kws.voices.engine import Request
from kws.voices.params import VoicesParams
from kws.voices.speaker_splits import cast, extra_cast, speaker_of

__all__ = ["SENTENCES_FILE", "Utterance", "plan", "planned_near_words", "sentences"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Utterance:
    """A word, or a sentence without any keyword: our own, or a generated one, by the bulk voice
    ("bulk") or by Kokoro's ("generated").

    Attributes:
      word: what is said.
      speaker: the voice's id, `<engine>-<voice>`.
      take: counts from 0 a word and speaker.
      request: for the engine.
    """

    split: Split
    kind: Literal["word", "sentence", "bulk", "generated"]
    word: str
    speaker: str
    take: int
    request: Request


HIBARI_SPEAKER = "hibari-heart"
F0_SCALE, FORMANT_SCALE = (0.6, 1.25), (0.85, 1.15)
"""Ranges that the bulk voice's pitch and formants are scaled by; 1 = unchanged."""


def generator(params: VoicesParams, *parts: object) -> np.random.Generator:
    """Random numbers for what the parts name, under the seed of the corpus."""
    return np.random.default_rng(seed(params.seed, *parts))


def seed(*parts: object) -> int:
    """64 bits of SHA-256 over the parts."""
    return int.from_bytes(hashlib.sha256("\0".join(map(str, parts)).encode()).digest()[:8], "big")


def take_speed(params: VoicesParams, rng: np.random.Generator, take: int, takes: int) -> float:
    """Drawn from the take's own part of the range, so that takes differ."""
    return between(params.speed, (take + rng.uniform()) / takes)


def between(bounds: tuple[float, float], share: float) -> float:
    """On a logarithmic scale, rounded to what is written in a request."""
    return round(bounds[0] * (bounds[1] / bounds[0]) ** share, 3)


def warped(
    params: VoicesParams,
    rng: np.random.Generator,
    text: str,
    phonemes: str,
    speed: float,
    max_ms: int,
) -> Request:
    """hibari in another body: a long vocal tract mostly comes with a low voice, but not always."""
    tract = rng.uniform()
    pitch = 0.7 * tract + 0.3 * rng.uniform()
    return Request(
        engine=engines.HIBARI,
        text=text,
        phonemes=phonemes,
        voice="heart",
        speed=speed,
        seed=int(rng.integers(2**31)),
        f0_scale=between(F0_SCALE, pitch),
        formant_scale=between(FORMANT_SCALE, tract),
        max_ms=max_ms,
    )


def said_by(
    params: VoicesParams,
    voices_of: Mapping[Split, Sequence[tuple[str, str]]],
    phonemes: Mapping[str, str],
    keyword_takes: float,
    other_takes: float,
) -> Iterator[Utterance]:
    """Words by the voices of each split, `(engine, voice)`; takes are a voice's, on average."""
    for split, voices in voices_of.items():
        for word, said in phonemes.items() if voices else ():
            share = keyword_takes if word in params.keywords else other_takes
            clips = max(round(share * len(voices)), 1) if share else 0
            # Each word begins elsewhere in the round of voices, so that all get their turn.
            start = seed(word, split) % len(voices)
            for place in range(len(voices)):
                takes = (place + 1) * clips // len(voices) - place * clips // len(voices)
                engine, voice = voices[(start + place) % len(voices)]
                for take in range(takes):
                    speaker = speaker_of(engine, voice)
                    spoken = _accents(params, word, said)
                    rng = generator(params, split, word, speaker, take)
                    request = Request(
                        engine=engine,
                        text=word,
                        phonemes=spoken[(place + take) % len(spoken)],
                        voice=voice,
                        speed=take_speed(params, rng, take, takes),
                        max_ms=params.max_word_ms,
                    )
                    yield Utterance(
                        split=split,
                        kind="word",
                        word=word,
                        speaker=speaker,
                        take=take,
                        request=request,
                    )


def said_in_bulk(
    params: VoicesParams, phonemes: Mapping[str, str], other_takes: int
) -> Iterator[Utterance]:
    """Words by the warped bulk voice, for training."""
    for word, said in phonemes.items():
        takes = params.hibari_keyword_takes if word in params.keywords else other_takes
        for take in range(takes):
            rng = generator(params, TRAIN, word, HIBARI_SPEAKER, take)
            speed = take_speed(params, rng, take, takes)
            spoken = _accents(params, word, said)
            accent = spoken[take % len(spoken)]
            request = warped(params, rng, word, accent, speed, params.max_word_ms)
            yield Utterance(
                split=TRAIN,
                kind="word",
                word=word,
                speaker=HIBARI_SPEAKER,
                take=take,
                request=request,
            )


def _accents(params: VoicesParams, word: str, said: str) -> tuple[str, ...]:
    """The pronunciations that a word is said in, in turn."""
    return accents(said, word) if params.accents and word in params.keywords else (said,)


SENTENCES_FILE = Path(__file__).parent / "data" / "sentences.txt"
SPEED = (0.95, 1.2)
BULK_SPEED = (0.85, 1.3)


def sentences(keywords: tuple[str, ...]) -> list[str]:
    """Our everyday sentences, without those in which a keyword or its homophone is said."""
    spoken = [pronounce.sounds(pronounce.word(keyword)) for keyword in keywords]
    lines = SENTENCES_FILE.read_text("utf-8").splitlines()
    return [
        line
        for line in lines
        if not any(contains(pronounce.sounds(pronounce.sentence(line)), word) for word in spoken)
        and not any(contains(_spelled(line), _spelled(keyword)) for keyword in keywords)
    ]


def own_sentences(
    params: VoicesParams, voices: Mapping[Split, Sequence[str]]
) -> Iterator[Utterance]:
    """Ours are split too: half of them for training, a quarter each for eval and test.

    Raises:
      KwsError: if the keywords leave none for a split.
    """
    if not any(params.negative_sentences):
        return
    lines = sentences(params.keywords)
    shares = dict(
        zip(SPLITS, ([*lines[0::4], *lines[2::4]], lines[1::4], lines[3::4]), strict=True)
    )
    for split, count in zip(SPLITS, params.negative_sentences, strict=True):
        if count and not shares[split]:
            raise KwsError(
                f"no sentence is left for the negatives of {split}: all contain keywords",
                hint="set negative_sentences to 0",
            )
        for take in range(count):
            text = shares[split][take % len(shares[split])]
            phonemes = pronounce.sentence(text)
            rng = generator(params, split, text, "sentence", take)
            speed = round(float(rng.uniform(*SPEED)), 3)
            if split == TRAIN:
                speaker = HIBARI_SPEAKER
                request = warped(params, rng, text, phonemes, speed, max_ms=0)
            else:
                speaker, request = _by_kokoro(voices[split], take, text, phonemes, speed)
            yield Utterance(
                split=split, kind="sentence", word=text, speaker=speaker, take=take, request=request
            )


def bulk_sentences(params: VoicesParams, near: Sequence[str]) -> Iterator[Utterance]:
    """Generated ones, some with near-words in them, by the warped bulk voice."""
    texts = generated.generate(params.bulk_sentences, params.seed, params.keywords, near)
    for take, text in enumerate(texts):
        rng = generator(params, TRAIN, text, "bulk", take)
        speed = round(float(rng.uniform(*BULK_SPEED)), 3)
        request = warped(params, rng, text, pronounce.sentence(text), speed, max_ms=0)
        yield Utterance(
            split=TRAIN, kind="bulk", word=text, speaker=HIBARI_SPEAKER, take=take, request=request
        )


def generated_sentences(
    params: VoicesParams, voices: Mapping[Split, Sequence[str]], near: Sequence[str]
) -> Iterator[Utterance]:
    """Generated ones, some with near-words in them, by the Kokoro voices of each split in turn.

    Each split has sentences of its own, and more of them begin with the fewer, so that Kokoro has
    nothing to say twice where a count is raised.
    """
    for split, count in zip(SPLITS, params.kokoro_sentences, strict=True):
        own_seed = seed(params.seed, "kokoro sentences", split)
        texts = generated.generate(count, own_seed, params.keywords, near)
        for take, text in enumerate(texts):
            rng = generator(params, split, text, "generated", take)
            speed = round(float(rng.uniform(*BULK_SPEED)), 3)
            phonemes = pronounce.sentence(text)
            speaker, request = _by_kokoro(voices[split], take, text, phonemes, speed)
            yield Utterance(
                split=split,
                kind="generated",
                word=text,
                speaker=speaker,
                take=take,
                request=request,
            )


def _by_kokoro(
    voices: Sequence[str], take: int, text: str, phonemes: str, speed: float
) -> tuple[str, Request]:
    """The speaker whose turn it is, and what it is asked."""
    voice = voices[take % len(voices)]
    request = Request(engine=engines.KOKORO, text=text, phonemes=phonemes, voice=voice, speed=speed)
    return f"{engines.KOKORO}-{voice}", request


def contains(words: tuple[str, ...], sought: tuple[str, ...]) -> bool:
    """Whether the sought words come in a row."""
    return any(words[i : i + len(sought)] == sought for i in range(len(words) - len(sought) + 1))


def _spelled(text: str) -> tuple[str, ...]:
    return tuple("".join(c for c in part if c.isalnum()) for part in text.lower().split())


def plan(params: VoicesParams) -> list[Utterance]:
    """Every utterance of the corpus, in a fixed order; equal params give equal lists.

    Raises:
      KwsError: for a word that cannot be said or cannot name a folder, or that sounds like a
        keyword and is none: nobody could tell them apart.
    """
    phonemes = _words(params)
    near = planned_near_words(params)
    near_phonemes = {word.text: word.phonemes for word in near}
    near_texts = [word.text for word in near if word.kind in ("word", "phrase")]
    voices = cast(params)
    kokoro = {split: [(engines.KOKORO, v) for v in names] for split, names in voices.items()}
    extra = extra_cast(params)
    takes, extra_takes = params.kokoro_takes, params.extra_takes
    return [
        *said_by(params, kokoro, phonemes, takes, params.kokoro_unknown_takes),
        *said_in_bulk(params, phonemes, params.hibari_takes),
        *own_sentences(params, voices),
        *said_by(params, kokoro, near_phonemes, takes, params.near_word_takes),
        *said_in_bulk(params, near_phonemes, params.hibari_near_word_takes),
        *said_by(params, extra, phonemes, extra_takes, params.kokoro_unknown_takes),
        *said_by(params, extra, near_phonemes, extra_takes, params.near_word_takes),
        *bulk_sentences(params, near_texts),
        *generated_sentences(params, voices, near_texts),
    ]


def planned_near_words(params: VoicesParams) -> list[NearWord]:
    """The near-words of all keywords; none is another keyword or an unknown word of the plan."""
    found: dict[str, NearWord] = {}
    for keyword in params.keywords:
        others = [other for other in params.keywords if other != keyword]
        for near in near_words(
            keyword, params.near_words, params.seed, others, params.unknown_words
        ):
            found.setdefault(near.text, near)
    return list(found.values())


def _words(params: VoicesParams) -> dict[str, str]:
    """Keywords and unknown words with their phonemes, homophones refused or dropped."""
    words = list(dict.fromkeys([*params.keywords, *params.unknown_words]))
    phonemes = {word: pronounce.word(word) for word in words}
    by_sound = {pronounce.sounds(phonemes[keyword]): keyword for keyword in params.keywords}
    for word in words:
        sound = pronounce.sounds(phonemes[word])
        keyword = by_sound.get(sound, word)
        if params.homophones == "drop" and word not in params.keywords:
            if any(contains(sound, spoken) for spoken in by_sound):
                del phonemes[word]
        elif keyword != word:
            raise KwsError(
                f"{word!r} sounds like the keyword {keyword!r}: no model can tell them apart",
                hint=f"take {word!r} out of voices.unknown_words",
            )
    return phonemes
