"""ExampleValidator's executor, which stops the run at an anomaly and names it."""

from typing import Any

from tfx import types
from tfx.components.example_validator import executor
from tfx.components.example_validator.executor import DEFAULT_FILE_NAME
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import io_utils

from kws.errors import KwsError


class Executor(executor.Executor):
    """Validates as TFX does, then refuses what is anomalous."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ):
        """As the base class; raises KwsError with every anomaly's feature, name and split."""
        from tensorflow_metadata.proto.v0 import anomalies_pb2

        output = super().Do(input_dict, output_dict, exec_properties)
        artifact = artifact_utils.get_single_instance(
            output_dict[standard_component_specs.ANOMALIES_KEY]
        )
        found = []
        for split in artifact_utils.decode_split_names(artifact.split_names):
            path = f"{artifact_utils.get_split_uri([artifact], split)}/{DEFAULT_FILE_NAME}"
            anomalies = anomalies_pb2.Anomalies.FromString(io_utils.read_bytes_file(path))
            for feature, info in sorted(anomalies.anomaly_info.items()):
                found.append(f"{split}: {feature}: {info.short_description} {info.description}")
            if anomalies.HasField("dataset_anomaly_info"):
                found.append(f"{split}: {anomalies.dataset_anomaly_info.description}")
        if found:
            raise KwsError(
                f"the audio examples are anomalous: {'; '.join(found)}",
                hint="mend the recordings, or widen the bound in schemas/audio/schema.pbtxt if "
                "they are sound",
            )
        return output
