"""Words in the plan: by the voices of each split, and by the bulk voice for training."""

from collections.abc import Iterator, Mapping, Sequence

from kws.splits import TRAIN, Split
from kws.voices.accents import accents
from kws.voices.draw import HIBARI_SPEAKER, generator, seed, take_speed, warped
from kws.voices.engine import Request
from kws.voices.extra_cast import speaker_of
from kws.voices.params import VoicesParams
from kws.voices.utterance import Utterance


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
