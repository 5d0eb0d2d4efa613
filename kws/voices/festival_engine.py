"""Festival (University of Edinburgh) by its program text2wave."""

import re
from collections.abc import Sequence
from pathlib import Path

from kws.errors import KwsError
from kws.voices.engine import Request
from kws.voices.subprocess_engine import SubprocessEngine

_ENGLISH = re.compile(r"(cmu_us_|cstr_us_|nitech_us_|kal_|ked_|rab_|don_|us\d|en\d)\w+")
"""Names of the English voices that distributions pack; others read English as their own tongue."""


class FestivalEngine(SubprocessEngine):
    """Festival itself says which voices are installed."""

    name = "festival"
    programs = (("text2wave",), ("festival",))
    package = "festival"

    def version(self) -> str:
        return self.output(self.program(1), "--version").splitlines()[0]

    def voices(self) -> tuple[str, ...]:
        """Raises KwsError where no English voice is installed."""
        listed = self.output(self.program(1), "-b", "(print (voice.list))")
        names = re.findall(r"\w+", listed.replace("nil", ""))
        english = tuple(sorted(name for name in names if _ENGLISH.fullmatch(name)))
        if not english:
            raise KwsError(
                f"festival has no English voice, it lists {listed!r}",
                hint="install one, e.g. the package festvox-kallpc16k",
            )
        return english

    def command(self, request: Request, text_file: Path, wav_file: Path) -> Sequence[str]:
        return (
            self.program(0),
            "-eval",
            f"(voice_{request.voice})",
            "-eval",
            f"(Parameter.set 'Duration_Stretch {1 / request.speed:.3f})",
            "-o",
            str(wav_file),
            str(text_file),
        )
