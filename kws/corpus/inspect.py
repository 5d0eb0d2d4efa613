"""Inspects recordings: is each usable, and what is its content? Ingestion's first pass.

Only small reports leave this pass; the audio is read again for the clips that the plan chooses.
"""

import dataclasses
import hashlib

from kws.audio.container import Note, Unreadable
from kws.audio.read import Recording, Source, read, survey
from kws.corpus import fragment
from kws.corpus.audio_fingerprint import audio_fingerprint
from kws.corpus.fragment import Fragment
from kws.corpus.params import IngestParams

SHORTEST_WORD_MS, LONGEST_WORD_MS = 50, 5000
"""Shorter and longer recordings of a word are quarantined; one that is longer than a clip is cut to
its loudest window."""


@dataclasses.dataclass(frozen=True, slots=True)
class FileReport:
    """What inspecting one file found.

    Attributes:
      name: of the file, inside the corpus.
      duration_ms: of a usable recording.
      digest: of a word's samples after conversion: equal for equal content in other formats of
        the same resolution; empty for long recordings and digital silence.
      reason: why it cannot be used, as one word; "" for a usable one.
      detail: the same as a sentence.
      fingerprint: float32 `[32]` as bytes, see `kws.corpus.audio_fingerprint`; empty where the
        digest is, and where there is nothing but hum, an offset or rounding.
      notes: what is odd about a usable one.
      size_bytes: of the file, for long recordings: how much is lost with one that cannot be read.
    """

    name: str
    duration_ms: float = 0.0
    digest: bytes = b""
    reason: str = ""
    detail: str = ""
    fingerprint: bytes = b""
    notes: tuple[Note, ...] = ()
    size_bytes: int = 0


def inspect_word(name: str, source: Source, params: IngestParams) -> FileReport:
    """Decodes a word recording and checks it against the limits of the params."""
    try:
        recording = read_word(source, params, fragment.parse(name))
    except Unreadable as error:
        return FileReport(name, reason=error.reason, detail=error.detail)
    audio, notes = recording.audio, recording.notes
    duration = 1000 * audio.size / params.sample_rate
    if not audio.any():
        return FileReport(
            name, duration, notes=notes
        )  # All silences are alike, and none is a copy of another.
    digest = hashlib.blake2b(audio.tobytes(), digest_size=16).digest()
    projected = audio_fingerprint(audio)
    fingerprint = projected.tobytes() if projected.any() else b""
    return FileReport(name, duration, digest, fingerprint=fingerprint, notes=notes)


def inspect_long_recording(name: str, source: Source, params: IngestParams) -> FileReport:
    """Decodes a background or negative recording from end to end; it must hold one clip at least.

    Its header alone would not say that it can be read where clips will be cut from it.
    """
    try:
        found = survey(source)
        duration = found.duration_ms
        if duration < params.clip_duration_ms:
            shortest = params.clip_duration_ms
            raise Unreadable("too_short", f"{duration:.0f} ms, at least {shortest} to cut a clip")
    except Unreadable as error:
        return FileReport(name, reason=error.reason, detail=error.detail)
    return FileReport(name, duration, notes=found.notes)


def read_word(source: Source, params: IngestParams, part: Fragment) -> Recording:
    """Reads a word within the limits of the params (`kws.audio.read.read`).

    Args:
      source: the recording.
      params: rate and limits.
      part: where in the recording the word is, by its name.
    """
    return read(
        source,
        params.sample_rate,
        max_duration_ms=max(LONGEST_WORD_MS, params.clip_duration_ms),
        min_duration_ms=SHORTEST_WORD_MS,
        silent_dbfs=params.silent_dbfs,
        start_ms=part.start_ms,
        end_ms=part.end_ms,
    )
