"""A pushed bundle listens to recordings: frontend, int8 model and detector, as on the device."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np

from kws.audio import container
from kws.audio.read import Unreadable, read
from kws.bundle.destinations import bundle_folder
from kws.corpus.listing import CONVERT
from kws.detection.detector import Detection, detect
from kws.detection.params import DetectorParams
from kws.detection.posteriors import ScoringModel, stream_posteriors
from kws.errors import KwsError
from kws.features.live import LiveAsBatch

READABLE = f"WAV, FLAC, OGG and MP3 are read, others where ffmpeg is installed; or {CONVERT}"
LONGEST_MS = 24 * 3_600_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Spotter:
    """A bundle, loaded.

    Attributes:
      folder: of the version.
      model: int8.
      frontend: of `frontend.json`.
      detector: of `manifest.json`: the operating point chosen on the eval streams.
      sensitivity: name of its threshold, where it has one.
    """

    folder: Path
    model: ScoringModel
    frontend: LiveAsBatch
    detector: DetectorParams
    sensitivity: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Heard:
    """What a spotter heard in one recording.

    Attributes:
      path: of the recording.
      audio: int16 `[samples]` at the frontend's rate.
      times_ms: int64 `[n]`, the end of what each row of posteriors has heard.
      posteriors: float32 `[n, labels]`.
      detections: in order of time.
      notes: what is odd about the recording (`kws.audio.container.Note`).
    """

    path: Path
    audio: np.ndarray
    times_ms: np.ndarray
    posteriors: np.ndarray
    detections: list[Detection]
    notes: list[str] = dataclasses.field(default_factory=list)

    def to_dict(self, sample_rate: int) -> dict[str, Any]:
        """For JSON; audio and posteriors are left out."""
        return {
            "file": str(self.path),
            "duration_ms": round(len(self.audio) * 1000 / sample_rate),
            "detections": [dataclasses.asdict(detection) for detection in self.detections],
            "notes": self.notes,
        }


def load(
    bundle: str | Path, threshold: float | None = None, sensitivity: str | None = None
) -> Spotter:
    """Loads a bundle, or the served version of a folder of versions.

    Args:
      bundle: see `kws.bundle.destinations`.
      threshold: in place of the bundle's own.
      sensitivity: one of those that the bundle names, in place of its default.

    Raises:
      KwsError: there is no bundle, it has no detector or not this sensitivity, or a threshold is
        given as well.
    """
    from kws.runtime.load import load_folder

    folder = bundle_folder(bundle)
    if threshold is not None and sensitivity is not None:
        raise KwsError(
            f"threshold={threshold:g} and sensitivity={sensitivity!r}: a sensitivity is a "
            "threshold, give one of the two"
        )
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        described = manifest["detector"]
    except (OSError, ValueError, KeyError) as error:
        raise KwsError(f"{folder}/manifest.json does not say how to detect: {error!r}") from None
    if sensitivity is not None:
        threshold = _threshold_of(sensitivity, manifest.get("sensitivities"), folder)
    elif threshold is None:
        sensitivity = (manifest.get("sensitivities") or {}).get("default")
    if threshold is not None:
        described = {**described, "detection_threshold": threshold}
    model = load_folder(folder)
    return Spotter(
        folder=folder,
        model=model,
        frontend=LiveAsBatch(model.feature_params),
        detector=DetectorParams(**described),
        sensitivity=sensitivity,
    )


def _threshold_of(sensitivity: str, named: dict[str, Any] | None, folder: Path) -> float:
    if named is None:
        raise KwsError(
            f"sensitivity={sensitivity!r}, and {folder} names none",
            hint="give a --threshold, or make the bundle with "
            "streaming.operating_point.default_sensitivity=medium",
        )
    points = named["points"]
    if sensitivity not in points:
        raise KwsError(
            f"sensitivity={sensitivity!r} is not one of {folder}",
            hint=f"one of {', '.join(points)}",
        )
    return float(points[sensitivity]["detection_threshold"])


def listen_to(spotter: Spotter, path: Path) -> Heard:
    """Runs a recording through a spotter as one stream, whatever its format and rate.

    A recording shorter than what the model hears at once is followed by silence.

    Raises:
      KwsError: the file cannot be read.
    """
    params = spotter.frontend.params
    try:
        recording = read(path, params.sample_rate, max_duration_ms=LONGEST_MS)
    except Unreadable as error:
        raise KwsError(f"{path}: {error}", hint=READABLE) from error
    audio = recording.audio
    padded = np.pad(audio, (0, max(0, params.clip_samples - len(audio))))
    times_ms, posteriors = stream_posteriors(
        spotter.model, spotter.frontend, padded, spotter.detector.clip_stride_ms
    )
    found = detect(times_ms, posteriors, spotter.detector, spotter.model.labels)
    return Heard(
        path=path,
        audio=audio,
        times_ms=times_ms,
        posteriors=posteriors,
        detections=found,
        notes=container.to_text(recording.notes),
    )
