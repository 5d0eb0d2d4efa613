"""Which words the voices say, how often, and how they vary."""

from pathlib import Path
from typing import Literal

import pydantic

from kws.labels import Keywords, Words
from kws.params import Params


class VoicesParams(Params):
    """The synthesized corpus: keywords and other words said by text-to-speech voices.

    Kokoro is what takes time (about three words a second on a core), so its takes are few and its
    speakers many; the bulk voice is nearly free. With the defaults, four keywords and twenty
    unknown words take about two minutes on two cores.
    """

    keywords: Keywords = pydantic.Field(min_length=1)
    unknown_words: Words = pydantic.Field((), description="those that are keywords are ignored")
    homophones: Literal["refuse", "drop"] = pydantic.Field(
        "refuse",
        description="unknown words that sound like a keyword: an error; or drop them, and those "
        "that have a keyword among their words",
    )
    drop_outliers: bool = pydantic.Field(
        True,
        description="training clips of a keyword that are unlike all its others are left out "
        "(kws/speech/judge.py); dropped_clips.html plays them",
    )
    kokoro_takes: int = pydantic.Field(
        1, ge=0, description="takes of a keyword by each Kokoro voice"
    )
    kokoro_unknown_takes: float = pydantic.Field(
        0.12, ge=0, description="takes of an unknown word by each Kokoro voice, on average"
    )
    accents: bool = pydantic.Field(
        False,
        description="keywords are said in turn as an American says them, with t released, without "
        "r after vowels, with full vowels, and with every syllable stressed "
        "(kws/voices/accents.py)",
    )
    mixes: int = pydantic.Field(
        24, ge=0, description="two-voice mixes added to training, as voices"
    )
    speakers: int | None = pydantic.Field(
        None,
        ge=1,
        description="Kokoro speakers of training in all, single voices first, then mixes; in place "
        "of `mixes`",
    )
    eval_mixes: int = pydantic.Field(
        8, ge=0, description="two-voice mixes added to eval and to test each"
    )
    hibari_takes: int = pydantic.Field(
        12, ge=0, description="takes of each unknown word by the warped bulk voice (training only)"
    )
    hibari_keyword_takes: int = pydantic.Field(
        40, ge=0, description="takes of each keyword by the warped bulk voice (training only)"
    )
    speed: tuple[float, float] = pydantic.Field(
        (0.8, 1.25), description="range drawn from; 1 = normal"
    )
    max_word_ms: int = pydantic.Field(
        950, ge=0, description="a word that takes longer is said faster; 0 = as long as it takes"
    )
    eval_voices: int = pydantic.Field(
        8,
        ge=0,
        le=19,
        description="Kokoro voices kept for eval; 0 and no test_voices: all voices are for "
        "training, and recordings judge the model",
    )
    test_voices: int = pydantic.Field(8, ge=0, le=19, description="Kokoro voices kept for test")
    max_voices: int | None = pydantic.Field(
        None, ge=3, description="use only so many Kokoro voices; training gives the others up"
    )
    near_words: int = pydantic.Field(
        0, ge=0, le=500, description="words said that are nearly a keyword, for each keyword"
    )
    near_word_takes: float = pydantic.Field(
        0.1, ge=0, description="takes of a near-word by each Kokoro voice, on average"
    )
    hibari_near_word_takes: int = pydantic.Field(
        12, ge=0, description="takes of each near-word by the warped bulk voice (training only)"
    )
    extra_engines: tuple[Literal["espeak"], ...] = pydantic.Field(
        (), description="programs on this machine that say the words too"
    )
    piper_voices: tuple[Path, ...] = pydantic.Field(
        (), description="your own Piper voices, NAME.onnx with NAME.onnx.json beside it"
    )
    extra_takes: int = pydantic.Field(
        3,
        ge=0,
        description="takes of a keyword by each voice of these; other words as by Kokoro's voices",
    )
    negative_sentences: tuple[int, int, int] = pydantic.Field(
        (60, 16, 16), description="sentences without keywords said in train, eval, test"
    )
    bulk_sentences: int = pydantic.Field(
        0,
        ge=0,
        le=100_000,
        description="generated sentences without keywords, some with near-words in them, said in "
        "training by the warped bulk voice (about three seconds each)",
    )
    kokoro_sentences: tuple[int, int, int] = pydantic.Field(
        (0, 0, 0),
        description="generated sentences without keywords, said in train, eval, test by the Kokoro "
        "voices of each in turn (2.3 seconds each, about a second of a core)",
    )
    background_seconds: int = pydantic.Field(
        60, ge=1, description="length of each generated background recording"
    )
    seed: int = 0

    @property
    def training_only(self) -> bool:
        """Whether no voice is kept to judge by."""
        return not self.eval_voices and not self.test_voices

    @pydantic.model_validator(mode="after")
    def _consistent(self) -> "VoicesParams":
        low, high = self.speed
        if not 0.5 <= low <= high <= 2.0:
            raise ValueError(f"speed=({low}, {high}) must rise, between 0.5 and 2")
        for name in ("negative_sentences", "kokoro_sentences"):
            if min(getattr(self, name)) < 0:
                raise ValueError(f"{name}={getattr(self, name)}: counts cannot be negative")
        kept = self.eval_voices + self.test_voices
        if bool(self.eval_voices) != bool(self.test_voices):
            raise ValueError(
                f"eval_voices={self.eval_voices} and test_voices={self.test_voices}: give both, or "
                "neither where recordings judge the model"
            )
        if self.training_only:
            for name in ("negative_sentences", "kokoro_sentences"):
                if any(getattr(self, name)[1:]):
                    raise ValueError(
                        f"{name}={list(getattr(self, name))}: without voices for eval and test "
                        "nobody says the last two"
                    )
            if self.eval_mixes:
                raise ValueError(
                    f"eval_mixes={self.eval_mixes} are of eval_voices, which are 0: write 0"
                )
        if self.max_voices is not None and self.max_voices <= kept:
            raise ValueError(
                f"max_voices={self.max_voices} leaves no voice for training beside eval_voices="
                f"{self.eval_voices} and test_voices={self.test_voices}: "
                f"at least {kept + 1} is needed"
            )
        return self
