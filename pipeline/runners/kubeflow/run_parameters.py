"""What can be changed for one run on Kubeflow without compiling anew.

A component carries a section of the configuration as JSON in one execution property, and Kubeflow
knows whole properties only. So a task has one input more for each parameter, `run_<name>`, which
the compiled specification binds (`compile`) and which the container's entry point (`entrypoint`)
writes to its place in the JSON before the executor sees it. It is
validated there, as the configuration is: by the section's own class.
"""

import dataclasses
import json
from collections.abc import Callable
from typing import Any, NamedTuple

PREFIX = "run_"
"""Of the inputs of tasks."""
NEWEST_SPAN = -1

Properties = dict[str, Any]
Value = str | int | float


class Place(NamedTuple):
    """Where a value is in the properties of a task.

    Attributes:
      get: reads it; None: this pipeline has no such parameter.
      put: changes it.
    """

    get: Callable[[Properties], Value | None]
    put: Callable[[Properties, Value], None]


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunParameter:
    """One parameter of a run.

    Attributes:
      name: in the pipeline's form.
      help: one sentence for it.
      kind: str, int or float.
      tasks: whose properties it changes; of those, the ones that the pipeline has.
      place: where it is in a task's properties.
      first_only: of `tasks`, only the first that the pipeline has.
    """

    name: str
    help: str
    kind: type
    tasks: tuple[str, ...]
    place: Place
    first_only: bool = False

    @property
    def input_name(self) -> str:
        """Of the task's input."""
        return f"{PREFIX}{self.name}"


def apply(properties: Properties) -> Properties:
    """The properties of an execution with the run's parameters at their places, and gone."""
    # By their whole names: a Trainer's own `run_fn` begins like them.
    names = {parameter.input_name for parameter in PARAMETERS}
    changed = {key: value for key, value in properties.items() if key not in names}
    for parameter in PARAMETERS:
        if parameter.input_name in properties:
            parameter.place.put(changed, parameter.kind(properties[parameter.input_name]))
    return changed


def _at(*path: str) -> Place:
    """A place in nested JSON; a text on the way is JSON itself."""

    def get(properties: Properties) -> Value | None:
        found: Any = properties
        for key in path:
            found = json.loads(found) if isinstance(found, str) else found
            found = found.get(key)
            if found is None:
                return None
        return found

    def put(properties: Properties, value: Value) -> None:
        properties.update(_changed(properties, path, value))

    return Place(get, put)


def _changed(content: Any, path: tuple[str, ...], value: Value) -> Any:
    if not path:
        return value
    if isinstance(content, str):
        return json.dumps(_changed(json.loads(content), path, value))
    return {**content, path[0]: _changed(content[path[0]], path[1:], value)}


def _get_span(properties: Properties) -> int | None:
    return NEWEST_SPAN if "{SPAN" in properties.get("input_config", "") else None


def _put_span(properties: Properties, value: Value) -> None:
    if int(value) > NEWEST_SPAN:
        numbers = {"start_span_number": int(value), "end_span_number": int(value)}
        properties["range_config"] = json.dumps({"static_range": numbers})


def _accuracy_bounds(config: Any) -> list[dict[str, Any]]:
    """The lower bounds on the accuracy (estimate or bound) in TFMA's EvalConfig."""
    return [
        threshold["threshold"]["value_threshold"]
        for spec in config.get("metrics_specs", [])
        for metric in spec.get("metrics", [])
        if json.loads(metric.get("config") or "{}").get("name") in ("accuracy", "accuracy_bound")
        for threshold in metric.get("per_slice_thresholds", [])
        if "lower_bound" in threshold["threshold"].get("value_threshold", {})
    ]


def _get_accuracy(properties: Properties) -> float | None:
    bounds = _accuracy_bounds(json.loads(properties["eval_config"]))
    return bounds[0]["lower_bound"] if bounds else None


def _put_accuracy(properties: Properties, value: Value) -> None:
    config = json.loads(properties["eval_config"])
    for bound in _accuracy_bounds(config):
        bound["lower_bound"] = float(value)
    properties["eval_config"] = json.dumps(config)


_TRAINERS = ("FirstTrainer", "Trainer")

PARAMETERS = (
    RunParameter(
        name="data",
        help="folder of the recordings, as the containers see it: a path or a URL",
        kind=str,
        tasks=("NewData", "AudioExampleGen", "AudioSynthesizer"),
        place=_at("input_base"),
    ),
    RunParameter(
        name="span",
        help=f"number of the span to ingest; {NEWEST_SPAN}: the newest",
        kind=int,
        tasks=("AudioExampleGen",),
        place=Place(_get_span, _put_span),
    ),
    RunParameter(
        name="epochs",
        help="of the training (with hard negatives, of the first)",
        kind=int,
        tasks=_TRAINERS,
        first_only=True,
        place=_at("custom_config", "training", "epochs"),
    ),
    RunParameter(
        name="learning_rate",
        help="of the same training",
        kind=float,
        tasks=_TRAINERS,
        first_only=True,
        place=_at("custom_config", "training", "learning_rate"),
    ),
    RunParameter(
        name="base_model",
        help="a Trainer's model to start from, by its URL; empty: that of the served version",
        kind=str,
        tasks=("BaseModel",),
        place=_at("uri"),
    ),
    RunParameter(
        name="min_accuracy",
        help="gate on the accuracy on clips",
        kind=float,
        tasks=("Evaluator",),
        place=Place(_get_accuracy, _put_accuracy),
    ),
    RunParameter(
        name="max_false_accepts_per_hour",
        help="gate on the streams",
        kind=float,
        tasks=("StreamingEvaluator",),
        place=_at("params", "gates", "max_false_accepts_per_hour"),
    ),
    RunParameter(
        name="max_miss_rate",
        help="gate on the streams, 0 to 1",
        kind=float,
        tasks=("StreamingEvaluator",),
        place=_at("params", "gates", "max_miss_rate"),
    ),
    RunParameter(
        name="max_flash_bytes",
        help="gate on the device's budget",
        kind=int,
        tasks=("MicroValidator",),
        place=_at("params", "max_flash_bytes"),
    ),
    RunParameter(
        name="max_arena_bytes",
        help="gate on the device's budget",
        kind=int,
        tasks=("MicroValidator",),
        place=_at("params", "max_arena_bytes"),
    ),
    RunParameter(
        name="destination",
        help="where bundles are pushed, and the registry of earlier runs is",
        kind=str,
        tasks=(
            *("NewData", "PreviousStatistics", "StatisticsKeeper", "BaseModel", "ServedModel"),
            *("MicroPusher", "ModelKeeper"),
        ),
        place=_at("destination"),
    ),
    RunParameter(
        name="force",
        help="1: train even if nothing is new",
        kind=int,
        tasks=("NewData",),
        place=_at("force"),
    ),
)
"""In the order in which a form shows them."""
