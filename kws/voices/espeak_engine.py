"""The eSpeak NG engine: a formant synthesizer with clear, mechanical speech and many variants.

eSpeak NG is a separate program under the GPL; this module only runs it, and reads the WAV file
that it writes.
"""

import abc
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kws.errors import KwsError
from kws.voices.engine import Request

TIMEOUT_S = 60


class SubprocessEngine(abc.ABC):
    """An installed program; a subclass says how it is called.

    The text never meets a shell: programs are run by argument list, and read it from a file.

    Attributes:
      name: of the engine.
      programs: what is looked for on the PATH; of each group the first that is there.
      package: that brings them, for the error message.
    """

    name: str
    sample_rate = 0
    programs: tuple[tuple[str, ...], ...]
    package: str

    @abc.abstractmethod
    def command(self, request: Request, text_file: Path, wav_file: Path) -> Sequence[str]:
        """The call that says the text in a file into another one."""

    @abc.abstractmethod
    def voices(self) -> tuple[str, ...]:
        """Those installed, in a fixed order."""

    def version(self) -> str:
        """What the program calls itself; clips are made anew when it changes."""
        return self.output(self.program(0), "--version")

    def program(self, group: int) -> str:
        """Path of a program. Raises KwsError where it is not installed."""
        names = self.programs[group]
        for name in names:
            if path := shutil.which(name):
                return path
        raise KwsError(
            f"the voice engine {self.name} needs {' or '.join(names)}, which is not installed",
            hint=f"install the package {self.package}, or take {self.name} out of "
            "voices.extra_engines",
        )

    def say(self, request: Request) -> np.ndarray:
        """See `Engine.say`. Also sets `sample_rate`, which differs by voice."""
        import soundfile

        with tempfile.TemporaryDirectory(prefix="kws-voice-") as folder:
            text_file, wav_file = Path(folder) / "text.txt", Path(folder) / "said.wav"
            text_file.write_text(request.text + "\n", "utf-8")
            self.output(*self.command(request, text_file, wav_file))
            try:
                audio, self.sample_rate = soundfile.read(wav_file, dtype="float32", always_2d=True)
            except (OSError, soundfile.SoundFileError) as error:
                raise KwsError(
                    f"{self.name} wrote no WAV for {request.text!r} by {request.voice}: {error}"
                ) from error
        return audio.mean(axis=1)

    def output(self, *command: str) -> str:
        """Standard output of a program that ended well.

        Raises:
          KwsError: with its last words, if it failed or took longer than a minute.
        """
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TIMEOUT_S,
                text=True,
                errors="replace",
                env={**os.environ, "LC_ALL": "C.UTF-8"},
            )
        except subprocess.TimeoutExpired as error:
            raise KwsError(f"{command[0]} took longer than {TIMEOUT_S} s") from error
        except OSError as error:
            raise KwsError(f"{command[0]} cannot be run: {error}") from error
        if done.returncode:
            words = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
            raise KwsError(f"{command[0]} failed ({done.returncode}): {words[-1]}")
        return done.stdout.strip()


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
