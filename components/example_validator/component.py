"""TFX's own ExampleValidator with an executor that stops the run at an anomaly."""

from tfx.components import ExampleValidator
from tfx.dsl.components.base import executor_spec

from components.example_validator import executor


class StrictExampleValidator(ExampleValidator):
    """Outputs `anomalies`, as its base class; fails, naming them, if there are any."""

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)
