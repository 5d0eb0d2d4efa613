"""Stages of a cascade from files: a model in its folder, or a bundle that was pushed."""

import hashlib
import json
from pathlib import Path

from kws import features
from kws.errors import KwsError
from kws.micro import load, macs
from kws.micro.bundle_folder import bundle_folder
from kws.micro.int8_file import MODEL_FILE
from kws.streaming.cascade_stage import Stage
from kws.streaming.params import DetectorParams


def of_folder(
    folder: str | Path, detector: DetectorParams, runtime: load.Runtime = "tflite"
) -> Stage:
    """The model of a folder with `model.tflite`, and its frontend; errors as of `load`."""
    model = load.load_folder(folder, runtime=runtime)
    return Stage(
        model=model,
        frontend=features.create(model.feature_params),
        detector=detector,
        macs=macs.count((Path(folder) / MODEL_FILE).read_bytes()),
    )


def of_bundle(bundle: str | Path, runtime: load.Runtime = "tflite") -> Stage:
    """A pushed bundle with its own detector's settings.

    Args:
      bundle: one version, or the folder of versions that holds `LATEST`.
      runtime: see `load`.

    Raises:
      KwsError: there is no bundle, or its manifest has no detector.
    """
    folder = bundle_folder(bundle)
    try:
        described = json.loads((folder / load.MANIFEST_FILE).read_text())["detector"]
    except (OSError, ValueError, KeyError) as error:
        raise KwsError(
            f"{folder}/{load.MANIFEST_FILE} does not say how to detect: {error!r}"
        ) from None
    return of_folder(folder, DetectorParams(**described), runtime)


def identity(bundle: str | Path) -> dict[str, str]:
    """Which bundle it is, so that a report says so when the folder is gone."""
    folder = bundle_folder(bundle)
    described = json.loads((folder / load.MANIFEST_FILE).read_text())
    return {
        "name": described["name"],
        "version": described["version"],
        "sha256": hashlib.sha256((folder / MODEL_FILE).read_bytes()).hexdigest(),
    }
