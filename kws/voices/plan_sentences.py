"""Sentences in the plan: our own in every split, generated ones for training."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from kws.errors import KwsError
from kws.splits import SPLITS, TRAIN, Split
from kws.voices import engines, pronounce
from kws.voices import sentences as generated
from kws.voices.draw import HIBARI_SPEAKER, generator, seed, warped
from kws.voices.engine import Request
from kws.voices.params import VoicesParams
from kws.voices.utterance import Utterance

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


def own(params: VoicesParams, voices: Mapping[Split, Sequence[str]]) -> Iterator[Utterance]:
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


def bulk(params: VoicesParams, near: Sequence[str]) -> Iterator[Utterance]:
    """Generated ones, some with near-words in them, by the warped bulk voice."""
    texts = generated.generate(params.bulk_sentences, params.seed, params.keywords, near)
    for take, text in enumerate(texts):
        rng = generator(params, TRAIN, text, "bulk", take)
        speed = round(float(rng.uniform(*BULK_SPEED)), 3)
        request = warped(params, rng, text, pronounce.sentence(text), speed, max_ms=0)
        yield Utterance(
            split=TRAIN, kind="bulk", word=text, speaker=HIBARI_SPEAKER, take=take, request=request
        )


def by_all_voices(
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
