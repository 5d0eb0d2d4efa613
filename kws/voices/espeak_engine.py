"""eSpeak NG (or eSpeak): a formant synthesizer; clear, mechanical, many variants. GPL, a program
of its own that we only call."""

from collections.abc import Sequence
from pathlib import Path

from kws.voices.engine import Request
from kws.voices.subprocess_engine import SubprocessEngine

WORDS_PER_MINUTE = 165
ACCENTS = ("en-us", "en-gb", "en-gb-scotland")
VARIANTS = ("m1", "f1", "m3", "f2", "m7", "f4")
"""Other vocal tracts and pitches, men's and women's, that come with every installation."""


class EspeakEngine(SubprocessEngine):
    """Accents times variants make 18 voices; a voice is written as espeak does: en-us+f2."""

    name = "espeak"
    programs = (("espeak-ng", "espeak"),)
    package = "espeak-ng"

    def version(self) -> str:
        # "eSpeak NG text-to-speech: 1.51  Data at: /usr/...": the place does not matter.
        return super().version().split("Data at")[0].strip()

    def voices(self) -> tuple[str, ...]:
        self.program(0)
        return tuple(f"{accent}+{variant}" for variant in VARIANTS for accent in ACCENTS)

    def command(self, request: Request, text_file: Path, wav_file: Path) -> Sequence[str]:
        pace = str(round(WORDS_PER_MINUTE * request.speed))
        place = ("-f", str(text_file), "-w", str(wav_file))
        return (self.program(0), "-v", request.voice, "-s", pace, *place)
