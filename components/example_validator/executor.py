"""ExampleValidator's executor, which stops the run at an anomaly and names the clips."""

import dataclasses
import json
import os
from collections.abc import Iterator
from typing import Any

from absl import logging
from tensorflow_data_validation.anomalies.proto import custom_validation_config_pb2
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2
from tfx import types
from tfx.components.example_validator import executor, labels
from tfx.components.statistics_gen import stats_artifact_utils
from tfx.dsl.io import fileio
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import io_utils

from components.example_validator import findings, shift
from components.inputs import without_empty
from kws.corpus.params import ValidationParams
from kws.errors import DataError
from kws.report.data_statistics import WHOLE, label_counts
from kws.splits import TRAIN
from schemas.rules import LABEL, Rule, rules

PREVIOUS_KEY = "previous_statistics"
_HINT = (
    "mend the recordings or leave them out; if they are sound, widen the bound: those of clips are "
    "in schemas/audio/schema.pbtxt, those of labels and of change in the section validation"
)


class Executor(executor.Executor):
    """Validates as TFX does, with rules and comparators, then refuses what is anomalous."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ):
        """As the base class; see `StrictExampleValidator`.

        Raises:
          KwsError: names every anomaly with the number of clips and three of them, and every
            distance above its limit where that is gated.
        """
        input_dict = without_empty(input_dict, PREVIOUS_KEY)
        self._params = ValidationParams.from_json(exec_properties["params"])
        self._keywords = json.loads(exec_properties["keywords"])
        self._rules: dict[str, list[Rule]] = {}
        output = super().Do(input_dict, output_dict, exec_properties)

        artifact = artifact_utils.get_single_instance(
            output_dict[standard_component_specs.ANOMALIES_KEY]
        )
        found = [
            finding
            for split in artifact_utils.decode_split_names(artifact.split_names)
            for finding in self._findings(artifact, split, input_dict)
        ]
        shifts = self._shifts(input_dict)
        for moved in shifts:
            logging.log(logging.WARNING if moved.exceeded else logging.INFO, moved.sentence())
        gated = [moved for moved in shifts if moved.exceeded and moved.gated]
        _refuse(found, gated, exec_properties.get("report_file"))

        for kind in ("drift", "skew"):
            measured = [dataclasses.asdict(moved) for moved in shifts if moved.kind == kind]
            artifact.set_string_custom_property(kind, json.dumps(measured))
        # The base class has put a copy of the artifact into its output.
        published = output.output_artifacts[standard_component_specs.ANOMALIES_KEY].artifacts
        published[0].CopyFrom(artifact.mlmd_artifact)
        return output

    def _Validate(self, inputs: dict[str, Any], outputs: dict[str, Any]) -> anomalies_pb2.Anomalies:
        """Adds the rules of the split to what the base class has TFDV check."""
        split = os.path.basename(outputs[labels.SCHEMA_DIFF_PATH]).removeprefix("Split-")
        statistics = inputs[standard_component_specs.STATISTICS_KEY]
        features = {
            (dataset.name, feature.path.step[-1])
            for dataset in statistics.datasets
            for feature in dataset.features
        }
        whole = WHOLE if len(statistics.datasets) > 1 else statistics.datasets[0].name
        # TFDV fails on a rule about a slice or a feature that is not there. The schema says what
        # must be, and a label without clips is found by its number of clips.
        self._rules[split] = [
            rule
            for rule in rules(self._keywords, self._params, split)
            if (f"{LABEL}_{rule.label}" if rule.label else whole, rule.feature) in features
        ]
        config = _custom_validations(self._rules[split])
        key = standard_component_specs.CUSTOM_VALIDATION_CONFIG_KEY
        return super()._Validate({**inputs, key: config}, outputs)

    def _findings(
        self, artifact: types.Artifact, split: str, input_dict: dict[str, list[types.Artifact]]
    ) -> Iterator[findings.Finding]:
        """The anomalies of a split; the clips are read only if there are any."""
        folder = artifact_utils.get_split_uri([artifact], split)
        content = io_utils.read_bytes_file(os.path.join(folder, executor.DEFAULT_FILE_NAME))
        anomalies = anomalies_pb2.Anomalies.FromString(content)
        if anomalies.HasField("dataset_anomaly_info"):
            description = findings.describe(anomalies.dataset_anomaly_info)
            yield findings.Finding(split=split, feature="", description=description)
        if not anomalies.anomaly_info:
            return
        names = sorted(anomalies.anomaly_info)
        examples = input_dict.get(standard_component_specs.EXAMPLES_KEY)
        clips = {}
        if examples:
            files = [
                file
                for uri in artifact_utils.get_split_uris(examples, split)
                for file in fileio.glob(os.path.join(uri, "*"))
            ]
            batches = findings.read_batches(files)
            clips = findings.find(batches, names, _schema(input_dict), self._rules[split])
        statistics = _statistics(input_dict[standard_component_specs.STATISTICS_KEY], split)
        for name in names:
            yield findings.Finding(
                split=split,
                feature=name,
                description=findings.describe(anomalies.anomaly_info[name]),
                labels=label_counts(statistics) if name == LABEL else {},
                offenders=clips.get(name),
            )

    def _shifts(self, input_dict: dict[str, list[types.Artifact]]) -> list[shift.Shift]:
        """Skew of this span, and drift since the previous one if there is one."""
        (current,) = input_dict[standard_component_specs.STATISTICS_KEY]
        control = None
        for previous in input_dict.get(PREVIOUS_KEY) or ():
            control = shift.Control(
                statistics=_statistics([previous], TRAIN),
                what=f"train of span {current.span} against train of span {previous.span}",
            )
        splits = {
            split: _statistics([current], split)
            for split in artifact_utils.decode_split_names(current.split_names)
        }
        return shift.compare(splits, control, _schema(input_dict), self._params)


def _refuse(
    found: list[findings.Finding], moved: list[shift.Shift], report_file: str | None
) -> None:
    """Raises if anything is wrong; TFX deletes the artifact of a failed execution, so what was
    found goes into a file of its own."""
    if report_file and fileio.exists(report_file):
        fileio.remove(report_file)
    lines = [line for finding in found for line in finding.lines()]
    lines += [change.sentence() for change in moved]
    if not lines:
        return
    hint = _HINT
    if report_file and any(finding.offenders and finding.offenders.clips for finding in found):
        io_utils.write_string_file(report_file, findings.to_json(found))
        hint += f"; every clip is listed in {report_file}"
    raise DataError("the audio examples are anomalous:\n  " + "\n  ".join(lines), hint=hint)


def _custom_validations(made: list[Rule]) -> custom_validation_config_pb2.CustomValidationConfig:
    config = custom_validation_config_pb2.CustomValidationConfig()
    for rule in made:
        validation = config.feature_validations.add()
        validation.feature_path.step.append(rule.feature)
        if rule.label:
            validation.dataset_name = f"{LABEL}_{rule.label}"
        validation.validations.add(
            sql_expression=rule.sql,
            severity=anomalies_pb2.AnomalyInfo.ERROR,
            description=rule.description,
        )
    return config


def _schema(input_dict: dict[str, list[types.Artifact]]) -> schema_pb2.Schema:
    uri = artifact_utils.get_single_uri(input_dict[standard_component_specs.SCHEMA_KEY])
    return io_utils.SchemaReader().read(io_utils.get_only_uri_in_dir(uri))


def _statistics(artifacts: list[types.Artifact], split: str) -> shift.Statistics:
    return stats_artifact_utils.load_statistics(
        artifact_utils.get_single_instance(artifacts), split
    ).proto()
