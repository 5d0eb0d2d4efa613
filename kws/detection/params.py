"""Settings of the detector, its gates on streams, and of a cascade of two models."""

import re
from typing import Annotated, Any, Literal

import pydantic

from kws.params import Params


class CascadeParams(Params):
    """The first stage of a cascade whose second stage is the model of this run."""

    first_stage: str = pydantic.Field(
        min_length=1,
        description="a pushed bundle, or the folder of versions that holds LATEST",
    )
    threshold: float = pydantic.Field(
        0.3,
        gt=0,
        lt=1,
        description="the first stage wakes the second where any of its keywords, averaged as its "
        "own manifest says, reaches this: lower than its own threshold, for what it does not let "
        "through is lost",
    )
    hold_ms: int = pydantic.Field(
        1000, gt=0, description="the second stage runs on for this long after the last such moment"
    )
    max_duty_cycle: float | None = pydantic.Field(
        None, ge=0, le=1, description="share of time in which the second stage may run"
    )
    max_macs_per_second: float | None = pydantic.Field(
        None, gt=0, description="multiply-accumulates of both stages, on the average"
    )


STEPS_BETWEEN = 75
"""Of the trigger-word assignment, see `kws.detection.rules.steps`."""


Runtime = Literal["tflite", "tflm"]
"""What runs an int8 file: TFLite on this machine, or TensorFlow Lite Micro's own interpreter."""


class DetectorParams(Params):
    """From posteriors to detections; shipped in the manifest. docs/detection.md draws the rules."""

    rule: Literal["average", "sliding_mean", "consecutive", "steps"] = pydantic.Field(
        "average",
        description="average: RecognizeCommands; sliding_mean: microWakeWord's mean of the last "
        "rows; consecutive: some rows in a row; steps: the trigger word's, one row alone (see "
        "kws/detection/rules)",
    )
    average_window_ms: int = pydantic.Field(
        300, gt=0, description="posteriors are averaged over this; not by consecutive and steps"
    )
    clip_stride_ms: int = pydantic.Field(40, gt=0, description="the model runs this often")
    detection_threshold: float = pydantic.Field(0.7, gt=0, lt=1)
    minimum_count: int = pydantic.Field(
        3,
        ge=1,
        description="of rule average: posteriors before a detection may fire; of rule consecutive: "
        "posteriors in a row that must reach the threshold",
    )
    suppression_ms: int = pydantic.Field(
        1000, ge=0, description="quiet time after a detection; not of rule steps"
    )
    rearm: bool = pydantic.Field(
        False,
        description="of rule average: a keyword fires again only after its average was below the "
        "threshold; False: a word that holds its score fires again after suppression_ms",
    )
    steps_between: int = pydantic.Field(
        STEPS_BETWEEN,
        ge=1,
        description="of rule steps: posteriors from a detection to the next, at least",
    )

    @pydantic.model_validator(mode="after")
    def _can_fire(self) -> "DetectorParams":
        if self.rearm and self.rule != "average":
            raise ValueError(f"rearm=True goes with rule average, not with rule {self.rule}")
        rows = self.rows_averaged
        if self.rule == "average" and self.minimum_count > rows:
            raise ValueError(
                f"minimum_count={self.minimum_count} is more than the {rows} posteriors that fit "
                f"into average_window_ms={self.average_window_ms} at clip_stride_ms="
                f"{self.clip_stride_ms}: nothing could ever be detected"
            )
        return self

    @property
    def averages(self) -> bool:
        """Whether the rule averages over `average_window_ms`."""
        return self.rule in ("average", "sliding_mean")

    @property
    def quiet_ms(self) -> int:
        """For how long a detection keeps the next one from firing."""
        between_ms = self.steps_between * self.clip_stride_ms
        return between_ms if self.rule == "steps" else self.suppression_ms

    @property
    def rows_averaged(self) -> int:
        """How many posteriors a mean is of, at the most; 1 where nothing is averaged."""
        return -(-self.average_window_ms // self.clip_stride_ms) if self.averages else 1

    def with_window(self, average_window_ms: int) -> "DetectorParams":
        """The same with another average_window_ms; raises ValueError if it cannot go with it."""
        return DetectorParams(**{**self.model_dump(), "average_window_ms": average_window_ms})

    def consecutive(self, count: int) -> "DetectorParams":
        """The rule consecutive with so many rows in a row, at the same stride and suppression."""
        changes = {"rule": "consecutive", "minimum_count": count, "rearm": False}
        return DetectorParams(**{**self.model_dump(), **changes})


SENSITIVITIES = {"low": 0.05, "medium": 0.1, "high": 0.5}
"""False accepts an hour: one in 20 hours, in 10 and in 2."""


class OperatingPointParams(Params):
    """How threshold and smoothing are chosen: on the eval streams, for a target rate."""

    target_false_accepts_per_hour: float | None = pydantic.Field(
        1.0,
        ge=0,
        description="None keeps the configured detection_threshold; with sensitivities, it is that "
        "of the default one",
    )
    candidates: int = pydantic.Field(80, ge=2, description="thresholds tried, at most")
    average_windows_ms: tuple[int, ...] = pydantic.Field(
        (),
        description="smoothing tried beside the configured average_window_ms, each with all "
        "thresholds; none: only the configured one",
    )
    consecutive_counts: tuple[Annotated[int, pydantic.Field(ge=1)], ...] = pydantic.Field(
        (),
        description="minimum_count of the rule consecutive, each tried with all thresholds beside "
        "the configured detector and its windows",
    )
    sensitivities: dict[str, Annotated[float, pydantic.Field(gt=0)]] = pydantic.Field(
        {},
        description="name -> false accepts an hour: thresholds shipped under a name; with a "
        f"default_sensitivity and none named: {SENSITIVITIES}",
    )
    default_sensitivity: str | None = pydantic.Field(
        None,
        description="the one that is gated and that a device starts with; medium if sensitivities "
        "are named and nothing is said",
    )

    @pydantic.model_validator(mode="before")
    @classmethod
    def _fill_sensitivities(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        values = dict(values)
        if not values.get("sensitivities") and values.get("default_sensitivity") is not None:
            values["sensitivities"] = SENSITIVITIES
        named = values.get("sensitivities")
        if named and values.get("default_sensitivity") is None:
            values["default_sensitivity"] = "medium"
        default = values.get("default_sensitivity")
        if isinstance(named, dict) and isinstance(default, str) and default in named:
            values.setdefault("target_false_accepts_per_hour", named[default])
        return values

    @pydantic.model_validator(mode="after")
    def _sensitivities_fit(self) -> "OperatingPointParams":
        default, target = self.default_sensitivity, self.target_false_accepts_per_hour
        if default is None:
            return self
        for name in self.sensitivities:
            if not re.fullmatch("[a-z][a-z0-9_]*", name):
                raise ValueError(
                    f"sensitivities: {name!r} must be lower-case letters, digits and _, for it "
                    "becomes the name of a macro in C"
                )
        if default not in self.sensitivities:
            raise ValueError(
                f"default_sensitivity={default!r} is not among the sensitivities: "
                f"{', '.join(self.sensitivities)}"
            )
        if target != self.sensitivities[default]:
            raise ValueError(
                f"target_false_accepts_per_hour={target} is not the target of sensitivity "
                f"{default}, {self.sensitivities[default]:g}: leave it out, or write "
                "default_sensitivity: null and no sensitivities"
            )
        return self

    def detectors(self, configured: DetectorParams) -> list[DetectorParams]:
        """Every rule and smoothing to try, the configured one first, then by their length.

        Raises:
          ValueError: one of them cannot be.
        """
        if self.average_windows_ms and not configured.averages:
            raise ValueError(
                f"operating_point.average_windows_ms={list(self.average_windows_ms)}: rule "
                f"{configured.rule} averages nothing, leave it empty"
            )
        found = [configured]
        found += [configured.with_window(ms) for ms in sorted(set(self.average_windows_ms))]
        found += [configured.consecutive(count) for count in sorted(set(self.consecutive_counts))]
        return [one for place, one in enumerate(found) if one not in found[:place]]

    @pydantic.field_validator("average_windows_ms")
    @classmethod
    def _positive(cls, windows_ms: tuple[int, ...]) -> tuple[int, ...]:
        if any(window_ms <= 0 for window_ms in windows_ms):
            raise ValueError(f"average_windows_ms={list(windows_ms)}: a window is longer than 0 ms")
        return windows_ms


class MatchParams(Params):
    """When a detection counts as a hit of a word in the ground truth."""

    before_ms: int = pydantic.Field(
        100, ge=0, description="a detection may come so long before the word's start"
    )
    after_ms: int = pydantic.Field(750, ge=0, description="and so long after its end")


class StreamingGateParams(Params):
    """Limits on the test streams; None leaves a figure ungated."""

    max_false_accepts_per_hour: float | None = pydantic.Field(None, ge=0)
    max_miss_rate: float | None = pydantic.Field(None, ge=0, le=1)
    max_miss_rate_of_condition: float | dict[str, float] | None = pydantic.Field(
        None,
        description="of the hardest of streams.conditions; or of each that is named: "
        "{quiet: 0.05, babble: 0.4}",
    )
    min_words_of_condition: int = pydantic.Field(
        20, ge=1, description="keywords; a condition with fewer does not pass its gate"
    )
    min_recorded_hours: float | None = pydantic.Field(
        None,
        gt=0,
        description="of test recordings without a keyword (not of synthesized speech); None: what "
        "the false accepts rest on is said in words alone",
    )
    max_wrong_word_rate: float | None = pydantic.Field(None, ge=0, le=1)
    max_latency_ms: float | None = pydantic.Field(
        None, description="from a word's end to its detection, of the hits"
    )
    latency: Literal["median", "p95"] = pydantic.Field(
        "p95", description="which of the latencies max_latency_ms holds"
    )
    on_bound: bool = pydantic.Field(
        False, description="judge the upper 95 % bound, not the estimate"
    )
    against_last: bool = pydantic.Field(
        True,
        description="refuse what is shown to be worse than the last blessed model on these streams",
    )
    max_miss_rate_rise_of_last: float | None = pydantic.Field(
        None,
        ge=0,
        le=1,
        description="how much more of the words the last blessed model may miss on these streams "
        "than when it was judged: more, and the new labels are likely wrong; kws retrain asks it",
    )

    @pydantic.field_validator("max_miss_rate_of_condition")
    @classmethod
    def _rates(cls, limits: float | dict[str, float] | None) -> float | dict[str, float] | None:
        given = limits.values() if isinstance(limits, dict) else [limits or 0.0]
        wrong = [limit for limit in given if not 0 <= limit <= 1]
        if wrong:
            raise ValueError(f"a miss rate of {wrong[0]:g} is not from 0 to 1")
        if limits == {}:
            raise ValueError("{} names no condition: name some, or give one limit for all")
        return limits


class StreamingParams(Params):
    """The StreamingEvaluator's whole section."""

    runtime: Runtime = pydantic.Field(
        "tflite",
        description="what runs the int8 file over the streams; tflm, TensorFlow Lite Micro's own "
        "interpreter, gives the same numbers (but for trigger_gru: docs/parity.md) and takes a "
        "windowed model several times as long",
    )
    detector: DetectorParams = DetectorParams()
    operating_point: OperatingPointParams = OperatingPointParams()
    match: MatchParams = MatchParams()
    cascade: CascadeParams | None = pydantic.Field(
        None,
        description="a tiny model that listens first, this run's model being woken by it; "
        "what is judged is then the two together. docs/cascade.md",
    )
    gates: StreamingGateParams = StreamingGateParams()

    @pydantic.model_validator(mode="after")
    def _rules_fit(self) -> "StreamingParams":
        self.operating_point.detectors(self.detector)
        counts = self.operating_point.consecutive_counts
        if counts and self.cascade is not None:
            raise ValueError(
                f"operating_point.consecutive_counts={list(counts)}: behind the first stage of a "
                "cascade rows are missing, and rule consecutive counts them: leave it empty"
            )
        return self
