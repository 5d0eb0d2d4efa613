"""Features: from audio to what a model hears. One file a frontend; `create` finds it by name."""

import importlib

from kws.features.frontend import Frontend
from kws.features.params import FeatureParams

_FRONTENDS = {
    "micro": "kws.features.micro:MicroFrontend",
    "log_mel": "kws.features.log_mel:LogMelFrontend",
    "mfcc": "kws.features.mfcc:MfccFrontend",
    "spectrogram": "kws.features.spectrogram:SpectrogramFrontend",
    "speech_mel": "kws.features.speech_mel:SpeechMelFrontend",
    "speech_embedding": "kws.speech.frontend:SpeechEmbeddingFrontend",
}
"""Name to module and class. A frontend joins here and in `FeatureParams.frontend`."""


def frontend_class(name: str) -> type[Frontend]:
    """The class of that name, for its dtype and scale; TensorFlow is not imported for it."""
    module, _, class_name = _FRONTENDS[name].partition(":")
    return getattr(importlib.import_module(module), class_name)


def create(params: FeatureParams) -> Frontend:
    """The frontend that `params.frontend` names.

    Raises:
      KwsError: the frontend cannot work with these parameters.
    """
    return frontend_class(params.frontend)(params)


__all__ = ["FeatureParams", "Frontend", "create", "frontend_class"]
