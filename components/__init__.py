"""TFX components: a folder each, a spec and a thin executor.

The artifact types of `components.artifacts` are attributes of this package, too: a container on
Kubeflow finds the class of an artifact by its type name, `components.AudioStreams`.
"""

from typing import Any

import kws  # noqa: F401  # selects Keras 2 before TFX imports TensorFlow

_ARTIFACTS = ("AudioStreams", "ConversionReport", "StreamingBlessing", "StreamingEvaluation")


def __getattr__(name: str) -> Any:
    # Not imported before they are asked for: TFX takes seconds.
    if name in _ARTIFACTS:
        from components import artifacts

        return getattr(artifacts, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
