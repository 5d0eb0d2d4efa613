"""Flite (Carnegie Mellon University): small voices of a few real speakers."""

from collections.abc import Sequence
from pathlib import Path

from kws.errors import KwsError
from kws.voices.engine import Request
from kws.voices.subprocess_engine import SubprocessEngine

LEFT_OUT = frozenset(["awb_time", "kal"])
"""Says only times of day; the 8 kHz twin of kal16."""


class FliteEngine(SubprocessEngine):
    """Its own list says which voices there are, e.g. awb, kal16, rms, slt."""

    name = "flite"
    programs = (("flite",),)
    package = "flite"

    def voices(self) -> tuple[str, ...]:
        """Raises KwsError where flite names none."""
        listed = self.output(self.program(0), "-lv")  # "Voices available: kal awb_time kal16 ..."
        names = sorted(set(listed.partition(":")[2].split()) - LEFT_OUT)
        if not names:
            raise KwsError(f"flite names no voices, it says {listed!r}")
        return tuple(names)

    def command(self, request: Request, text_file: Path, wav_file: Path) -> Sequence[str]:
        stretch = f"duration_stretch={1 / request.speed:.3f}"
        place = ("-f", str(text_file), "-o", str(wav_file))
        return (self.program(0), "-voice", request.voice, "--setf", stretch, *place)
