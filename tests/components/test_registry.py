"""What a run looks up at the destination, as the components after it are given it."""

import json
from pathlib import Path

import pytest
from tfx.orchestration.portable import data_types
from tfx.types import artifact_utils, standard_artifacts

from components.artifacts import StreamingEvaluation
from components.inputs import without_empty
from components.registry.component import RegistryLookup
from components.registry.executor import FOUND, Driver, Keeper, Lookup
from components.streaming_evaluator.last import last_of
from kws.bundle.destination import LATEST, LocalDestination, release, write_checksums
from kws.detection.params import CascadeParams, DetectorParams
from kws.errors import KwsError
from kws.features.params import FeatureParams
from kws.splits import TRAIN

DETECTOR = DetectorParams(detection_threshold=0.77)
LABELS = ("_silence_", "_unknown_", "yes")


class Runs:
    """Runs of the components that look up and keep, at one destination."""

    def __init__(self, folder: Path):
        self.folder, self.bundles = folder, folder / "bundles"
        self._made = 0

    def artifact(self, kind, files=None, **custom):
        """One with a folder of its own."""
        self._made += 1
        made = kind()
        made.uri = str(self.folder / f"artifact-{self._made}")
        for name, content in (files or {}).items():
            path = Path(made.uri, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        for name, value in custom.items():
            made.set_string_custom_property(name, value)
        return made

    def look_up(self, by_driver=True, **given):
        """Outputs by key, of a lookup for an artifact or with further properties."""
        inputs = {key: [value] for key, value in given.items() if not isinstance(value, str)}
        properties = {key: value for key, value in given.items() if isinstance(value, str)}
        properties["destination"] = str(self.bundles)
        kinds = {
            "current": {"statistics": standard_artifacts.ExampleStatistics},
            "examples": {"float_model": standard_artifacts.Model},
            "candidate": {
                "model": standard_artifacts.Model, "evaluation": StreamingEvaluation,
                "baseline": standard_artifacts.Model,
            },
        }[next(iter(inputs))]  # fmt: skip
        if by_driver:
            info = data_types.ExecutionInfo(input_dict=inputs, exec_properties=properties)
            properties[FOUND] = Driver(None).run(info).exec_properties[FOUND].string_value
        outputs = {key: [self.artifact(kind)] for key, kind in kinds.items()}
        Lookup().Do(inputs, outputs, properties)
        return {key: artifacts[0] for key, artifacts in outputs.items()}

    def keep(self, **inputs):
        given = {key: [artifact] for key, artifact in inputs.items()}
        Keeper().Do(given, {}, {"destination": str(self.bundles)})

    def statistics(self, span, content):
        made = self.artifact(
            standard_artifacts.ExampleStatistics, {f"Split-{TRAIN}/FeatureStats.pb": content}
        )
        made.span, made.split_names = span, artifact_utils.encode_split_names([TRAIN])
        return made

    def candidate(self, model="new", features=None):
        params = features or FeatureParams()
        files = {"model.tflite": model, "frontend.json": params.to_json(), "labels.txt": ""}
        return self.artifact(
            standard_artifacts.Model, {f"Format-Serving/{key}": text for key, text in files.items()}
        )

    def push(self, version, features=None, labels=LABELS, **streaming):
        judged = {"test": {"total": {"miss_rate": {"estimate": 0.25}}}, **streaming}

        def fill(folder: Path) -> None:
            for name, content in {
                "model.tflite": version,
                "model_float_io.tflite": f"float of {version}",
                "labels.txt": "".join(f"{label}\n" for label in labels),
                "frontend.json": (features or FeatureParams()).to_json(),
                "manifest.json": json.dumps({"detector": DETECTOR.model_dump()}),
                "evaluation.json": json.dumps({"streaming": judged}),
            }.items():
                (folder / name).write_text(content)
            write_checksums(folder)

        release(LocalDestination(self.bundles), version, fill)


@pytest.fixture
def runs(tmp_path):
    return Runs(tmp_path)


def as_judged(found):
    """The inputs of a StreamingEvaluator that follows."""
    return {"last_model": [found["model"]], "last_evaluation": [found["evaluation"]]}


def served(model):
    return model.get_string_custom_property("version")


def is_none(artifact):
    """Whether the components after it take it for none."""
    return without_empty({"input": [artifact]}, "input") == {"input": []}


def text(artifact, name):
    file = Path(artifact.uri, name)
    return file.read_text() if file.exists() else None


def test_exactly_one_thing_is_looked_up_at_a_time():
    with pytest.raises(ValueError, match="give one of"):
        RegistryLookup("bundles")


# --- statistics ---


def test_accepted_statistics_are_what_the_next_span_is_compared_with(runs):
    assert is_none(runs.look_up(current=runs.statistics(1, "one"))["statistics"])
    runs.keep(statistics=runs.statistics(1, "one"))
    assert is_none(runs.look_up(current=runs.statistics(1, "one"))["statistics"])
    found = runs.look_up(current=runs.statistics(2, "two"))["statistics"]
    assert (found.span, artifact_utils.decode_split_names(found.split_names)) == (1, [TRAIN])
    assert text(found, f"Split-{TRAIN}/FeatureStats.pb") == "one"


# --- the model in service ---


def test_before_the_first_push_there_is_none(runs):
    found = runs.look_up(candidate=runs.candidate())
    assert served(found["model"]) == served(found["baseline"]) == ""
    assert last_of(as_judged(found)) is None


@pytest.mark.parametrize("by_driver", [True, False])
def test_what_latest_names_is_what_a_candidate_is_compared_with(runs, by_driver):
    runs.push("17")
    runs.push("18")
    (runs.bundles / LATEST).write_text("17\n")
    found = runs.look_up(by_driver, candidate=runs.candidate())
    assert served(found["model"]) == served(found["baseline"]) == "17"
    last = last_of(as_judged(found))
    assert last is not None and last.labels == list(LABELS)
    assert last.detector == DETECTOR and last.cascade is None
    assert last.miss_rate == 0.25
    for key in ("model", "baseline"):
        assert text(found[key], "Format-Serving/model.tflite") == "17"
        assert text(found[key], "Format-Serving/model_float_io.tflite") == "float of 17"


def test_a_cascade_is_compared_as_it_was_judged(runs):
    params = CascadeParams(first_stage="tiny")
    runs.push("17", cascade={"params": params.model_dump()})
    last = last_of(as_judged(runs.look_up(candidate=runs.candidate())))
    assert last is not None and last.cascade == params


def test_a_candidate_that_was_pushed_is_not_compared_with_itself(runs):
    runs.push("17")
    runs.push("18")
    assert served(runs.look_up(candidate=runs.candidate("18"))["model"]) == "17"
    assert served(runs.look_up(candidate=runs.candidate("17"))["model"]) == ""


def test_on_clips_the_last_model_of_the_same_features_is_the_baseline(runs):
    other = FeatureParams(frontend="mfcc")
    runs.push("17", other)
    runs.push("18")
    found = runs.look_up(candidate=runs.candidate(features=other))
    assert (served(found["model"]), served(found["baseline"])) == ("18", "17")
    third = runs.look_up(candidate=runs.candidate(features=FeatureParams(feature_bin_count=20)))
    assert (served(third["model"]), served(third["baseline"])) == ("18", "")
    assert is_none(third["baseline"])


def test_a_destination_that_cannot_be_read_is_named(runs):
    runs.bundles.mkdir()
    (runs.bundles / LATEST).write_text("../elsewhere\n")
    with pytest.raises(KwsError, match=r"LATEST holds '\.\./elsewhere'"):
        runs.look_up(candidate=runs.candidate())


# --- the float model behind it ---


def examples(runs, content="clips"):
    return runs.artifact(standard_artifacts.Examples, {"Split-train/data.gz": content})


def test_without_a_served_version_a_training_starts_from_scratch(runs):
    found = runs.look_up(examples=examples(runs))["float_model"]
    assert is_none(found) and served(found) == ""


def test_a_model_that_is_given_by_its_place_is_copied(runs):
    place = runs.artifact(
        standard_artifacts.Model,
        {"Format-Serving/saved_model.pb": "graph", "Format-Serving/variables/index": "weights"},
    )
    found = runs.look_up(examples=examples(runs), uri=place.uri)["float_model"]
    assert text(found, "Format-Serving/saved_model.pb") == "graph"
    assert text(found, "Format-Serving/variables/index") == "weights"
    assert served(found) == ""


def test_a_place_without_a_model_is_an_error_that_names_it(runs):
    with pytest.raises(KwsError, match="nowhere holds no Format-Serving"):
        runs.look_up(examples=examples(runs), uri=str(runs.folder / "nowhere"))


def test_the_digest_of_a_training_is_that_of_its_data_and_settings(runs):
    def digest(content, settings):
        found = runs.look_up(examples=examples(runs, content), settings=settings)
        return found["float_model"].get_string_custom_property("training")

    once = digest("clips", "warm")
    assert len(once) == 32 and digest("clips", "warm") == once
    assert len({once, digest("others", "warm"), digest("clips", "cold")}) == 3
