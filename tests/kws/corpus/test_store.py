"""Fetching public corpora from a server on this machine, or from a folder of archives."""

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kws import storage
from kws.corpus import index
from kws.corpus.catalogue import MIRROR, CatalogueEntry, load
from kws.corpus.download import PartFile
from kws.corpus.store import CorpusStore
from kws.errors import KwsError
from tests.archive_server import ArchiveServer, served
from tests.kws.corpus import archives

SPEECH = archives.tar_gz(archives.librispeech())
PATH = "/resources/dev-clean.tar.gz"


@pytest.fixture
def server(monkeypatch) -> Iterator[ArchiveServer]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv(MIRROR, raising=False)
    with served({PATH: SPEECH}) as server:
        yield server


@pytest.fixture
def store(tmp_path) -> CorpusStore:
    return CorpusStore(tmp_path / "cache")


def entry(server: ArchiveServer, content: bytes = SPEECH, path: str = PATH) -> CatalogueEntry:
    return CatalogueEntry(
        name="speech",
        urls=(server.base + path,),
        md5=hashlib.md5(content).hexdigest(),
        layout="librispeech",
        licence="CC-BY-4.0",
    )


def test_a_corpus_is_loaded_unpacked_and_indexed_once(server, store):
    wanted = entry(server)
    assert store.state(wanted) == "absent"
    begun: list[tuple[str, str]] = []

    def report(what: str, unit: str):
        begun.append((what, unit))

    folder = store.fetch(wanted, report)
    assert store.state(wanted) == "ready"
    assert begun == [
        ("Loading speech", "bytes"),
        ("Unpacking speech", "bytes"),
        ("Indexing speech", "recordings"),
    ]
    assert len(list(folder.rglob("*.flac"))) == 5
    assert store.fetch(wanted) == folder and server.paths == [PATH]


def test_an_index_of_a_former_version_is_made_again_without_a_load(server, store):
    wanted = entry(server)
    folder = store.fetch(wanted)
    (folder / index.INDEX_FILE).unlink()
    store.archive(wanted).unlink()
    assert store.state(wanted) == "absent"
    assert index.read_summary(store.fetch(wanted)) is not None and server.paths == [PATH]


def test_a_load_that_was_cut_goes_on_and_one_that_changed_meanwhile_is_refused(server, store):
    wanted = entry(server)
    part = PartFile.beside(store.archive(wanted))
    part.path.parent.mkdir(parents=True)
    part.path.write_bytes(SPEECH[:1000])
    assert store.state(wanted) == "begun"
    store.fetch(wanted)
    assert server.asked == ["bytes=1000-"]
    store.remove(wanted)
    assert store.state(wanted) == "absent"
    server.files[PATH] = SPEECH[:-1] + b"!"
    with pytest.raises(KwsError, match="is not the expected file: its MD5 is"):
        store.fetch(wanted)
    assert store.state(wanted) == "absent"


def test_an_archive_that_would_write_outside_is_refused_and_leaves_nothing_unpacked(server, store):
    evil = archives.tar_gz({**archives.librispeech(), "../evil.flac": b"x"})
    server.files[PATH] = evil
    with pytest.raises(KwsError, match="would be written outside the folder"):
        store.fetch(entry(server, evil))
    assert store.state(entry(server, evil)) == "loaded"
    assert not list(store.folder(entry(server, evil)).iterdir())


@pytest.mark.parametrize("status", [403, 404])
def test_an_address_that_refuses_is_named_unless_another_gives_it(server, store, status):
    server.statuses = [status]
    with pytest.raises(KwsError, match=f"dev-clean.tar.gz: HTTP status {status}"):
        store.fetch(entry(server))
    server.statuses = [status]
    server.files["/mirror/dev-clean.tar.gz"] = SPEECH
    first = entry(server)
    other = first.model_copy(
        update={"urls": (*first.urls, f"{server.base}/mirror/dev-clean.tar.gz")}
    )
    store.fetch(other)
    assert server.paths[-2:] == [PATH, "/mirror/dev-clean.tar.gz"]


def test_a_mirror_takes_the_place_of_the_addresses(server, store, monkeypatch, tmp_path):
    public = entry(server).model_copy(
        update={"urls": ("https://example.invalid/a/dev-clean.tar.gz",)}
    )
    monkeypatch.setenv(MIRROR, f"{server.base}/resources/")
    store.fetch(public)
    assert server.paths == [PATH]
    store.remove(public)
    folder = tmp_path / "archives"
    folder.mkdir()
    monkeypatch.setenv(MIRROR, str(folder))
    with pytest.raises(KwsError, match=r"archives/dev-clean\.tar\.gz does not exist"):
        store.fetch(public)
    (folder / "dev-clean.tar.gz").write_bytes(SPEECH[:-1])
    with pytest.raises(KwsError, match=r"dev-clean\.tar\.gz is damaged: its MD5"):
        store.fetch(public)
    (folder / "dev-clean.tar.gz").write_bytes(SPEECH)
    store.fetch(public)
    # Used where it lies, not copied.
    assert not store.archive(public).exists() and len(server.paths) == 1


def test_two_that_want_the_same_corpus_fetch_it_once(server, store):
    server.pause_s = 0.05
    waited = threading.Event()
    second: list[Path] = []

    def fetch() -> None:
        with storage.announce_waiting(lambda _: waited.set()):
            second.append(store.fetch(entry(server)))

    thread = threading.Thread(target=fetch)

    def report(what: str, unit: str):
        if what.startswith("Loading"):
            thread.start()
            assert waited.wait(10)

    folder = store.fetch(entry(server), report)
    thread.join()
    assert second == [folder] and server.paths == [PATH]


def test_verify_tells_a_damaged_archive_and_files_that_are_gone(server, store):
    wanted = entry(server)
    folder = store.fetch(wanted)
    assert store.verify(wanted).problems == ()
    store.archive(wanted).write_bytes(SPEECH[:-1] + b"!")
    next(folder.rglob("*.flac")).unlink()
    check = store.verify(wanted)
    assert check.archive and check.files == 4
    assert "is damaged: its MD5 is" in check.problems[0]
    assert "1 of 5 files are gone" in check.problems[1]


def test_the_catalogue_names_no_address_without_tls_and_no_corpus_without_licence_and_checksum():
    catalogue = load()
    assert {"librispeech-dev-clean", "musan", "rirs", "dipco", "fma-small"} <= set(
        catalogue.names()
    )
    for found in catalogue.corpora.values():
        assert all(url.startswith("https://") for url in found.urls)
        assert found.licence and found.licence_url and found.attribution
        assert found.credit().startswith(f"{found.name}: ")
    assert catalogue.find("fma-small").terms == "non-commercial"
    with pytest.raises(KwsError) as error:
        catalogue.find("LibriSpeech_dev_clean")
    assert "did you mean librispeech-dev-clean" in str(error.value.hint)
    with pytest.raises(KwsError) as error:
        catalogue.find("common-voice")
    assert "signed-in" in str(error.value.hint)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("- a", "is a mapping"),
        ("corpora: {mine: 3}", r"corpora\.mine is a mapping"),
        (
            "corpora: {mine: {urls: [http://a/b.zip], layout: musan, licence: own}}",
            "checksum is need",
        ),
        (
            "corpora: {mine: {urls: [http://a/b.exe], md5: 0a000000000000000000000000000000, "
            "layout: musan, licence: own}}",
            "must be the http or https address of an archive",
        ),
        ("corpora: {mine: {layout: other}}", r"corpora\.mine\."),
        ("corpora: [", "not valid YAML"),
    ],
)
def test_a_table_of_ones_own_that_is_wrong_is_refused_in_a_sentence(tmp_path, text, sentence):
    table = tmp_path / "mine.yaml"
    table.write_text(text)
    with pytest.raises(KwsError, match=sentence):
        load(table)


def test_an_archive_is_not_unpacked_where_there_is_no_room_for_it(server, store, monkeypatch):
    monkeypatch.setattr("kws.corpus.store.UNPACKED_FACTOR", 1e12)
    store.archive(entry(server)).parent.mkdir(parents=True)
    store.archive(entry(server)).write_bytes(SPEECH)
    with pytest.raises(KwsError, match=r"dev-clean\.tar\.gz: \d+ more bytes are needed in"):
        store.fetch(entry(server))
    assert store.state(entry(server)) == "loaded" and not server.paths
