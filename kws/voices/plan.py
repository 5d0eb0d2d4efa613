"""Who says what, and how: the corpus as a list, before anything is said."""

import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np

from kws.errors import KwsError
from kws.splits import SPLITS, TRAIN, Split
from kws.voices import engines, pronounce
from kws.voices.cast import cast
from kws.voices.engine import Request
from kws.voices.params import VoicesParams

SENTENCES_FILE = Path(__file__).parent / "data" / "sentences.txt"
HIBARI_SPEAKER = "hibari-heart"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Utterance:
    """One clip to be: a word (`kind="word"`), or a sentence without any keyword.

    Attributes:
      word: what is said.
      speaker: the voice's id, `<engine>-<voice>`.
      take: counts from 0 a word and speaker.
      request: for the engine.
    """

    split: Split
    kind: Literal["word", "sentence"]
    word: str
    speaker: str
    take: int
    request: Request


def plan(params: VoicesParams) -> list[Utterance]:
    """Every utterance of the corpus, in a fixed order; equal params give equal lists.

    Raises:
      KwsError: for a word that cannot be said or cannot name a folder, or that sounds like a
        keyword and is none: nobody could tell them apart.
    """
    words = list(dict.fromkeys([*params.keywords, *params.unknown_words]))
    phonemes = {word: _pronounced(word) for word in words}
    by_sound = {pronounce.sounds(phonemes[keyword]): keyword for keyword in params.keywords}
    for word in words:
        keyword = by_sound.get(pronounce.sounds(phonemes[word]), word)
        if keyword != word:
            raise KwsError(
                f"{word!r} sounds like the keyword {keyword!r}: no model can tell them apart",
                hint=f"take {word!r} out of voices.unknown_words",
            )
    return [*_kokoro_words(params, phonemes), *_hibari_words(params, phonemes), *_sentences(params)]


def sentences(keywords: tuple[str, ...]) -> list[str]:
    """Our everyday sentences, without those in which a keyword or its homophone is said."""
    spoken = [pronounce.sounds(pronounce.word(keyword)) for keyword in keywords]
    lines = SENTENCES_FILE.read_text("utf-8").splitlines()
    return [
        line
        for line in lines
        if not any(_contains(pronounce.sounds(pronounce.sentence(line)), word) for word in spoken)
        and not any(_contains(_spelled(line), _spelled(keyword)) for keyword in keywords)
    ]


def _kokoro_words(params: VoicesParams, phonemes: dict[str, str]) -> Iterator[Utterance]:
    for split, voices in cast(params).items():
        for word, said in phonemes.items():
            is_keyword = word in params.keywords
            share = params.kokoro_takes if is_keyword else params.kokoro_unknown_takes
            clips = max(round(share * len(voices)), 1) if share else 0
            # Each word begins elsewhere in the round of voices, so that all get their turn.
            start = _seed(word, split) % len(voices)
            for place in range(len(voices)):
                takes = (place + 1) * clips // len(voices) - place * clips // len(voices)
                voice = voices[(start + place) % len(voices)]
                for take in range(takes):
                    speaker = f"{engines.KOKORO}-{voice}"
                    rng = _rng(params, split, word, speaker, take)
                    request = Request(
                        engine=engines.KOKORO,
                        text=word,
                        phonemes=said,
                        voice=voice,
                        speed=_speed(params, rng, take, takes),
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


def _hibari_words(params: VoicesParams, phonemes: dict[str, str]) -> Iterator[Utterance]:
    for word, said in phonemes.items():
        takes = params.hibari_keyword_takes if word in params.keywords else params.hibari_takes
        for take in range(takes):
            rng = _rng(params, TRAIN, word, HIBARI_SPEAKER, take)
            speed = _speed(params, rng, take, takes)
            request = _warped(params, rng, word, said, speed, params.max_word_ms)
            yield Utterance(
                split=TRAIN,
                kind="word",
                word=word,
                speaker=HIBARI_SPEAKER,
                take=take,
                request=request,
            )


def _sentences(params: VoicesParams) -> Iterator[Utterance]:
    """Sentences are split too: half of them for training, a quarter each for eval and test."""
    if not any(params.negative_sentences):
        return
    lines = sentences(params.keywords)
    shares = dict(
        zip(SPLITS, ([*lines[0::4], *lines[2::4]], lines[1::4], lines[3::4]), strict=True)
    )
    voices = cast(params)
    for split, count in zip(SPLITS, params.negative_sentences, strict=True):
        own = shares[split]
        if count and not own:
            raise KwsError(
                f"no sentence is left for the negatives of {split}: all contain keywords",
                hint="set negative_sentences to 0",
            )
        for take in range(count):
            text = own[take % len(own)]
            phonemes = pronounce.sentence(text)
            rng = _rng(params, split, text, "sentence", take)
            speed = round(float(rng.uniform(0.95, 1.2)), 3)
            if split == TRAIN:
                speaker = HIBARI_SPEAKER
                request = _warped(params, rng, text, phonemes, speed, max_ms=0)
            else:
                voice = voices[split][take % len(voices[split])]
                speaker = f"{engines.KOKORO}-{voice}"
                request = Request(
                    engine=engines.KOKORO, text=text, phonemes=phonemes, voice=voice, speed=speed
                )
            yield Utterance(
                split=split, kind="sentence", word=text, speaker=speaker, take=take, request=request
            )


def _warped(
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
        f0_scale=_between(params.hibari_f0_scale, pitch),
        formant_scale=_between(params.hibari_formant_scale, tract),
        max_ms=max_ms,
    )


def _speed(params: VoicesParams, rng: np.random.Generator, take: int, takes: int) -> float:
    """Drawn from the take's own part of the range, so that takes differ."""
    return _between(params.speed, (take + rng.uniform()) / takes)


def _between(bounds: tuple[float, float], share: float) -> float:
    return round(bounds[0] * (bounds[1] / bounds[0]) ** share, 3)


def _pronounced(word: str) -> str:
    if word.startswith(("_", ".")):
        raise KwsError(
            f"word {word!r} cannot name a folder", hint="begin it with a letter or digit"
        )
    return pronounce.word(word)


def _spelled(text: str) -> tuple[str, ...]:
    return tuple("".join(c for c in part if c.isalnum()) for part in text.lower().split())


def _contains(words: tuple[str, ...], sought: tuple[str, ...]) -> bool:
    return any(words[i : i + len(sought)] == sought for i in range(len(words) - len(sought) + 1))


def _seed(*parts: object) -> int:
    return int.from_bytes(hashlib.sha256("\0".join(map(str, parts)).encode()).digest()[:8], "big")


def _rng(params: VoicesParams, *parts: object) -> np.random.Generator:
    return np.random.default_rng(_seed(params.seed, *parts))
