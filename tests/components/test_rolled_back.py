"""What somebody rolled back is neither started from nor compared with, until it is promoted."""

import pytest
from tfx.types import standard_artifacts

from components.blessing import BLESSINGS, PUSHED, by_all_judges
from components.rolled_back import rolled_back
from kws.bundle.destination import LATEST


def pushed(folder, version, model):
    artifact = standard_artifacts.PushedModel()
    artifact.set_int_custom_property("pushed", 1)
    artifact.set_string_custom_property("pushed_version", version)
    artifact.set_string_custom_property("pushed_destination", f"{folder}/{version}")
    artifact.set_int_custom_property("current_model_id", model)
    return artifact


@pytest.fixture
def bundles(tmp_path):
    folder = tmp_path / "bundles"
    for version in ("7", "8", "10"):
        (folder / version).mkdir(parents=True)
    return folder


@pytest.mark.parametrize(
    ("served", "back"), [("10", set()), ("8", {30}), ("7", {20, 30}), (None, set())]
)
def test_versions_above_the_one_that_is_served_were_rolled_back(bundles, served, back):
    if served:
        (bundles / LATEST).write_text(f"{served}\n")
    of = {"7": 10, "8": 20, "10": 30}
    assert rolled_back([pushed(bundles, version, of[version]) for version in of]) == back


def test_each_destination_counts_for_itself_and_a_lost_one_says_nothing(bundles, tmp_path):
    (bundles / LATEST).write_text("7\n")
    others = [pushed(tmp_path / "gone", "99", 1), pushed("nonsense://there", "99", 2)]
    assert rolled_back([*others, pushed(bundles, "8", 3)]) == {3}


def test_a_refused_model_was_never_pushed():
    refused = standard_artifacts.PushedModel()
    refused.set_int_custom_property("pushed", 0)
    assert rolled_back([refused]) == set()


def test_who_asks_for_blessed_models_does_not_get_it(bundles):
    def blessing(model):
        made = standard_artifacts.ModelBlessing()
        made.set_int_custom_property("current_model_id", model)
        made.set_int_custom_property("blessed", 1)
        return made

    inputs = {key: [blessing(20), blessing(30)] for key in BLESSINGS}
    inputs[PUSHED] = [pushed(bundles, "8", 20), pushed(bundles, "10", 30)]
    (bundles / LATEST).write_text("8\n")
    assert by_all_judges(inputs) == {20}
    (bundles / LATEST).write_text("10\n")
    assert by_all_judges(inputs) == {20, 30}
