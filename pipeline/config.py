"""The configuration of a whole pipeline: typed, one YAML file a preset, refused at load if wrong.

What several sections share (keywords, sample rate, clip length, seed) is written once, at the top,
and handed to every section; a section that says otherwise is refused.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import pydantic
import yaml
from pydantic_core import PydanticUndefined

from components.evaluator.params import EvaluationParams
from kws import credentials
from kws.audio.params import IngestParams
from kws.audio.sources import SourceParams, check_spans, names_of
from kws.audio.validation_params import ValidationParams
from kws.augment.params import NoisyCopyParams
from kws.errors import KwsError
from kws.features.params import FeatureParams
from kws.labels import label_list
from kws.micro.params import BudgetParams, ConversionParams
from kws.models import registry
from kws.models.params import ModelParams
from kws.params import Params
from kws.scenes.params import SceneParams, StreamParams
from kws.streaming.params import StreamingParams
from kws.streaming.posteriors import stride_steps
from kws.streaming.scene_params import SceneEvaluationParams
from kws.training import compatibility, step_training, tuning_space
from kws.training.params import TrainingParams
from kws.training.retraining_params import RetrainingParams
from kws.training.tuning import TuningParams
from kws.voices.params import VoicesParams
from pipeline import nodes
from pipeline.metadata_params import MetadataParams, refuse_password
from pipeline.resources import KubeflowParams

PRESETS = Path(__file__).parent / "presets"

SHARED = {
    "keywords": ("ingest", "voices"),
    "sample_rate": ("ingest", "features"),
    "clip_duration_ms": ("ingest", "features"),
    "seed": (
        "ingest",
        "voices",
        "noisy_copies",
        "streams",
        "scenes",
        "training",
        "tuning",
        "conversion",
    ),
}
"""Top-level fields and the sections that they are handed to."""


NOT_OF_RESULT = {
    "destination",
    "metadata",
    "beam_pipeline_args",
    "beam_pipeline_args_of",
    "kubeflow",
}
"""Fields that say where and by whose machines it is computed, not what."""


class DataParams(Params):
    """Where the recordings come from. Nothing given: speech is synthesized."""

    path: Path | None = pydantic.Field(
        None, description="Speech Commands folder or archive: the short form of one source"
    )
    span_folder: str = pydantic.Field(
        "", description="pattern of the folders in `path` by which it grows: day-{SPAN}"
    )
    last_spans: int = pydantic.Field(1, ge=1, description="how many of the newest spans are taken")
    sources: tuple[SourceParams, ...] = pydantic.Field(
        (), description="more sources, of any kind: see kws/audio/sources.py"
    )
    licence: str = pydantic.Field("", description="of the recordings, for the model card")

    @pydantic.model_validator(mode="after")
    def _consistent(self) -> "DataParams":
        check_spans(self.span_folder, self.last_spans, self.path)
        names_of(self.all_sources)
        return self

    @property
    def is_mix(self) -> bool:
        """Not just one plain folder, nor synthesized speech alone."""
        return bool(self.sources or self.span_folder)

    @property
    def all_sources(self) -> tuple[SourceParams, ...]:
        """`path` and `sources` together; empty where speech is synthesized."""
        if self.path is None:
            return self.sources
        spans = {"span_folder": self.span_folder, "last_spans": self.last_spans}
        return (SourceParams(speech_commands=self.path, **spans), *self.sources)


class Config(Params):
    """Everything that a run depends on."""

    name: str = pydantic.Field("kws", pattern=r"^[a-z0-9][a-z0-9_-]*$")
    keywords: tuple[str, ...] = pydantic.Field(min_length=1)
    sample_rate: int = 16000
    clip_duration_ms: int = 1000
    seed: int = 0
    data: DataParams = DataParams()
    voices: VoicesParams
    ingest: IngestParams
    validation: ValidationParams = ValidationParams()
    noisy_copies: NoisyCopyParams
    streams: StreamParams
    scenes: SceneParams | None = pydantic.Field(
        None, description="labelled scenes for a model that answers at every step; None: none"
    )
    features: FeatureParams
    model: ModelParams | None = pydantic.Field(
        ModelParams(), description="None: the pipeline ends with data and features"
    )
    training: TrainingParams
    tuning: TuningParams | None = pydantic.Field(
        None, description="a search for hyperparameters before the training; None: none"
    )
    conversion: ConversionParams
    evaluation: EvaluationParams = EvaluationParams()
    streaming: StreamingParams = StreamingParams()
    scene_evaluation: SceneEvaluationParams = pydantic.Field(
        SceneEvaluationParams(), description="in place of `evaluation` where there are scenes"
    )
    budget: BudgetParams = BudgetParams()
    retraining: RetrainingParams = pydantic.Field(
        RetrainingParams(), description="of kws retrain alone: docs/retraining.md"
    )
    destination: str = pydantic.Field(
        "", description='where bundles are pushed: a folder, gs://, s3://; "": bundles/ of the run'
    )
    metadata: MetadataParams = pydantic.Field(
        MetadataParams(), description="ML Metadata: metadata.sqlite of the run, or a server"
    )
    beam_pipeline_args: tuple[str, ...] = pydantic.Field(
        ("--runner=DirectRunner",),
        description="Beam's own options: runner, workers, ...; without --direct_num_workers, "
        "components use all cores where the data is large enough",
    )
    beam_pipeline_args_of: dict[str, tuple[str, ...]] = pydantic.Field(
        {},
        description="more of them for single components, which win: SpectrogramTransform: "
        "[--runner=DataflowRunner, ...]",
    )

    kubeflow: KubeflowParams = pydantic.Field(
        KubeflowParams(), description="of a compiled pipeline alone: see docs/kubeflow.md"
    )

    @pydantic.model_validator(mode="before")
    @classmethod
    def _hand_down(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        values = {**values}
        sections = sorted({section for users in SHARED.values() for section in users})
        for section in sections:
            own = values.get(section)
            if own is None:
                if cls.model_fields[section].default is None:
                    continue  # a section that may be missing, and is
                own = {}
            if isinstance(own, Mapping):
                values[section] = {**own}
        for field, users in SHARED.items():
            default = cls.model_fields[field].get_default()
            for section in users:
                own = values.get(section)
                if not isinstance(own, dict):
                    continue
                top = values.get(field, default)
                if field in own and own[field] != top:
                    raise ValueError(
                        f"{section}.{field}={own[field]!r} contradicts {field}={top!r} at the top: "
                        f"write it once, at the top"
                    )
                if field in values or default is not PydanticUndefined:
                    own[field] = top
        return values

    @pydantic.model_validator(mode="after")
    def _beam(self) -> "Config":
        of = self.beam_pipeline_args_of
        nodes.check("beam_pipeline_args_of", of, nodes.BEAM, "which runs no Beam")
        for where, options in (("", self.beam_pipeline_args), *of.items()):
            for option in options:
                if not option.startswith("--"):
                    key = f"beam_pipeline_args_of.{where}" if where else "beam_pipeline_args"
                    raise ValueError(
                        f"{key}: {option!r} is no option, Beam would not look at it: write "
                        "--name=value"
                    )
        return self

    @property
    def scene_features(self) -> FeatureParams:
        """The features of whole scenes."""
        assert self.scenes is not None
        return self.features.model_copy(update={"clip_duration_ms": self.scenes.duration_ms})

    @pydantic.model_validator(mode="after")
    def _consistent(self) -> "Config":
        if self.model is None:
            return self
        answers_steps = registry.output(self.model.name) == "steps"
        if self.scenes is not None and not answers_steps:
            raise ValueError(
                f"model {self.model.name} learns from clips, not from scenes: leave out the "
                "section scenes, or say model: null"
            )
        if self.scenes is None and answers_steps:
            raise ValueError(
                f"model {self.model.name} answers at every step of a scene: give the section scenes"
            )
        compatibility.check(self.training, self.features, scenes=self.scenes is not None)
        if answers_steps:
            self._check_steps(self.model)
            return self
        for section in (self.training.distillation, self.training.quantization_aware):
            if section is not None:
                section.check(self.model)
        stride, hop = self.streaming.detector.clip_stride_ms, self.features.window_stride_ms
        if stride % hop:
            raise ValueError(
                f"streaming.detector.clip_stride_ms={stride} is no multiple of "
                f"features.window_stride_ms={hop}: the model can only run at a frame"
            )
        module = registry.architecture(self.model.name)
        ending = getattr(registry.options(self.model), "ending", "softmax")
        if ending == "sigmoid" and len(self.keywords) > 1:
            raise ValueError(
                f"model.options.ending=sigmoid is for one keyword, keywords={list(self.keywords)}"
            )
        if module.STREAMING:
            try:
                frames = module.frames_per_step(registry.options(self.model))
                stride_steps(stride, frames, hop)
            except KwsError as error:
                raise ValueError(f"model {self.model.name}: {error}") from None
        strangers = sorted(set(self.evaluation.per_class) - set(label_list(self.keywords)))
        if strangers:
            raise ValueError(
                f"evaluation.per_class names {strangers}; the labels are "
                f"{label_list(self.keywords)}"
            )
        return self

    def _check_steps(self, model: ModelParams) -> None:
        """Raises ValueError if model, scenes, training and detector do not fit each other."""
        assert self.scenes is not None
        if len(self.keywords) > 1:
            raise ValueError(
                f"keywords={list(self.keywords)}: model {model.name} tells one trigger word from "
                "all else, give one"
            )
        frames = self.scene_features.feature_shape[0]
        try:
            step_training.check(self.training)
            steps = step_training.steps_of(model, frames)
            frames_per_step = registry.architecture(model.name).frames_per_step(
                registry.options(model)
            )
            stride_steps(
                self.streaming.detector.clip_stride_ms,
                frames_per_step,
                self.features.window_stride_ms,
            )
        except KwsError as error:
            raise ValueError(f"model {model.name}: {error}") from None
        if steps != self.scenes.steps:
            raise ValueError(
                f"scenes.steps={self.scenes.steps}, but model {model.name} gives {steps} answers "
                f"in the {frames} frames of a scene: write scenes.steps={steps}"
            )
        crop = self.training.steps.crop_steps
        if crop is not None and crop > steps:
            raise ValueError(
                f"training.steps.crop_steps={crop} is more than the {steps} steps of a scene"
            )

    @pydantic.model_validator(mode="after")
    def _minable(self) -> "Config":
        if self.training.hard_negatives is None or self.model is None:
            return self
        if registry.output(self.model.name) == "steps":
            raise ValueError(
                f"training.hard_negatives are windows with one label, and model {self.model.name} "
                "learns from scenes: leave it out"
            )
        return self

    @pydantic.model_validator(mode="after")
    def _searchable(self) -> "Config":
        if self.tuning is None:
            return self
        if self.model is None or self.scenes is not None:
            raise ValueError(
                "the section tuning needs a model that learns from clips: leave it out where "
                "there is model: null, or the section scenes"
            )
        paths, stride = list(self.tuning.space), self.streaming.detector.clip_stride_ms
        shapes = [path for path in paths if path.startswith(("model.", "features."))]
        if self.training.warm_start and shapes:
            raise ValueError(
                f"training.warm_start begins with the weights of a model like this one, and "
                f"tuning.space names {shapes[0]}: search among training.... alone, or leave out one"
            )
        sections = tuning_space.Sections(self.model, self.training, self.features)
        for features in tuning_space.check(self.tuning, sections):
            try:
                compatibility.check(self.training, features)
            except ValueError as error:
                raise ValueError(f"tuning.space: {error}") from None
            if stride % features.window_stride_ms:
                raise ValueError(
                    f"tuning.space: streaming.detector.clip_stride_ms={stride} is no multiple of "
                    f"features.window_stride_ms={features.window_stride_ms}: the model can only "
                    "run at a frame"
                )
        return self


class _Yaml(yaml.SafeLoader):
    """YAML 1.2's booleans: `yes`, `no`, `on` and `off` are words here, and likely keywords."""


_Yaml.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Yaml.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))


def load(preset: str, overrides: Sequence[str] = (), data: Path | None = None) -> Config:
    """Reads a preset by name or a YAML file by path, and applies `section.key=value` overrides.

    Raises:
      KwsError: no such preset, no YAML, an unknown key, a wrong value; says which and what would
        be right.
    """
    values = _read(preset)
    for override in overrides:
        _apply(values, override)
    if data is not None:
        values["data"] = {**(values.get("data") or {}), "path": str(data.resolve())}
    refuse_password(values, preset)
    credentials.check(values, preset)
    try:
        return Config(**values)
    except pydantic.ValidationError as error:
        raise KwsError(f"{preset}: {_sentences(error)}", hint=_known_keys(error)) from None


def of_result(config: Config) -> dict[str, Any]:
    """The configuration without what has no influence on what comes out, for a bundle's lineage.

    What names machines and accounts is left out, for it is no business of whoever has the bundle:
    of a path the last part stays, of a URL what stands before an `@` goes.
    """

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(item) for item in value]
        if isinstance(value, Path):
            return f"…/{value.name}" if value.is_absolute() else str(value)
        return re.sub(r"(?<=://)[^/@\s]*@", "", value) if isinstance(value, str) else value

    content: dict[str, Any] = plain(config.model_dump(exclude=NOT_OF_RESULT))
    return content


def preset_names() -> list[str]:
    """The presets that come with the product."""
    return sorted(path.stem for path in PRESETS.glob("*.yaml"))


def _read(preset: str) -> dict[str, Any]:
    path = Path(preset) if preset.endswith((".yaml", ".yml")) else PRESETS / f"{preset}.yaml"
    if not path.is_file():
        raise KwsError(
            f"no preset {preset!r}",
            hint=f"there are {', '.join(preset_names())}; or give a .yaml file",
        )
    try:
        values = yaml.load(path.read_text(), _Yaml)
    except yaml.YAMLError as error:
        raise KwsError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise KwsError(
            f"{path}: a preset is a mapping of sections, this is {type(values).__name__}"
        )
    return values


def _apply(values: dict[str, Any], override: str) -> None:
    """Sets one `a.b.c=value` (YAML value) in nested mappings."""
    path, separator, text = override.partition("=")
    if not separator or not path:
        raise KwsError(f"--set {override}: not of the form section.key=value")
    *sections, key = path.split(".")
    for section in sections:
        child = values.get(section)
        values[section] = {**child} if isinstance(child, dict) else {}
        values = values[section]
    values[key] = yaml.load(text, _Yaml)


def _sentences(error: pydantic.ValidationError) -> str:
    lines = []
    for item in error.errors():
        where = ".".join(str(part) for part in item["loc"])
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            message = "unknown key"
        lines.append(f"{where}: {message}" if where else message)
    return "; ".join(lines)


def _known_keys(error: pydantic.ValidationError) -> str | None:
    """The keys of the section in which an unknown key was found."""
    for item in error.errors():
        if item["type"] == "extra_forbidden":
            model: Any = Config
            for part in item["loc"][:-1]:
                if isinstance(part, int):  # an item of a list
                    model = next(iter(get_args(model)), None)
                    continue
                field = getattr(model, "model_fields", {}).get(str(part))
                model = field.annotation if field else None
                if type(None) in get_args(model):  # a section that may be missing
                    model = get_args(model)[0]
            if model is not None and hasattr(model, "model_fields"):
                return f"known here: {', '.join(model.model_fields)}"
    return None
