"""A scheduled retraining: what was judged is not new."""

import os

import pytest
from tfx.types import standard_artifacts

from components.new_data.executor import Executor
from components.registry.executor import Keeper
from kws.bundle.registry import Registry
from kws.errors import KwsError


class Schedule:
    """Runs of the two tasks at the ends of a pipeline."""

    def __init__(self, folder):
        self.folder, self.weeks, self.bundles = folder, folder / "weeks", str(folder / "bundles")
        self.number = 0

    def week(self, number, content=b"said"):
        place = self.weeks / f"week-{number}" / "yes"
        place.mkdir(parents=True, exist_ok=True)
        (place / "a.wav").write_bytes(content)
        return place / "a.wav"

    def look(self, span_folder="week-{SPAN}", **properties):
        """("true" or "false", fingerprint) as the tasks after it read them."""
        self.number += 1
        made = {}
        for key in ("new", "fingerprint"):
            made[key] = standard_artifacts.String()
            made[key].uri = str(self.folder / str(self.number) / key)
        given = {
            "input_base": str(self.weeks), "span_folder": span_folder, "last_spans": 1.0,
            "settings": "s", "destination": self.bundles, "force": 0.0,
            "given_span": -1.0, **properties,
        }  # fmt: skip
        Executor().Do({}, {key: [artifact] for key, artifact in made.items()}, given)
        return tuple(self.read(artifact.uri) for artifact in made.values())

    def judge(self, fingerprint, version=""):
        """A run that came to its end, refused unless it has a version."""
        pushed, model = standard_artifacts.PushedModel(), standard_artifacts.Model()
        pushed.set_int_custom_property("pushed", int(bool(version)))
        pushed.set_string_custom_property("pushed_version", version)
        model.uri = str(self.folder / f"trained-{version}")
        serving = self.folder / f"trained-{version}" / "Format-Serving"
        serving.mkdir(parents=True, exist_ok=True)
        (serving / "weights").write_text(version)
        said = standard_artifacts.String()
        said.uri = str(self.folder / "fingerprint")
        said.write(fingerprint)
        inputs = {"pushed_model": [pushed], "float_model": [model], "fingerprint": [said]}
        Keeper().Do(inputs, {}, {"destination": self.bundles})

    @staticmethod
    def read(uri):
        with open(uri) as file:
            return file.read()


@pytest.fixture
def schedule(tmp_path):
    made = Schedule(tmp_path)
    made.week(1)
    return made


@pytest.mark.parametrize("version", ["", "17"])
def test_what_was_judged_is_not_new_pushed_or_refused_until_it_is_forced(schedule, version):
    new, fingerprint = schedule.look()
    assert new == "true" and schedule.look() == ("true", fingerprint)  # a crash judges nothing
    schedule.judge(fingerprint, version)
    kept = Registry(schedule.bundles).verdict(fingerprint)
    assert kept["verdict"] == ("pushed" if version else "refused")
    assert kept["version"] == version
    assert schedule.look() == ("false", fingerprint)
    assert schedule.look(force=1.0)[0] == "true"


def test_a_new_week_another_file_other_settings_and_other_parameters_are_new(schedule):
    schedule.judge(schedule.look()[1])
    assert schedule.look(settings="t")[0] == "true"
    assert schedule.look(given_epochs=3.0)[0] == "true"
    file = schedule.week(1, b"said at greater length")
    assert schedule.look()[0] == "true"
    schedule.judge(schedule.look()[1])
    os.utime(file, (1, 1))
    assert schedule.look()[0] == "true"
    schedule.judge(schedule.look()[1])
    schedule.week(2)
    assert schedule.look()[0] == "true"
    assert schedule.look(given_span=1.0, last_spans=4.0)[0] == "true"  # another parameter


def test_a_change_of_a_week_that_is_not_taken_is_none(schedule):
    schedule.week(2)
    schedule.judge(schedule.look()[1])
    schedule.week(1, b"corrected")
    assert schedule.look()[0] == "false" and schedule.look(last_spans=2.0)[0] == "true"


def test_a_folder_without_spans_counts_as_a_whole(schedule):
    schedule.judge(schedule.look(span_folder="")[1])
    assert schedule.look(span_folder="")[0] == "false"
    schedule.week(9)
    assert schedule.look(span_folder="")[0] == "true"


def test_without_recordings_it_says_where_it_looked(schedule):
    with pytest.raises(KwsError, match="elsewhere is no folder"):
        schedule.look(input_base=str(schedule.folder / "elsewhere"))
    with pytest.raises(KwsError, match=r"no folder .*day-\{SPAN\}"):
        schedule.look(span_folder="day-{SPAN}")
