"""Which kind of int8 model a folder holds; everyone who scores one loads it by this."""

import json
from collections.abc import Sequence
from pathlib import Path

from kws.errors import KwsError
from kws.features.params import FeatureParams
from kws.micro.int8_file import Int8File, Kind
from kws.micro.streaming_model import Int8StreamingModel
from kws.micro.tflite_model import Int8Model
from kws.micro.tflm_model import TflmModel, TflmStreamingModel
from kws.streaming.params import Runtime

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
