"""From whom a model learns besides the labels."""

import pydantic

from kws.errors import KwsError
from kws.models import registry
from kws.models.params import ModelParams
from kws.params import Params


class DistillationParams(Params):
    """A larger member of the zoo, or several of them, is trained first and teaches the model."""

    teacher: ModelParams = ModelParams(name="ds_cnn", variant="M")
    teachers: int = pydantic.Field(
        1, ge=1, le=16, description="of other seeds; the mean of their posteriors is taught"
    )
    teacher_epochs: int | None = pydantic.Field(
        None, ge=1, description="None: as many as the model's own"
    )
    share: float = pydantic.Field(
        0.7, gt=0, le=1, description="of the teacher in the loss; the labels have the rest"
    )
    temperature: float = pydantic.Field(
        2.0, gt=0, le=20, description="softens both sides' posteriors; 1: as they are"
    )

    def check(self, model: ModelParams) -> None:
        """Refuses a teacher that cannot teach this model. Imports no TensorFlow.

        Raises:
          KwsError: the teacher or one of its options is unknown, or one of the two answers at
            every step.
        """
        registry.options(self.teacher)
        for what, name in (("model", model.name), ("teacher", self.teacher.name)):
            if registry.output(name) != "labels":
                raise KwsError(
                    f"training.distillation: the {what} {name} answers at every step, and only "
                    "posteriors of labels are taught",
                    hint="leave out training.distillation, or take a model of whole clips",
                )
