"""Which words the voices say, how often, and how they vary."""

import pydantic

from kws.params import Params


class VoicesParams(Params):
    """The synthesized corpus: keywords and other words said by text-to-speech voices."""

    keywords: tuple[str, ...] = pydantic.Field(min_length=1)
    unknown_words: tuple[str, ...] = ()
    kokoro_takes: int = pydantic.Field(2, ge=0, description="takes of a keyword by each Kokoro voice")
    kokoro_unknown_takes: float = pydantic.Field(
        0.25, ge=0, description="takes of an unknown word by each Kokoro voice, on average"
    )
    mixes: int = pydantic.Field(0, ge=0, description="two-voice mixes added to each split, as voices")
    hibari_takes: int = pydantic.Field(
        8, ge=0, description="takes of each unknown word by the warped bulk voice (training only)"
    )
    hibari_keyword_takes: int = pydantic.Field(
        8, ge=0, description="takes of each keyword by the warped bulk voice (training only)"
    )
    speed: tuple[float, float] = pydantic.Field((0.8, 1.25), description="range drawn from; 1 = normal")
    eval_voices: int = pydantic.Field(8, ge=1, description="Kokoro voices kept for eval")
    test_voices: int = pydantic.Field(8, ge=1, description="Kokoro voices kept for test")
    max_voices: int | None = pydantic.Field(None, ge=3, description="use only so many Kokoro voices")
    background_seconds: int = pydantic.Field(
        60, ge=1, description="length of each generated background recording"
    )
    seed: int = 0
