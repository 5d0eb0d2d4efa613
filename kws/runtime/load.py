"""Loads the int8 model of a folder, windowed or streaming, and the stages of a cascade.

Everything that scores a model loads it through this module.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from kws import features
from kws.bundle.destinations import bundle_folder
from kws.detection.cascade import Stage
from kws.detection.params import DetectorParams, Runtime
from kws.errors import KwsError
from kws.export import flatbuffer
from kws.features.params import FeatureParams
from kws.runtime.int8_file import MODEL_FILE, Int8File, Kind
from kws.runtime.streaming_model import Int8StreamingModel
from kws.runtime.tflite_model import Int8Model
from kws.runtime.tflm import TflmModel, TflmStreamingModel

CONVERSION_FILE = "conversion.json"
MANIFEST_FILE = "manifest.json"

Int8Any = Int8Model | Int8StreamingModel

_KINDS: dict[Kind, dict[Runtime, type[Int8File]]] = {
    "windowed": {"tflite": Int8Model, "tflm": TflmModel},
    "streaming": {"tflite": Int8StreamingModel, "tflm": TflmStreamingModel},
}


def load_folder(
    folder: str | Path, num_threads: int = 1, *, runtime: Runtime = "tflite"
) -> Int8Any:
    """Reads MicroConverter's Format-Serving or a bundle.

    Raises:
      KwsError: a file is missing, they do not fit each other, or TFLM cannot load the model.
    """
    kind = _KINDS[kind_of(folder)][runtime]
    return kind.load_folder(folder, num_threads)  # type: ignore[return-value]


def of_content(
    content: bytes,
    labels: Sequence[str],
    feature_params: FeatureParams,
    kind: Kind,
    *,
    runtime: Runtime = "tflite",
) -> Int8Any:
    """A model from the bytes of its file; errors as of the constructors."""
    return _KINDS[kind][runtime](content, labels, feature_params)  # type: ignore[return-value]


def kind_of(folder: str | Path) -> Kind:
    """What `manifest.json` or `conversion.json` says.

    Raises:
      KwsError: neither is there, or they name a kind that this version does not know.
    """
    for name, key in ((MANIFEST_FILE, "type"), (CONVERSION_FILE, "kind")):
        file = Path(folder) / name
        if file.is_file():
            kind = json.loads(file.read_text()).get(key)
            if kind not in _KINDS:
                raise KwsError(
                    f"{file} says {key}={kind!r}", hint=f"known kinds: {', '.join(_KINDS)}"
                )
            return kind
    raise KwsError(
        f"{folder} holds neither {MANIFEST_FILE} nor {CONVERSION_FILE}",
        hint="give a bundle, or the folder of a converted model",
    )


def stage_of_folder(
    folder: str | Path, detector: DetectorParams, runtime: Runtime = "tflite"
) -> Stage:
    """The model of a folder with `model.tflite`, and its frontend; errors as of `load`."""
    model = load_folder(folder, runtime=runtime)
    return Stage(
        model=model,
        frontend=features.create(model.feature_params),
        detector=detector,
        macs=flatbuffer.count_macs((Path(folder) / MODEL_FILE).read_bytes()),
    )


def stage_of_bundle(bundle: str | Path, runtime: Runtime = "tflite") -> Stage:
    """A pushed bundle with its own detector's settings.

    Args:
      bundle: one version, or the folder of versions that holds `LATEST`.
      runtime: see `load`.

    Raises:
      KwsError: there is no bundle, or its manifest has no detector.
    """
    folder = bundle_folder(bundle)
    try:
        described = json.loads((folder / MANIFEST_FILE).read_text())["detector"]
    except (OSError, ValueError, KeyError) as error:
        raise KwsError(f"{folder}/{MANIFEST_FILE} does not say how to detect: {error!r}") from None
    return stage_of_folder(folder, DetectorParams(**described), runtime)


def stage_identity(bundle: str | Path) -> dict[str, str]:
    """Which bundle it is, so that a report says so when the folder is gone."""
    folder = bundle_folder(bundle)
    described = json.loads((folder / MANIFEST_FILE).read_text())
    return {
        "name": described["name"],
        "version": described["version"],
        "sha256": hashlib.sha256((folder / MODEL_FILE).read_bytes()).hexdigest(),
    }
