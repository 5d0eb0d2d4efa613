"""How long a trained model is tuned with int8 rounding in it, and which models can be."""

import pydantic

from kws.errors import KwsError
from kws.models import registry
from kws.models.params import ModelParams
from kws.params import Params

_UNKNOWN_LAYERS = {
    "bc_resnet": "its sub-spectral normalization is unknown to TensorFlow Model Optimization",
    "crnn": "its gated recurrent units are unknown to TensorFlow Model Optimization",
}


class QuantizationAwareParams(Params):
    """After its training the model is tuned with the rounding that int8 will bring."""

    epochs: int = pydantic.Field(5, ge=1)
    learning_rate: float = pydantic.Field(4e-4, gt=0, description="peak; same schedule")

    def check(self, model: ModelParams) -> None:
        """Refuses a model that cannot be tuned so. Imports no TensorFlow.

        Raises:
          KwsError: it has layers without fake quantization, or is converted in another form than
            the one that is trained.
        """
        reason = _UNKNOWN_LAYERS.get(model.name)
        if registry.architecture(model.name).STREAMING:
            reason = "it is converted in its one-step form, whose state would have no learnt range"
        if reason:
            raise KwsError(
                f"training.quantization_aware cannot tune {model.name}: {reason}",
                hint="leave it out: the converter calibrates the model as ever",
            )
