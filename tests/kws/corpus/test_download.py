"""Loading a file over HTTP, from a server on this machine that does what servers do on bad days."""

import hashlib
import os
import resource
import subprocess
import sys
import textwrap
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from kws import storage
from kws.corpus.download import Checksum, Redirects, download
from kws.errors import KwsError
from tests.archive_server import ArchiveServer, Handler, served

CONTENT = np.random.default_rng(1).bytes(1_500_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PATH = "/words.tar.gz"


@pytest.fixture
def server(monkeypatch) -> Iterator[ArchiveServer]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with served({PATH: CONTENT}) as server:
        yield server


def load(server: ArchiveServer, target: Path, sha256: str = SHA256, **options) -> Path:
    return download(
        server.base + PATH, target, Checksum("sha256", sha256), backoff_s=0.01, **options
    )


def test_a_file_comes_whole_once_and_says_how_far_it_is(server, tmp_path):
    seen: list[tuple[int, int]] = []
    target = tmp_path / "deep" / "words.tar.gz"
    load(server, target, progress=lambda done, total: seen.append((done, total)))
    assert target.read_bytes() == CONTENT
    assert seen[0] == (0, len(CONTENT)) and seen[-1] == (len(CONTENT), len(CONTENT))
    load(server, target)
    assert server.asked == [""]
    assert os.listdir(target.parent) == ["words.tar.gz"]


def test_a_cut_connection_goes_on_where_it_was(server, tmp_path):
    server.cuts = [500_000, 300_000]
    assert load(server, tmp_path / "f").read_bytes() == CONTENT
    assert server.asked == ["", "bytes=500000-", "bytes=800000-"]


def test_a_killed_download_goes_on_in_the_next_run(server, tmp_path):
    server.cuts = [700_000]
    with pytest.raises(KwsError, match="broke at byte 700000 of 1500000, 1 times in a row"):
        load(server, tmp_path / "f", attempts=1)
    assert load(server, tmp_path / "f").read_bytes() == CONTENT
    assert server.asked == ["", "bytes=700000-"]


def test_a_file_that_changed_meanwhile_is_loaded_from_its_beginning(server, tmp_path):
    server.cuts = [700_000]
    with pytest.raises(KwsError):
        load(server, tmp_path / "f", attempts=1)
    server.files[PATH], server.tag = CONTENT[::-1], '"two"'
    sha256 = hashlib.sha256(server.files[PATH]).hexdigest()
    assert load(server, tmp_path / "f", sha256).read_bytes() == CONTENT[::-1]


def test_a_server_without_ranges_starts_over(server, tmp_path):
    server.ranges, server.cuts = False, [700_000]
    assert load(server, tmp_path / "f").read_bytes() == CONTENT
    assert server.asked == ["", "bytes=700000-"]


def test_a_part_that_is_wrong_or_already_whole_does_not_hold_it_up(server, tmp_path):
    (tmp_path / "f.part").write_bytes(b"?" * 1000)
    assert load(server, tmp_path / "f").read_bytes() == CONTENT
    (tmp_path / "g.part").write_bytes(CONTENT)
    assert load(server, tmp_path / "g").read_bytes() == CONTENT
    assert server.asked == ["bytes=1000-", "", f"bytes={len(CONTENT)}-"]


def test_a_busy_server_is_asked_again_and_a_missing_file_is_not(server, tmp_path):
    server.statuses = [503, 429]
    assert load(server, tmp_path / "f").read_bytes() == CONTENT
    server.statuses, server.asked = [404], []
    with pytest.raises(KwsError, match=r"words\.tar\.gz: HTTP status 404"):
        load(server, tmp_path / "g")
    assert server.asked == [""]
    server.statuses = [503] * 9
    with pytest.raises(KwsError, match="HTTP status 503, 3 times in a row"):
        load(server, tmp_path / "g", attempts=3)


def test_a_wrong_checksum_names_both_and_keeps_nothing(server, tmp_path):
    server.files[PATH] = CONTENT[:-1] + b"!"
    found = hashlib.sha256(server.files[PATH]).hexdigest()
    with pytest.raises(KwsError, match=f"SHA-256 is {found}, not {SHA256}"):
        load(server, tmp_path / "f")
    assert not any(tmp_path.iterdir())


def test_redirects_are_followed_to_http_and_nowhere_else(server, tmp_path):
    moved, checksum = f"{server.base}/moved", Checksum("sha256", SHA256)
    server.redirects["/moved"] = server.base + PATH
    assert download(moved, tmp_path / "f", checksum).read_bytes() == CONTENT
    for bad in ("file:///etc/passwd", "ftp://127.0.0.1/f"):
        server.redirects["/moved"] = bad
        with pytest.raises(KwsError, match=r"(?i)redirect"):
            download(moved, tmp_path / "g", checksum)
    with pytest.raises(KwsError, match="no http or https address"):
        download("file:///etc/passwd", tmp_path / "g", checksum)


def test_a_redirect_does_not_lead_from_https_to_http():
    request = urllib.request.Request("https://example.com/a")
    with pytest.raises(KwsError, match="from https to http"):
        Redirects().redirect_request(request, None, 302, "Found", {}, "http://example.com/a")
    followed = Redirects().redirect_request(request, None, 302, "", {}, "https://example.org/b")
    assert followed.full_url == "https://example.org/b"


def test_an_address_where_nobody_answers_is_named(server, tmp_path):
    server.shutdown()
    server.server_close()
    with pytest.raises(KwsError, match=r"words\.tar\.gz: .*refused, 2 times in a row"):
        load(server, tmp_path / "f", attempts=2)


def test_a_full_disk_says_what_is_missing_and_the_next_run_goes_on(server, tmp_path):
    """The error is the operating system's: the process may write no more than a million bytes."""
    script = f"""
        import resource, sys
        from pathlib import Path
        from kws.corpus.download import Checksum, download
        from kws.errors import KwsError
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, {resource.RLIM_INFINITY}))
        try:
            checksum = Checksum("sha256", {SHA256!r})
            download({server.base + PATH!r}, Path({str(tmp_path / "f")!r}), checksum)
        except KwsError as error:
            sys.exit(error.message)
    """
    child = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True
    )
    assert "f.part cannot be written on: the disk is full" in child.stderr
    assert "more bytes are needed" in child.stderr
    kept = (tmp_path / "f.part").stat().st_size
    assert 0 < kept <= 1_000_000
    assert load(server, tmp_path / "f").read_bytes() == CONTENT
    assert server.asked == ["", f"bytes={kept}-"]


def test_a_file_that_cannot_fit_is_not_begun(tmp_path, server):
    class Huge(Handler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(1 << 60))
            self.end_headers()

    server.RequestHandlerClass = Huge
    with pytest.raises(KwsError, match=f"{1 << 60} more bytes are needed in .*, \\d+ are free"):
        load(server, tmp_path / "f")


def test_a_server_that_never_ends_is_left(server, tmp_path, monkeypatch):
    monkeypatch.setattr("kws.corpus.download.MAX_BYTES", 300_000)
    with pytest.raises(KwsError, match="sends more than 300000 bytes"):
        load(server, tmp_path / "words.tar.gz")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("algorithm", ["sha1", "md5"])
def test_a_file_may_be_pinned_by_an_older_checksum(server, tmp_path, algorithm):
    right = Checksum(algorithm, hashlib.new(algorithm, CONTENT).hexdigest())
    server.cuts = [600_000]
    target = download(server.base + PATH, tmp_path / "f", right, backoff_s=0.01)
    assert target.read_bytes() == CONTENT
    with pytest.raises(KwsError, match=f"its {right.title} is {right.value}, not 00"):
        download(server.base + PATH, tmp_path / "g", right._replace(value="00"))


def test_the_next_address_goes_on_where_the_first_gave_up_or_starts_over_if_it_was_wrong(
    server, tmp_path
):
    server.files["/wrong"] = CONTENT[::-1]
    right = Checksum("sha256", SHA256)
    urls = [f"{server.base}/gone", f"{server.base}/wrong", server.base + PATH]
    assert download(urls, tmp_path / "f", right).read_bytes() == CONTENT
    assert server.paths == ["/gone", "/wrong", PATH] and server.asked[-1] == ""
    server.paths.clear()
    server.cuts = [700_000]
    server.files["/same"] = CONTENT
    again = [server.base + PATH, f"{server.base}/same"]
    assert download(again, tmp_path / "g", right, attempts=1).read_bytes() == CONTENT
    assert server.paths == [PATH, "/same"] and server.asked[-1] == "bytes=700000-"
    with pytest.raises(KwsError, match=r"wrong is not the expected file.*; 1 other addresses fail"):
        download(urls[:2], tmp_path / "h", right)
    assert not list(tmp_path.glob("h*"))


def test_two_that_want_the_same_file_load_it_once_and_the_second_waits(server, tmp_path):
    server.pause_s = 0.1
    waited = threading.Event()
    loaded: list[Path] = []

    def second() -> None:
        with storage.announce_waiting(lambda _: waited.set()):
            loaded.append(load(server, tmp_path / "f"))

    began = threading.Event()
    thread = threading.Thread(target=second)
    load_progress: list[int] = []

    def progress(done: int, total: int) -> None:
        load_progress.append(done)
        if not began.is_set():
            began.set()
            thread.start()
            assert waited.wait(10)

    load(server, tmp_path / "f", progress=progress)
    thread.join()
    assert loaded == [tmp_path / "f"] and loaded[0].read_bytes() == CONTENT
    assert server.asked == [""] and load_progress[-1] == len(CONTENT)
    assert os.listdir(tmp_path) == ["f"]


def test_one_that_waited_in_vain_loads_the_file_itself(server, tmp_path):
    server.files[PATH] = CONTENT[::-1]
    failed = threading.Event()

    def first() -> None:
        def progress(done: int, total: int) -> None:
            began.set()
            assert waiting.wait(10)

        with pytest.raises(KwsError, match="not the expected file"):
            load(server, tmp_path / "f", progress=progress)
        failed.set()

    began, waiting = threading.Event(), threading.Event()
    thread = threading.Thread(target=first)
    thread.start()
    assert began.wait(10)
    server.files[PATH] = CONTENT
    with storage.announce_waiting(lambda _: waiting.set()):
        assert load(server, tmp_path / "f").read_bytes() == CONTENT
    thread.join()
    assert failed.is_set()


def test_room_for_what_is_unpacked_is_wanted_before_anything_is_loaded(server, tmp_path):
    with pytest.raises(KwsError, match=r"more bytes are needed in .*, \d+ are free"):
        load(server, tmp_path / "f", room_factor=1e12)
