"""Gates on clips: accuracy and, for every label, precision, recall and false-positive rate."""

import pydantic

from kws.params import Params


class ClassGateParams(Params):
    """Limits for one label; None leaves a figure ungated."""

    min_precision: float | None = pydantic.Field(None, ge=0, le=1)
    min_recall: float | None = pydantic.Field(None, ge=0, le=1)
    max_false_positive_rate: float | None = pydantic.Field(None, ge=0, le=1)
    max_recall_drop_from_last: float | None = pydantic.Field(
        None, ge=0, le=1, description="to the last blessed model, on the same clips"
    )
    max_false_positive_rate_rise_from_last: float | None = pydantic.Field(None, ge=0, le=1)


class EvaluationParams(Params):
    """What TFMA judges on the test split, always on the int8 network."""

    min_accuracy: float = pydantic.Field(0.8, ge=0, le=1)
    every_class: ClassGateParams = ClassGateParams()
    per_class: dict[str, ClassGateParams] = pydantic.Field(
        default_factory=dict, description="by label; overrides every_class"
    )
    max_accuracy_drop_from_last: float = pydantic.Field(
        0.02, ge=0, le=1, description="a candidate may lose so much to the last blessed model"
    )

    on_bound: bool = pydantic.Field(
        False,
        description="judge the 95 % bounds that are the worse, not the estimates; drops are always "
        "those of the estimates",
    )

    def limits_of(self, label: str) -> ClassGateParams:
        """The limits in force for a label: its own where set, else those of every class.

        One that anything keeps to (at least 0, at most 1) is none: the precision of a label that
        was never recognized is not a number, which keeps to no limit.
        """
        own = self.per_class.get(label, ClassGateParams()).model_dump(exclude_none=True)
        limits = self.every_class.model_copy(update=own)
        anything = {"min_precision": 0, "min_recall": 0, "max_false_positive_rate": 1}
        none = {
            name: None for name, all_of_it in anything.items() if getattr(limits, name) == all_of_it
        }
        return limits.model_copy(update=none)
