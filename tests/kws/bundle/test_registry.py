"""What runs remember at a destination, be it a folder or a bucket: a run never finds itself."""

import uuid
from pathlib import Path

import pytest

from kws.bundle.destination import SUMS_FILE, LocalDestination, release, write_checksums
from kws.bundle.destinations import open_destination
from kws.bundle.registry import Registry
from kws.errors import KwsError
from kws.features.params import FeatureParams

MICRO, MFCC = FeatureParams(), FeatureParams(frontend="mfcc")


@pytest.fixture(params=["folder", "bucket"])
def place(request, tmp_path) -> str:
    if request.param == "folder":
        return str(tmp_path / "bundles")
    return f"memory://{uuid.uuid4().hex}/bundles"


class Shipped:
    """A destination that bundles are pushed to, and its registry."""

    def __init__(self, place: str):
        self.destination = open_destination(place)
        self.registry = Registry(place)

    def push(self, version: str, model: bytes, features: FeatureParams = MICRO) -> None:
        def fill(folder: Path) -> None:
            (folder / "model.tflite").write_bytes(model)
            (folder / "labels.txt").write_text("_silence_\n_unknown_\nyes\n")
            (folder / "frontend.json").write_text(features.to_json())
            (folder / "manifest.json").write_text("{}")
            write_checksums(folder)

        release(self.destination, version, fill)

    def keep(self, version: str, training: str, folder: Path) -> None:
        (folder / "variables").mkdir(parents=True, exist_ok=True)
        (folder / "variables" / "index").write_text(f"weights of {version}")
        self.registry.keep_float_model(version, folder, training)


@pytest.fixture
def shipped(place) -> Shipped:
    return Shipped(place)


# --- statistics ---


def previous(registry: Registry, span: int, content: bytes) -> tuple[int, bytes] | None:
    name = registry.previous_statistics(span, content)
    return None if name is None else registry.statistics(name)


def test_at_first_there_are_no_statistics(shipped):
    assert previous(shipped.registry, 1, b"a") is None


def test_those_of_the_latest_earlier_span_go_first(shipped):
    for span, content in ((1, b"one"), (3, b"three"), (2, b"two")):
        shipped.registry.keep_statistics(span, content)
    assert previous(shipped.registry, 3, b"new three") == (2, b"two")


def test_of_a_span_it_is_the_last_ones_kept(shipped):
    for content in (b"a", b"b", b"a"):
        shipped.registry.keep_statistics(1, content)
    assert previous(shipped.registry, 2, b"c") == (1, b"a")


def test_without_spans_it_is_the_ingestion_before(shipped):
    for number in range(12):  # the order is not that of the names
        shipped.registry.keep_statistics(0, f"{number}".encode())
    assert previous(shipped.registry, 0, b"now") == (0, b"11")


def test_statistics_are_never_compared_with_themselves_or_later_ones(shipped):
    shipped.registry.keep_statistics(0, b"same")
    assert previous(shipped.registry, 0, b"same") is None
    shipped.registry.keep_statistics(0, b"later")
    assert previous(shipped.registry, 0, b"same") is None
    assert previous(shipped.registry, 0, b"later") == (0, b"same")


def test_the_same_statistics_are_kept_once(shipped):
    for _ in range(2):
        shipped.registry.keep_statistics(4, b"same")
    assert len(shipped.destination.names("registry/statistics")) == 1


# --- models in service ---


def test_the_first_candidate_is_compared_with_nothing_nor_with_itself(shipped):
    assert shipped.registry.last_model(b"first") is None
    shipped.push("17", b"first")
    assert shipped.registry.last_model(b"first") is None


def test_a_run_finds_the_same_version_again_whatever_was_pushed_since(shipped):
    shipped.push("9", b"first")
    shipped.push("10", b"second")
    assert shipped.registry.last_model(b"third") == "10"
    shipped.push("11", b"third")
    assert shipped.registry.last_model(b"third") == "10"
    shipped.push("12", b"fourth")
    shipped.push("13", b"third")  # of the same model, which other gates judged
    assert shipped.registry.last_model(b"third") == "10"
    assert shipped.registry.last_model(b"fifth") == "13"


def test_what_was_rolled_back_is_not_in_service_until_it_is_promoted(shipped):
    for number in ("7", "8", "10"):
        shipped.push(number, number.encode())
    found = {}
    for served in ("10", "8", "7", "10"):
        shipped.destination.serve(served)
        found[served] = shipped.registry.last_model(b"new")
    assert found == {"10": "10", "8": "8", "7": "7"}
    shipped.destination.serve("8")
    assert shipped.registry.last_model(b"10") == "8"  # the one that was rolled back, run again


def test_on_clips_only_a_model_of_the_same_features_counts(shipped):
    shipped.push("1", b"a")
    shipped.push("2", b"b", MFCC)
    assert shipped.registry.last_model(b"new", MICRO) == "1"
    assert shipped.registry.last_model(b"new", MFCC) == "2"
    assert shipped.registry.last_model(b"new", FeatureParams(feature_bin_count=20)) is None


@pytest.mark.parametrize("lost", ["model.tflite", "manifest.json", SUMS_FILE])
def test_a_version_whose_files_are_gone_is_skipped(tmp_path, lost):
    shipped = Shipped(str(tmp_path / "bundles"))
    shipped.push("1", b"a")
    shipped.push("2", b"b")
    (tmp_path / "bundles" / "2" / lost).unlink()
    wanted = "2" if lost == SUMS_FILE else "1"  # checksums are not needed to compare
    assert shipped.registry.last_model(b"new") == wanted


def test_the_files_of_a_version_are_the_bundle(shipped):
    shipped.push("1", b"a")
    with shipped.registry.bundle("1") as folder:
        assert (folder / "model.tflite").read_bytes() == b"a"


# --- float models ---


def test_a_training_starts_from_the_model_behind_what_is_served(shipped, tmp_path):
    registry = shipped.registry
    assert registry.base_version() is None
    shipped.keep("17", "", tmp_path / "a")
    assert registry.base_version() is None  # kept, and not served yet
    shipped.push("17", b"a")
    shipped.push("18", b"b")
    shipped.keep("18", "", tmp_path / "b")
    assert registry.base_version() == "18"
    with registry.float_model("18") as folder:
        assert (folder / "variables" / "index").read_text() == "weights of 18"
    shipped.destination.serve("17")  # rolled back
    assert registry.base_version() == "17"
    shipped.push("19", b"c")  # pushed by somebody else
    assert registry.base_version() is None


def test_a_training_never_starts_from_its_own_result_nor_from_a_later_one(shipped, tmp_path):
    registry, found = shipped.registry, []
    for version, training in (("1", "aaaa"), ("2", "bbbb"), ("3", "cccc")):
        found.append(registry.base_version(training))
        shipped.push(version, version.encode())
        shipped.keep(version, training, tmp_path / version)
        assert registry.base_version(training) == found[-1]
    assert found == [None, "1", "2"]
    assert [registry.base_version(training) for training in ("aaaa", "bbbb", "cccc")] == found
    assert registry.base_version("dddd") == "3"


def test_a_float_model_is_kept_once(shipped, tmp_path):
    shipped.keep("1", "aaaa", tmp_path / "a")
    shipped.keep("1", "bbbb", tmp_path / "b")
    assert shipped.destination.names("registry/models") == ["1-aaaa.zip"]


# --- verdicts, and what all entries have in common ---


def test_a_verdict_is_found_by_its_fingerprint(shipped):
    assert shipped.registry.verdict("f00d") is None
    shipped.registry.keep_verdict("f00d", {"verdict": "refused", "version": ""})
    assert shipped.registry.verdict("f00d") == {"verdict": "refused", "version": ""}
    assert shipped.registry.verdict("beef") is None


def test_the_registry_is_not_a_version_and_outlives_the_next_push(shipped, tmp_path):
    shipped.registry.keep_statistics(0, b"a")
    shipped.push("1", b"a")
    shipped.keep("1", "", tmp_path / "a")
    shipped.push("2", b"b")
    assert shipped.destination.versions() == ["1", "2"]
    assert previous(shipped.registry, 0, b"b") == (0, b"a")
    assert shipped.destination.names("registry/models") == ["1.zip"]


def test_an_entry_whose_writer_was_killed_is_not_seen(tmp_path, monkeypatch):
    registry = Registry(tmp_path / "bundles")
    registry.keep_statistics(0, b"whole")

    def killed(self, target):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        patch.setattr(Path, "unlink", lambda self, missing_ok=False: None)
        with pytest.raises(KeyboardInterrupt):
            registry.keep_statistics(0, b"half")
    folder = tmp_path / "bundles" / "registry" / "statistics"
    assert len(list(folder.iterdir())) == 2  # the temporary file was left behind
    assert len(LocalDestination(tmp_path / "bundles").names("registry/statistics")) == 1
    assert previous(registry, 0, b"now") == (0, b"whole")


def test_a_damaged_entry_is_named_with_what_to_do(tmp_path):
    shipped = Shipped(str(tmp_path / "bundles"))
    shipped.push("1", b"a")
    shipped.destination.save("registry/models", "1.zip", b"half")
    shipped.destination.save("registry/verdicts", "f00d.json", b"{")
    damaged = pytest.raises(KwsError, match=r"registry/models/1\.zip is not a zip .*remove it")
    with damaged, shipped.registry.float_model("1"):
        pass
    with pytest.raises(KwsError, match=r"registry/verdicts/f00d\.json is not a JSON object"):
        shipped.registry.verdict("f00d")
