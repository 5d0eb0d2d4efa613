"""What containers of a compiled pipeline ask the cluster for: cores, memory, volumes, a store."""

import re
from typing import Any

import pydantic

from kws.bundle.object_store import ENDPOINT
from kws.params import Params
from pipeline import component_names

DEFAULT = "default"
COMPONENTS = tuple(
    name for name in (*component_names.BEAM, *component_names.OTHERS) if name != "ImportSchemaGen"
)
"""Of a compiled pipeline: its schema is written by AudioSchemaGen."""

_UNITS = {
    "": 1,
    **{letter: 1000**power for power, letter in enumerate("kMGTP", start=1)},
    **{f"{letter}i": 1024**power for power, letter in enumerate("KMGTP", start=1)},
}
_MEMORY = re.compile(r"(\d+(?:\.\d+)?)([A-Za-z]*)")
_CPU = re.compile(r"(\d+(?:\.\d+)?)(m?)")


class AcceleratorParams(Params):
    """Accelerators of one container."""

    type: str = pydantic.Field(
        "nvidia.com/gpu", min_length=1, description="the cluster's name of the resource"
    )
    count: int = pydantic.Field(1, ge=1)


class ResourceParams(Params):
    """What one container asks for, in Kubernetes' notation; None: what `default` says, or nothing.

    The cluster sets so much aside for it (the request), and it may use no more (the limit), unless
    a limit of its own is given: a container that uses more memory than its limit is killed.
    """

    cpu: str | None = pydantic.Field(None, description="cores: 4, 0.5 or 500m")
    memory: str | None = pydantic.Field(None, description="16Gi, 512Mi, 2G")
    cpu_limit: str | None = pydantic.Field(None, description="None: as cpu")
    memory_limit: str | None = pydantic.Field(None, description="None: as memory")
    accelerator: AcceleratorParams | None = None

    @pydantic.field_validator("cpu", "cpu_limit", "memory", "memory_limit", mode="before")
    @classmethod
    def _number_as_text(cls, value: Any) -> Any:
        # YAML reads 4 as a number, 500m as a text.
        plain = isinstance(value, int | float) and not isinstance(value, bool)
        return f"{value}" if plain else value

    @pydantic.model_validator(mode="after")
    def _readable(self) -> "ResourceParams":
        for limit, request, what in (
            (_cores(self.cpu_limit), _cores(self.cpu), "cpu"),
            (_gigabytes(self.memory_limit), _gigabytes(self.memory), "memory"),
        ):
            if limit is not None and request is not None and limit < request:
                raise ValueError(
                    f"{what}_limit={getattr(self, f'{what}_limit')} is less than the "
                    f"{what}={getattr(self, what)} that is asked for"
                )
        return self

    def over(self, default: "ResourceParams") -> "ResourceParams":
        """These, and what they leave open as `default` says."""
        own = {key: value for key in ResourceParams.model_fields if (value := getattr(self, key))}
        # A limit belongs to the request that it was given with.
        limits = {f"{key}_limit": None for key in ("cpu", "memory") if key in own}
        return ResourceParams(**{**dict(default), **limits, **own})

    def spec(self) -> dict[str, Any]:
        """PipelineSpec's ResourceSpec: cores, and memory in 10^9 bytes; {} for nothing."""
        found: dict[str, Any] = {
            "cpuRequest": _cores(self.cpu),
            "cpuLimit": _cores(self.cpu_limit or self.cpu),
            "memoryRequest": _gigabytes(self.memory),
            "memoryLimit": _gigabytes(self.memory_limit or self.memory),
        }
        if self.accelerator is not None:
            # An int64, which JSON has as a text.
            count = str(self.accelerator.count)
            found["accelerator"] = {"type": self.accelerator.type, "count": count}
        return {key: value for key, value in found.items() if value is not None}


class StoreParams(Params):
    """A server that speaks S3, for what containers read and write themselves: recordings, bundles.

    Artifacts are the launcher's, which has its own settings (the ConfigMap `kfp-launcher`).
    """

    endpoint: str | None = pydantic.Field(
        None,
        pattern="^https?://[^/]+/?$",
        description="e.g. http://minio-service.kubeflow:9000; None: Amazon's",
    )
    region: str = pydantic.Field("us-east-1", min_length=1)
    secret_name: str | None = pydantic.Field(
        "mlpipeline-minio-artifact",
        description="Kubernetes secret with the keys; None: the service account has the right",
    )
    access_key_entry: str = pydantic.Field("accesskey", description="of the secret")
    secret_key_entry: str = pydantic.Field("secretkey", description="of the secret")


class VolumeParams(Params):
    """A persistent volume that every container sees."""

    claim: str = pydantic.Field(min_length=1, description="name of the PersistentVolumeClaim")
    path: str = pydantic.Field(
        pattern="^/[^:]+$", description="where containers see it, e.g. /data"
    )


class KubeflowParams(Params):
    """What a compiled pipeline says beside what is done: on one machine it is not looked at."""

    resources: dict[str, ResourceParams] = pydantic.Field(
        {}, description="by component (FirstTrainer and Trainer2 are Trainers), and `default`"
    )
    store: StoreParams | None = pydantic.Field(
        None, description="None: no server but Amazon's, by the service account's rights"
    )
    volumes: list[VolumeParams] = pydantic.Field([], description="seen by all containers")

    @pydantic.model_validator(mode="after")
    def _known(self) -> "KubeflowParams":
        names = [name for name in self.resources if name != DEFAULT]
        component_names.check("resources", names, COMPONENTS, "no component of a compiled pipeline")
        for name in names:
            try:
                self.resources_of(name)
            except pydantic.ValidationError as error:
                (found,) = error.errors()
                problem = found["msg"].removeprefix("Value error, ")
                raise ValueError(f"resources.{name} with resources.default: {problem}") from None
        return self

    def resources_of(self, node: str) -> ResourceParams:
        """Of a node: what is said of it, then of its component, then by default."""
        found = ResourceParams()
        for name in (node, component_names.component_of(node), DEFAULT):
            found = found.over(self.resources.get(name, ResourceParams()))
        return found


def platform_of(params: KubeflowParams, labels: list[str]) -> dict[str, Any] | None:
    """The document that tells Kubernetes what a PipelineSpec cannot: secrets and volumes.

    Fields are those of 2.4, which later servers still read.

    Args:
      params: of the configuration.
      labels: of the executors.

    Returns:
      PlatformSpec as a dictionary; None: there is nothing to tell.
    """
    config: dict[str, Any] = {}
    store = params.store
    if store is not None and store.secret_name:
        entries = {
            "AWS_ACCESS_KEY_ID": store.access_key_entry,
            "AWS_SECRET_ACCESS_KEY": store.secret_key_entry,
        }
        variables = [{"envVar": name, "secretKey": entry} for name, entry in entries.items()]
        config["secretAsEnv"] = [{"secretName": store.secret_name, "keyToEnv": variables}]
    if params.volumes:
        config["pvcMount"] = [
            {"constant": volume.claim, "mountPath": volume.path} for volume in params.volumes
        ]
    if not config:
        return None
    executors = {label: config for label in labels}
    return {"platforms": {"kubernetes": {"deploymentSpec": {"executors": executors}}}}


def environment_of(params: KubeflowParams) -> dict[str, str]:
    """Variables of every container, none of them secret."""
    store = params.store
    if store is None:
        return {}
    found = {"AWS_DEFAULT_REGION": store.region}
    return found | ({ENDPOINT: store.endpoint.rstrip("/")} if store.endpoint else {})


def _cores(text: str | None) -> float | None:
    if text is None:
        return None
    match = _CPU.fullmatch(text)
    cores = float(match[1]) / (1000 if match[2] else 1) if match else 0.0
    if cores <= 0:
        raise ValueError(f"cpu {text!r} is no number of cores: write 4, 0.5 or 500m")
    return cores


def _gigabytes(text: str | None) -> float | None:
    if text is None:
        return None
    match = _MEMORY.fullmatch(text)
    if match is None or match[2] not in _UNITS or float(match[1]) <= 0:
        raise ValueError(f"memory {text!r} is no amount of memory: write 16Gi, 512Mi or 2G")
    return float(match[1]) * _UNITS[match[2]] / 10**9
