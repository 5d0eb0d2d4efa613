"""ClipSpec: what a plan asks for, made from the recording. The second of ingestion's two passes."""

import dataclasses
from pathlib import PurePosixPath

import numpy as np

from kws.audio.align import align
from kws.audio.clip import FULL_SCALE, Clip, Novelty, clip_id, to_dbfs
from kws.audio.read import Recording, Source, read_window
from kws.corpus import fragment
from kws.corpus.inspect import read_word
from kws.corpus.params import IngestParams
from kws.labels import SILENCE
from kws.splits import Split


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ClipSpec:
    """One clip to be made.

    Attributes:
      name: the file inside the corpus, or a part of it (`kws.corpus.fragment`); "" for quiet noise
        that is made up.
      split: of the clip.
      label: of the clip.
      word: the spoken word.
      speaker: who says it.
      source: that it is from.
      novelty: of the word (`Novelty`).
      starts_ms: of a window of a long recording; the first that is not silent is taken, else the
        last. Empty: the file is a word and is aligned.
      gain: the window is multiplied by this; with no file, the RMS of the noise (full scale = 1).
      seed: of the noise that is made up.
      heard: the part of a window that is kept, as shares of the clip; before and after it is
        digital silence, as around a recording that is shorter than a clip.
    """

    name: str
    split: Split
    label: str
    word: str
    speaker: str
    source: str
    novelty: Novelty
    starts_ms: tuple[float, ...] = ()
    gain: float = 1.0
    seed: int = 0
    heard: tuple[float, float] = (0.0, 1.0)


def make_clip(spec: ClipSpec, source: Source | None, params: IngestParams) -> Clip:
    """Makes the clip, exactly `clip_duration_ms` long; before a window its `lead_in_ms`.

    Args:
      spec: what to make.
      source: the recording; None where `spec.name` is "".
      params: the rates and limits that the plan was made with.

    Raises:
      Unreadable: the recording is not what it was when it was inspected.
    """
    samples = clip_samples = params.sample_rate * params.clip_duration_ms // 1000
    lead_in_ms = 0
    origin = spec.name
    if source is None:
        noise = np.random.default_rng(spec.seed).standard_normal(samples) * spec.gain * FULL_SCALE
        recording = Recording(_to_int16(noise), params.sample_rate, 1)
        origin = f"noise {spec.seed}"
    elif spec.starts_ms:
        recording, start_ms = _window(spec, source, params)
        lead_in_ms = params.lead_in_ms
        samples += params.sample_rate * lead_in_ms // 1000
        origin = f"{spec.name} at {start_ms:.0f} ms x {spec.gain:.4f}"
    else:
        recording = read_word(source, params, fragment.parse(spec.name))
    audio = align(recording.audio, samples, params.sample_rate)
    if spec.heard != (0.0, 1.0):
        audio, lead_in_ms = _short(audio[-clip_samples:], spec.heard), 0
        origin += f" {spec.heard}"
    return Clip(
        audio=audio,
        sample_rate=params.sample_rate,
        label=spec.label,
        word=spec.word,
        speaker=spec.speaker,
        source=spec.source,
        clip_id=clip_id(audio, origin),
        novelty=spec.novelty,
        lead_in_ms=lead_in_ms,
        original_rate=recording.original_rate,
        original_channels=recording.original_channels,
        file="" if params.speaker_salt_env else spec.name,
    )


def stem(name: str) -> str:
    """`_background_noise_/rain.wav` gives `rain`: the speaker of what is cut from it."""
    return PurePosixPath(name).stem


def _window(spec: ClipSpec, source: Source, params: IngestParams) -> tuple[Recording, float]:
    for start_ms in spec.starts_ms:
        window = read_window(
            source,
            start_ms - params.lead_in_ms,
            params.lead_in_ms + params.clip_duration_ms,
            params.sample_rate,
        )
        level_dbfs = to_dbfs(float(window.audio.std(dtype=np.float64)))
        if spec.label == SILENCE or level_dbfs >= params.silent_dbfs:
            break
    scaled = window.audio
    if spec.gain != 1:
        scaled = _to_int16(window.audio.astype(np.float32) * np.float32(spec.gain))
    return dataclasses.replace(window, audio=scaled), start_ms


def _short(audio: np.ndarray, heard: tuple[float, float]) -> np.ndarray:
    """The clip with zeros for all but a part of it."""
    start, stop = (round(share * len(audio)) for share in heard)
    kept = np.zeros_like(audio)
    kept[start:stop] = audio[start:stop]
    return kept


def _to_int16(samples: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(samples), -32768, 32767).astype(np.int16)
