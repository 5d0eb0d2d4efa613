"""Measures what a model of the zoo costs a device before it is trained, and caches the result.

A cache entry belongs to the code that it was measured with: a changed file of `kws/models`,
`kws/export` or `kws/runtime`, or another version of TensorFlow or TensorFlow Lite Micro,
invalidates it.
"""

import contextlib
import dataclasses
import functools
import hashlib
import importlib.metadata
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import kws
from kws import storage
from kws.export import flatbuffer as elements
from kws.export.convert import MICRO_FULL_SCALE
from kws.export.device_form import DeviceForm
from kws.features import model_input
from kws.features.params import FeatureParams
from kws.models import cost, registry
from kws.models.params import ModelParams
from kws.runtime import targets, tflm

if TYPE_CHECKING:
    import tensorflow as tf


_CALIBRATION_CLIPS = 8


@dataclasses.dataclass(frozen=True, kw_only=True)
class Footprint:
    """Figures of one model at given features and labels.

    Attributes:
      parameters: weights, with the moving averages of normalizations.
      macs: multiply-accumulates of one inference.
      frames_per_inference: of a clip, or of a step where the model is streaming.
      receptive_field_frames: what a posterior depends on.
      int8_bytes: of the `.tflite` file; None if not measured.
      arena_bytes: what TensorFlow Lite Micro needs beside it; None if not measured.
      elements: values that it computes beside the multiply-accumulates; None if not measured.
    """

    name: str
    variant: str | None
    streaming: bool
    parameters: int
    macs: int
    frames_per_inference: int
    receptive_field_frames: int
    int8_bytes: int | None = None
    arena_bytes: int | None = None
    elements: int | None = None

    def latency_ms(self, device: str) -> float | None:
        """Of one inference on a target, estimated (see `targets`); None if not measured."""
        if self.elements is None:
            return None
        # The time between inferences is asked for, and has no part in the latency.
        cost = targets.cost(targets.target(device), self.macs, self.elements, every_ms=1)
        return cost.latency_ms


def members() -> list[ModelParams]:
    """All architectures in all variants that their papers name."""
    return [
        ModelParams(name=name, variant=variant)
        for name in registry.names()
        for variant in (registry.variants(name) or (None,))
    ]


def footprint(
    params: ModelParams,
    feature_params: FeatureParams,
    num_labels: int,
    *,
    measured: bool = False,
) -> Footprint:
    """Builds the model in the form that a device runs and counts.

    Args:
      params: architecture, variant and options.
      feature_params: of the micro frontend.
      num_labels: length of `kws.labels.label_list(keywords)`.
      measured: convert to int8 and run it in TensorFlow Lite Micro, which takes some seconds.

    Raises:
      KwsError: the model cannot be built for such features, or TFLM cannot run it.
    """
    shape, module = feature_params.feature_shape, registry.architecture(params.name)
    options = registry.options(params)
    context = feature_params.context_shape
    model = registry.build(params, shape, num_labels, context_frames=feature_params.context_frames)
    clips = _noise_clips(feature_params)
    if measured:
        settle(model, model_input.to_model_input(clips, feature_params))
    form = DeviceForm.of(model, params, feature_params, num_labels)
    field = module.receptive_field_frames(options, context) if module.STREAMING else shape[0]
    int8_bytes = arena_bytes = values = None
    if measured:
        int8_bytes, arena_bytes, values = _measure(form, clips, feature_params)
    return Footprint(
        name=params.name,
        variant=params.variant,
        streaming=module.STREAMING,
        parameters=model.count_params(),
        macs=cost.macs(form.model),
        frames_per_inference=form.frames_per_inference,
        receptive_field_frames=field,
        int8_bytes=int8_bytes,
        arena_bytes=arena_bytes,
        elements=values,
    )


def _noise_clips(feature_params: FeatureParams) -> np.ndarray:
    """uint16 `[clips, frames, channels]`."""
    shape = (_CALIBRATION_CLIPS, *feature_params.feature_shape)
    return np.random.default_rng(0).integers(0, MICRO_FULL_SCALE, shape, np.uint16)


def settle(model: "tf.keras.Model", clips: np.ndarray) -> None:
    """Sets the normalizations' averages to those of some clips.

    Untrained, a deep model's values shrink from layer to layer until the scale of its last ones is
    below 2^-26, at which TFLM's softmax aborts.
    """
    import tensorflow as tf

    norms = [x for x in model.layers if isinstance(x, tf.keras.layers.BatchNormalization)]
    momenta = [layer.momentum for layer in norms]
    for layer in norms:
        layer.momentum = 0.0
    model(clips, training=True)
    for layer, momentum in zip(norms, momenta, strict=True):
        layer.momentum = momentum


def _measure(
    form: DeviceForm, clips: np.ndarray, feature_params: FeatureParams
) -> tuple[int, int, int]:
    """Bytes of the int8 file and of the arena, and the values that it computes one by one."""
    import tensorflow as tf

    content = form.to_tflite(clips, feature_params, tf.int8)
    inputs = np.zeros((1, *form.model.input_shape[1:]), np.int8)
    return len(content), tflm.run(content, inputs).arena_bytes, elements.count_elementwise(content)


_SOURCES = ("models", "export", "runtime")
_PACKAGES = ("tensorflow", "tflite-micro")


def default_folder() -> Path:
    """`footprints/` of the cache."""
    return storage.cache_root() / "footprints"


def cached_footprint(
    params: ModelParams,
    feature_params: FeatureParams,
    num_labels: int,
    *,
    measured: bool,
    folder: Path | None = None,
) -> Footprint:
    """As `kws.runtime.footprint.footprint`, which is called only where nothing is stored.

    A measured entry answers an unmeasured question too.
    """
    folder = folder or default_folder()
    path = folder / f"{_key(params, feature_params, num_labels)}.json"
    known = _read(path)
    if known is not None and not (measured and known.int8_bytes is None):
        return known
    found = footprint(params, feature_params, num_labels, measured=measured)
    _write(path, found)
    return found


def _key(params: ModelParams, feature_params: FeatureParams, num_labels: int) -> str:
    asked = json.dumps([params.to_json(), feature_params.to_json(), num_labels])
    return hashlib.sha256(f"{_version()}{asked}".encode()).hexdigest()


@functools.cache
def _version() -> str:
    """Changes with whatever may change a figure."""
    digest = hashlib.sha256()
    root = Path(kws.__file__).parent
    for source in _SOURCES:
        for file in sorted((root / source).rglob("*.py")):
            digest.update(f"{file.relative_to(root)}\0".encode() + file.read_bytes())
    for package in _PACKAGES:
        digest.update(f"{package} {importlib.metadata.version(package)}\0".encode())
    return digest.hexdigest()


def _read(path: Path) -> Footprint | None:
    """None where nothing is stored, or nothing that can be read."""
    try:
        return Footprint(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _write(path: Path, found: Footprint) -> None:
    """A folder that cannot be written to is not an error: it only takes time again."""
    with contextlib.suppress(OSError):
        storage.atomic_write(path, json.dumps(dataclasses.asdict(found)))
