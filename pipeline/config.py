"""The configuration of a whole pipeline: typed, one YAML file a preset, refused at load if wrong.

What several sections share (keywords, sample rate, clip length, seed) is written once, at the top,
and handed to every section; a section that says otherwise is refused.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import pydantic
from pydantic_core import PydanticUndefined

from components.evaluator.params import EvaluationParams
from kws import credentials
from kws.augment.params import NoisyCopyParams
from kws.corpus import catalogue
from kws.corpus.catalogue import Catalogue
from kws.corpus.listing import escape
from kws.corpus.params import IngestParams, ValidationParams
from kws.corpus.sources import SourceParams, check_spans, names_of
from kws.detection.params import StreamingParams
from kws.detection.posteriors import stride_steps
from kws.detection.scene_report import SceneEvaluationParams
from kws.errors import KwsError
from kws.export.params import BudgetParams, ConversionParams
from kws.features.params import FeatureParams
from kws.labels import Keywords, label_list, near_match
from kws.models import registry
from kws.models.params import ModelParams
from kws.params import Params
from kws.scenes.params import CONDITIONS, SceneParams, StreamParams
from kws.training import compatibility, scene_training, tuning_space
from kws.training.params import RetrainingParams, TrainingParams
from kws.training.tuning import TuningParams
from kws.voices.params import VoicesParams
from pipeline import component_names, config_file
from pipeline.metadata_params import MetadataParams, refuse_password
from pipeline.runners.kubeflow.resources import KubeflowParams

PRESETS = Path(__file__).parent / "presets"

PERSONAL = "personal"
"""The preset of runs that go on from another one: incomplete without the section `base`."""

BASED_ON = "based_on"
"""Key of a YAML file: a preset that it takes all keys from that it does not have itself. A section
is taken whole or not at all."""

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


_IN_WORDS = {
    "extra_forbidden": "unknown key",
    "model_type": "a section with keys of its own is expected: {key: value}",
    "dict_type": "keys and values are expected: {key: value}",
    "tuple_type": "a list is expected: [one, two]",
}
"""Kinds of pydantic's errors that are said otherwise here."""
_LONGEST, _MOST_SENTENCES = 500, 8
"""Characters of a sentence, and sentences, of an error that a person reads."""


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
        (), description="more sources, of any kind: see kws/corpus/sources.py"
    )
    corpora: tuple[str, ...] = pydantic.Field(
        (),
        description="public corpora by name (kws corpus list), beside `path` and `sources`, or "
        "where there are none beside synthesized speech",
    )
    licence: str = pydantic.Field("", description="of the recordings, for the model card")
    corpora_table: Path | None = pydantic.Field(
        None, description="YAML file with corpora of your own, as kws/corpus/data/catalogue.yaml"
    )
    allow_non_commercial: bool = pydantic.Field(
        False, description="push models that learned from recordings for non-commercial use alone"
    )
    allow_research_only: bool = pydantic.Field(
        False, description="push models that learned from recordings for research alone"
    )

    @pydantic.model_validator(mode="after")
    def _consistent(self) -> "DataParams":
        check_spans(self.span_folder, self.last_spans, self.path)
        names_of(self.all_sources)
        named = [source for source in self.all_sources if source.corpus]
        for place, source in enumerate(named):
            if source.corpus in [other.corpus for other in named[:place]]:
                raise ValueError(f"corpus {source.corpus} is named twice")
            self._check_corpus(source)
        return self

    def _check_corpus(self, source: SourceParams) -> None:
        assert source.corpus is not None
        try:
            entry = self.catalogue.find(source.corpus)
        except KwsError as error:
            raise ValueError(str(error)) from None
        wrong = [use for use in source.uses if use not in entry.uses]
        if wrong:
            raise ValueError(
                f"uses={list(source.uses)}: {source.corpus} can be used for {', '.join(entry.uses)}"
            )

    def source_licences(self) -> list[str]:
        """`name: licence` of every source that has its own."""
        return [f"{name}: {licence}" for name, licence, _, _ in self._licensed()]

    def credits(self) -> list[str]:
        """Licence and attribution of every source that has its own."""
        return [credit for _, _, _, credit in self._licensed()]

    def restrictions(self) -> list[str]:
        """A sentence for each source whose terms keep a model from being pushed."""
        allowed = {
            "open": True,
            "non-commercial": self.allow_non_commercial,
            "research-only": self.allow_research_only,
        }
        return [
            f"{name} is {terms}: data.allow_{terms.replace('-', '_')}=true pushes all the same"
            for name, _, terms, _ in self._licensed()
            if not allowed[terms]
        ]

    def _licensed(self) -> Iterator[tuple[str, str, str, str]]:
        """Name, licence, terms and credit of the sources that have a licence of their own."""
        for name, source in zip(names_of(self.all_sources), self.all_sources, strict=True):
            if source.corpus:
                entry = self.catalogue.find(source.corpus)
                yield name, entry.licence, entry.terms, entry.credit()
            elif source.licence or source.terms != "open":
                licence = source.licence or "licence not stated"
                terms = "" if source.terms == "open" else f", {source.terms}"
                yield name, licence, source.terms, f"{name}: {licence}{terms}"

    @property
    def catalogue(self) -> Catalogue:
        """The public corpora that may be named."""
        return catalogue.load(self.corpora_table)

    @property
    def is_mix(self) -> bool:
        """Not just one plain folder, nor synthesized speech alone."""
        return bool(self.sources or self.corpora or self.span_folder)

    @property
    def is_synthesized(self) -> bool:
        """Voices are among what it is made of, or all of it."""
        sources = self.all_sources
        return not sources or any(source.voices for source in sources)

    @property
    def all_sources(self) -> tuple[SourceParams, ...]:
        """`path`, `sources` and `corpora` together; empty where speech is synthesized alone."""
        own = self.sources
        if self.path is not None:
            spans = {"span_folder": self.span_folder, "last_spans": self.last_spans}
            own = (SourceParams(speech_commands=self.path, **spans), *own)
        if self.corpora and not own:
            own = (SourceParams(voices=True),)
        return (*own, *(SourceParams(corpus=name) for name in self.corpora))

    @property
    def has_voices(self) -> bool:
        """Whether speech is synthesized."""
        return not self.all_sources or any(source.voices for source in self.all_sources)


class BaseParams(Params):
    """The run whose model is fitted further. What the configuration does not say is that run's.

    Its float model is what the training starts from (`training.warm_start`), its examples are
    learned again (`training.replay`) and judge the model, as its streams do, and its int8 model is
    what the new one must not be worse than.
    """

    place: Path = pydantic.Field(
        description="folder of a run, whose newest model is taken, pushed or not; or a bundle"
    )
    run: Path | None = pydantic.Field(
        None, description="the run that made a bundle which lies elsewhere"
    )


class Config(Params):
    """Everything that a run depends on."""

    name: str = pydantic.Field("kws", pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=100)
    keywords: Keywords = pydantic.Field(min_length=1, max_length=1000)
    sample_rate: int = 16000
    clip_duration_ms: int = 1000
    seed: int = pydantic.Field(0, ge=0, le=2**32 - 1)
    base: BaseParams | None = pydantic.Field(
        None,
        description="a run that this one goes on from: docs/fine_tuning.md; None: a run of its own",
    )
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
        component_names.check(
            "beam_pipeline_args_of", of, component_names.BEAM, "which runs no Beam"
        )
        for where, options in (("", self.beam_pipeline_args), *of.items()):
            for option in options:
                if not option.startswith("--"):
                    key = f"beam_pipeline_args_of.{where}" if where else "beam_pipeline_args"
                    raise ValueError(
                        f"{key}: {option!r} is no option, Beam would not look at it: write "
                        "--name=value"
                    )
        return self

    @pydantic.model_validator(mode="after")
    def _words_of_sources(self) -> "Config":
        for number, source in enumerate(self.data.sources):
            for word in source.positives:
                meant = near_match(word, self.keywords)
                if meant is not None:
                    raise ValueError(
                        f"data.sources.{number}.positives: {word!r} is not the keyword {meant!r}, "
                        f"but looks like it: did you mean {meant!r}?"
                    )
        return self

    @property
    def scene_features(self) -> FeatureParams:
        """The features of whole scenes."""
        assert self.scenes is not None
        return self.features.model_copy(update={"clip_duration_ms": self.scenes.duration_ms})

    @property
    def needs_speech_embedding(self) -> bool:
        """Whether the Trainer is given the speech embedding of the clips."""
        spotting = self.training.spotting
        if spotting is None or self.model is None:
            return False
        return spotting.teacher is not None or registry.learns_from(self.model.name) is not None

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
        if registry.learns_from(self.model.name) is not None:
            compatibility.check_on_embeddings(self.training, self.model.name)
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
        if module.STREAMING:
            try:
                frames = module.frames_per_step(registry.options(self.model))
                stride_steps(stride, frames, hop)
            except KwsError as error:
                raise ValueError(f"model {self.model.name}: {error}") from None
            if ending == "sigmoid" and len(self.keywords) == 1:
                self._check_microwakeword(frames * hop)
        strangers = sorted(set(self.evaluation.per_class) - set(label_list(self.keywords)))
        if strangers:
            raise ValueError(
                f"evaluation.per_class names {strangers}; the labels are "
                f"{label_list(self.keywords)}"
            )
        return self

    def _check_microwakeword(self, step_ms: float) -> None:
        """Raises ValueError where the bundle's microwakeword/ could get another detector."""
        # Here, and not at the top: it brings what converts and runs models.
        from kws.export import microwakeword

        if not microwakeword.has_their_frontend(self.features):
            return
        for detector in self.streaming.operating_point.detectors(self.streaming.detector):
            refused = microwakeword.detector_refusal(detector, step_ms)
            if refused is not None:
                where = "detector"
                if detector.rule == "consecutive" != self.streaming.detector.rule:
                    where = "operating_point.consecutive_counts"
                raise ValueError(
                    f"model.options.ending=sigmoid is for microWakeWord, and streaming.{where} has "
                    f"{refused}: write rule: sliding_mean, clip_stride_ms: {step_ms:g} and no "
                    "consecutive_counts, or model.options.ending: softmax"
                )

    @pydantic.model_validator(mode="after")
    def _gates_can_pass(self) -> "Config":
        """No gate asks for streams that are not laid."""
        if self.model is None:
            return self
        gates, streams = self.streaming.gates, self.streams
        limits = gates.max_miss_rate_of_condition
        if limits is not None and not streams.conditions:
            raise ValueError(
                "streaming.gates.max_miss_rate_of_condition needs streams.conditions: "
                f"[{', '.join(CONDITIONS)}], or some of them"
            )
        strange = sorted(set(limits) - {*streams.conditions}) if isinstance(limits, dict) else []
        if strange:
            raise ValueError(
                f"streaming.gates.max_miss_rate_of_condition names {strange[0]!r}, "
                f"streams.conditions are {', '.join(streams.conditions)}"
            )
        if (gates.min_recorded_hours or 0) > streams.negatives_hours:
            raise ValueError(
                f"streaming.gates.min_recorded_hours={gates.min_recorded_hours:g} is more than "
                f"streams.negatives_hours={streams.negatives_hours:g}, which a split has at most"
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
            scene_training.check(self.training)
            steps = scene_training.steps_of(model, frames)
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
    def _based(self) -> "Config":
        if self.base is None:
            for wrong, key in (
                (self.training.replay, "training.replay"),
                (not self.ingest.require_every_keyword, "ingest.require_every_keyword: false"),
            ):
                if wrong:
                    raise ValueError(f"{key} needs the data of another run: name it in base.place")
            return self
        needs_all_clips = {
            "model: null": self.model is None,
            "scenes": self.scenes is not None,
            "tuning": self.tuning is not None,
            "training.hard_negatives": self.training.hard_negatives is not None,
            "training.spotting": self.training.spotting is not None,
            "training.warm_start: false": not self.training.warm_start,
        }
        for key, given in needs_all_clips.items():
            if given:
                raise ValueError(
                    f"a run that goes on from another one (base) cannot have {key}: leave it out"
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


def load(preset: str, overrides: Sequence[str] = (), data: Path | None = None) -> Config:
    """Reads a preset by name or a YAML file by path, and applies `section.key=value` overrides.

    Raises:
      KwsError: no such preset, no YAML, an unknown key, a wrong value; says which and what would
        be right.
    """
    values = values_of(preset, overrides)
    if preset == PERSONAL and "base" not in values:
        raise KwsError(
            f"preset {PERSONAL} goes on from a run, and none is named",
            hint="kws personalize runs/mine --clips my_clips; or base.place and data.sources",
        )
    if data is not None:
        if escape(str(data)) != str(data):
            raise KwsError(f"--data {escape(str(data))}: the name is not UTF-8", hint="rename it")
        own = values.get("data") or {}
        if not isinstance(own, dict):
            raise KwsError(f"{preset}: data: a section is a mapping, this is {type(own).__name__}")
        values["data"] = {**own, "path": str(data.resolve())}
    config_file.check_values(values, preset)
    refuse_password(values, preset)
    credentials.check(values, preset)
    try:
        if isinstance(values.get("base"), dict):
            values = _merged(_settings_of_base(values["base"]), values)
        return Config(**values)
    except pydantic.ValidationError as error:
        raise KwsError(f"{preset}: {_sentences(error)}", hint=_known_keys(error)) from None
    except KwsError as error:  # of a section that looks things up: models, devices
        raise KwsError(f"{preset}: {error.message}", hint=error.hint) from None


def values_of(preset: str, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """The keys of a preset or YAML file with overrides, as `load` reads them; not checked yet.

    Raises:
      KwsError: no such preset, no YAML, or an override of another form.
    """
    values = _read(preset)
    for override in overrides:
        _apply(values, override)
    return values


def _settings_of_base(base: dict[str, Any]) -> dict[str, Any]:
    """The settings of the run in the section `base`, what sections share at the top alone."""
    # Here, and not at the top: a configuration loads without ML Metadata.
    from pipeline.runs import run_artifacts

    try:
        given = BaseParams.model_validate(base)
    except pydantic.ValidationError as error:
        known = f"known here: {', '.join(BaseParams.model_fields)}"
        raise KwsError(f"base: {_sentences(error)}", hint=known) from None
    try:
        settings = run_artifacts.find(given.place, given.run).settings()
    except OSError as error:
        raise KwsError(f"base.place={given.place} cannot be read: {error.strerror}") from None
    for field, users in SHARED.items():
        for section in users:
            settings.get(section, {}).pop(field, None)
    return settings


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Nested mappings key by key; what stands above wins."""
    both = {
        key: _merged(below[key], value)
        for key, value in above.items()
        if isinstance(value, dict) and isinstance(below.get(key), dict)
    }
    return {**below, **above, **both}


def of_result(config: Config) -> dict[str, Any]:
    """The configuration without what has no influence on what comes out, for a bundle's lineage.

    What names machines and accounts is left out, for it is no business of whoever has the bundle:
    of a path the last part stays, of a URL what stands before an `@` and its secret parameters go.
    """

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(item) for item in value]
        if isinstance(value, Path):
            return f"…/{value.name}" if value.is_absolute() else str(value)
        return credentials.redacted(value) if isinstance(value, str) else value

    content: dict[str, Any] = plain(config.model_dump(exclude=NOT_OF_RESULT))
    return content


def preset_names() -> list[str]:
    """The presets that come with the product, but for `PERSONAL`, which `kws personalize` fills."""
    return sorted(path.stem for path in PRESETS.glob("*.yaml") if path.stem != PERSONAL)


def _read(preset: str) -> dict[str, Any]:
    path = Path(preset) if preset.endswith((".yaml", ".yml")) else PRESETS / f"{preset}.yaml"
    if not path.is_file():
        raise KwsError(
            f"no preset {preset!r}",
            hint=f"there are {', '.join(preset_names())}; or give a .yaml file",
        )
    values = config_file.read(path)
    base = values.pop(BASED_ON, None)
    if base is None:
        return values
    if not isinstance(base, str) or base not in preset_names():
        raise KwsError(
            f"{preset}: {BASED_ON}={base!r} is not a preset",
            hint=f"one of {', '.join(preset_names())}",
        )
    below = config_file.read(PRESETS / f"{base}.yaml")
    if BASED_ON in below:
        raise KwsError(
            f"{preset}: {BASED_ON}={base!r} is itself based on {below[BASED_ON]}",
            hint=f"{BASED_ON}: {below[BASED_ON]}, and what {base} says otherwise",
        )
    return {**below, **values}


def _apply(values: dict[str, Any], override: str) -> None:
    """Sets one `a.b.c=value` (YAML value) in nested mappings."""
    path, separator, text = override.partition("=")
    *sections, key = path.split(".")
    if not separator or not all((*sections, key)):
        raise KwsError(
            f"--set {override}: not of the form section.key=value", hint="training.epochs=5"
        )
    for place, section in enumerate(sections, 1):
        child = values.get(section)
        if child is not None and not isinstance(child, dict):
            raise KwsError(
                f"--set {override}: {'.'.join(sections[:place])} is a {type(child).__name__}, "
                "not a section with keys",
                hint=f"give all of it: {'.'.join(sections[:place])}=…",
            )
        values[section] = {**(child or {})}
        values = values[section]
    try:
        values[key] = config_file.parse(text, f"--set {override}", path)
    except KwsError as error:
        hint = error.hint or "a value is written as in YAML: 5, [a, b], {key: value}"
        raise KwsError(error.message, hint=hint) from None


def _sentences(error: pydantic.ValidationError) -> str:
    """What is wrong with each key; of one that sections share, once, as it stands at the top."""
    lines: dict[str, None] = {}
    for item in error.errors():
        section, *rest = item["loc"] or ("",)
        shared = rest and section in SHARED.get(str(rest[0]), ())
        where = ".".join(str(part) for part in (rest if shared else item["loc"]))
        message = " ".join(item["msg"].removeprefix("Value error, ").split())
        message = _IN_WORDS.get(item["type"], message)
        message = message if len(message) <= _LONGEST else f"{message[:_LONGEST]}…"
        lines[f"{where}: {message}" if where else message] = None
    more = f"; and {len(lines) - _MOST_SENTENCES} more" if len(lines) > _MOST_SENTENCES else ""
    return "; ".join(list(lines)[:_MOST_SENTENCES]) + more


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
