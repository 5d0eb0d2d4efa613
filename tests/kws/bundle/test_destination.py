"""Pushing to a folder and to an object store, where every step fails in turn.

Whatever fails, and however, a reader finds a version that is complete and verified: the old one,
or, once `LATEST` was replaced, the new one. The next push succeeds and leaves no rest behind.
"""

import contextlib
import dataclasses
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.local import LocalFileSystem

from kws.bundle import publishing, versions
from kws.bundle.contents import BundleContents
from kws.bundle.destination import (
    Destination,
    LocalDestination,
    release,
    verify_checksums,
    write_checksums,
)
from kws.bundle.destinations import bundle_folder, open_destination
from kws.bundle.object_store import ObjectStore
from kws.errors import KwsError

OLD, NEW, NEXT = "17", "18", "19"
FILES = 12


def version(contents: BundleContents, name: str) -> BundleContents:
    """One test vector, to be quick."""
    return dataclasses.replace(contents, version=name, vectors=contents.vectors[:1])


def released(destination: Destination, name: str) -> None:
    """A version of some files, one in a folder, each with the version's name in it."""

    def fill(folder: Path) -> None:
        (folder / "test_vectors").mkdir()
        for number in range(FILES):
            (folder / f"{number}.txt").write_text(f"{number} of {name}\n" * 100)
        (folder / "test_vectors" / "index.json").write_text(name)
        write_checksums(folder)

    release(destination, name, fill)


def served_and_verified(destination: Destination) -> str:
    """What a reader does."""
    served = destination.served()
    assert served is not None and served in destination.versions()
    with destination.fetched(served) as folder:
        verify_checksums(folder)
        assert (folder / "test_vectors" / "index.json").read_text() == served
        assert len(list(folder.glob("*.txt"))) == FILES
    return served


# --- a folder: the process is killed, or the system refuses, at every change of the file system ---

_CHANGES = {
    "os.rename", "os.mkdir", "os.rmdir", "os.remove", "os.chmod", "os.truncate", "shutil.rmtree",
    "tempfile.mkdtemp", "tempfile.mkstemp",
}  # fmt: skip
_watched: Callable[[], None] | None = None


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    """Python's own report of what it is about to do; hooks stay for good, so there is one."""
    if _watched is None:
        return
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_ACCMODE
    if writes or event in _CHANGES:
        _watched()


sys.addaudithook(_audit)


@contextlib.contextmanager
def at_step(
    number: int, then: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """Does `then` at the change of that number; yields a list that grows with every change."""
    global _watched
    seen: list[int] = []

    def count() -> None:
        seen.append(1)
        if len(seen) - 1 == number:
            then()

    fsync = os.fsync

    def watched_fsync(descriptor: int) -> None:
        count()
        fsync(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", watched_fsync)
        _watched = count
        try:
            yield seen
        finally:
            _watched = None


def changes_of_a_push(folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    released(LocalDestination(folder), OLD)
    with at_step(-1, lambda: None, monkeypatch) as seen:
        released(LocalDestination(folder), NEW)
    return len(seen)


def leftovers(folder: Path) -> list[Path]:
    return list(folder.glob(".tmp-*"))


def test_a_folder_s_pusher_killed_at_any_step_leaves_a_whole_version_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = changes_of_a_push(tmp_path / "counted", monkeypatch)
    assert steps > 30
    outcomes = []
    for step in range(steps):
        destination = LocalDestination(tmp_path / str(step))
        released(destination, OLD)
        child = os.fork()
        if child == 0:
            with at_step(step, lambda: os.kill(os.getpid(), signal.SIGKILL), monkeypatch):
                released(destination, NEW)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        outcomes.append(served_and_verified(destination))
        released(destination, NEXT)
        assert served_and_verified(destination) == NEXT and not leftovers(destination.folder)
    # After the step that serves come the sync of the renamed LATEST and the end of the lock.
    assert outcomes == [OLD] * (steps - 2) + [NEW] * 2


def test_a_folder_that_refuses_any_step_keeps_a_whole_version_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    steps = changes_of_a_push(tmp_path / "counted", monkeypatch)
    failures = 0
    for step in range(steps):
        destination = LocalDestination(tmp_path / str(step))
        released(destination, OLD)
        failed = False
        with at_step(step, full, monkeypatch):
            try:
                released(destination, NEW)
            except OSError:
                failed = True
        # Of a push that failed, only the last two steps come after the one that serves. A step need
        # not fail: what cannot be removed is left to the next push.
        assert served_and_verified(destination) == (OLD if failed and step < steps - 2 else NEW)
        failures += failed
        released(destination, NEXT)
        assert served_and_verified(destination) == NEXT and not leftovers(destination.folder)
    assert failures >= steps - 3, "hardly any step may fail unnoticed"


# --- a store: each of its operations fails, before or after it took effect, or it is gone for good


class Faulty:
    """An fsspec filesystem whose operation number `at` fails."""

    def __init__(self, filesystem: Any, at: int = -1, when: str = "before"):
        self._filesystem, self._at, self._when, self.count = filesystem, at, when, 0

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._filesystem, name)

        def run(*args: Any, **kwargs: Any) -> Any:
            number, self.count = self.count, self.count + 1
            gone = self._when == "gone" and 0 <= self._at <= number
            if gone or (self._when == "before" and number == self._at):
                raise ConnectionError("the store does not answer")
            result = operation(*args, **kwargs)
            if self._when == "after" and number == self._at:
                raise ConnectionError("the answer was lost")
            return result

        return run


@pytest.fixture(params=["memory", "file"])
def store_at(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., ObjectStore]:
    """Makes stores: a place, and the fault."""
    if request.param == "memory":
        filesystem, root = fsspec.filesystem("memory"), f"/{tmp_path.name}"
    else:
        filesystem, root = LocalFileSystem(auto_mkdir=True), str(tmp_path)

    def make(name: str, **fault: Any) -> ObjectStore:
        faulty = Faulty(filesystem, **fault)
        return ObjectStore(faulty, f"{root}/{name}", f"{request.param}://{name}")

    return make


@pytest.mark.parametrize("when", ["before", "after", "gone"])
def test_a_store_that_fails_at_any_step_has_a_whole_version_served(
    store_at: Callable[..., ObjectStore], when: str
) -> None:
    released(store_at("counted"), OLD)
    counted = store_at("counted")
    released(counted, NEW)
    steps = counted._files.count
    assert steps > 30
    outcomes = []
    for step in range(steps):
        name = f"{when}-{step}"
        released(store_at(name), OLD)
        with pytest.raises(KwsError, match=r"the store does not answer|the answer was lost"):
            released(store_at(name, at=step, when=when), NEW)
        outcomes.append(served_and_verified(store_at(name)))
        released(store_at(name), NEXT)
        found = store_at(name)
        assert served_and_verified(found) == NEXT
        assert set(found._found().values()) == {True}
    # The last operation replaces LATEST: if only its answer is lost, the new version is served.
    assert outcomes == [OLD] * (steps - 1) + [NEW if when == "after" else OLD]


def test_what_a_store_gives_back_otherwise_than_it_was_put_is_never_served(
    store_at: Callable[..., ObjectStore],
) -> None:
    released(store_at("changed"), OLD)
    store = store_at("changed")
    put = store._files._filesystem.pipe_file

    class Changing(Faulty):
        def pipe_file(self, path: str, content: bytes) -> None:
            put(path, content + b"\n" if path.endswith("3.txt") else content)

    store._files = Changing(store._files._filesystem)
    with pytest.raises(KwsError, match=r"3\.txt is not the file that was pushed"):
        released(store, NEW)
    assert served_and_verified(store) == OLD and store.versions() == [OLD]


# --- both, as users have them ---


@pytest.fixture(params=["memory", "file", "folder"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "memory":
        return f"memory://{tmp_path.name}/bundles"
    return f"file://{tmp_path}/bundles" if request.param == "file" else f"{tmp_path}/bundles"


def test_versions_are_pushed_listed_rolled_back_promoted_and_read_from_any_place(
    contents: BundleContents,
    place: str,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KWS_CACHE", str(tmp_path_factory.mktemp("cache")))
    with pytest.raises(KwsError, match="is no folder of bundles"):
        versions.list_versions(place)
    for name in ("9", "10"):
        publishing.publish(version(contents, name), open_destination(place))
    with pytest.raises(KwsError, match="10 exists already"):
        publishing.publish(version(contents, "10"), open_destination(place))
    listed = versions.list_versions(place)
    assert [(one.name, one.served) for one in listed] == [("9", False), ("10", True)]
    assert listed[0].keywords == ("yes", "no")
    assert bundle_folder(place).name == "10"
    assert versions.rollback(place) == "9"
    assert bundle_folder(place).name == "9" and bundle_folder(f"{place}/10").name == "10"
    versions.promote(place, "10")
    assert versions.served(place) == "10"
    assert versions.broken(place) == {"9": None, "10": None}


def test_a_copy_of_a_store_s_bundle_is_checked_each_time(
    contents: BundleContents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KWS_CACHE", str(tmp_path))
    place = f"memory://{tmp_path.name}"
    publishing.publish(version(contents, OLD), open_destination(place))
    copied = bundle_folder(place)
    assert copied.is_relative_to(tmp_path) and bundle_folder(place) == copied
    (copied / "labels.txt").write_text("yes\n")
    with pytest.raises(KwsError, match=r"labels\.txt is not the file that was pushed"):
        bundle_folder(place)


def test_a_place_that_cannot_be_pushed_to_safely_is_refused() -> None:
    with pytest.raises(KwsError, match=r"cannot be pushed to sftp://.*gs://.*s3://"):
        open_destination("sftp://host/bundles")
    with pytest.raises(KwsError, match="is no URL of a folder"):
        open_destination("file://bundles")


@pytest.fixture(autouse=True)
def _empty_memory() -> Iterator[None]:
    yield
    fsspec.filesystem("memory").store.clear()
