"""Artifact types of our own. Everything else is one of TFX's standard artifacts.

`TYPE_NAME` is the importable class path, and there are no PROPERTIES: that is what survives the
Kubeflow compiler, which takes one dot and no more (so `components` hands on these classes); figures
go into custom properties.
"""

from tfx.types import artifact


class AudioStreams(artifact.Artifact):
    """Evaluation streams: `Split-<name>/<stream>.wav`, each beside its ground truth `.json`."""

    TYPE_NAME = "components.AudioStreams"


class StreamingEvaluation(artifact.Artifact):
    """`evaluation.json` (rates with bounds, per keyword), `detections.jsonl`, `detector.json`."""

    TYPE_NAME = "components.StreamingEvaluation"


class StreamingBlessing(artifact.Artifact):
    """`gates.json`; custom property `blessed` is 1 or 0."""

    TYPE_NAME = "components.StreamingBlessing"


class ConversionReport(artifact.Artifact):
    """`conversion.json`: float and int8 accuracy, agreement of the twins, quantization."""

    TYPE_NAME = "components.ConversionReport"
