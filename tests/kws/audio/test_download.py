"""Loading a file over HTTP, from a server on this machine that does what servers do on bad days."""

import hashlib
import http.server
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

from kws.audio.download import Redirects, download
from kws.errors import KwsError

CONTENT = np.random.default_rng(1).bytes(1_500_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """Serves one file; the attributes say how badly.

    Attributes:
      content, tag: the file and its ETag.
      ranges: does it know them?
      cuts: after how many bytes of an answer the connection breaks, one a request; then it holds.
      statuses: answered instead, one a request.
      redirect: where to, for the path /moved.
      asked: the Range header of every request ("" for none).
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.tag, self.ranges = CONTENT, '"one"', True
        self.cuts: list[int] = []
        self.statuses: list[int] = []
        self.redirect = ""
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/words.tar.gz"

    def handle_error(self, request, client_address) -> None:
        """A client that hangs up is no news."""


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def log_message(self, format: str, *args) -> None:
        pass

    def do_GET(self) -> None:
        server = self.server
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", server.redirect or server.url)
            self.end_headers()
            return
        asked = self.headers.get("Range", "")
        server.asked.append(asked)
        if server.statuses:
            self.send_error(server.statuses.pop(0))
            return
        first = int(asked.removeprefix("bytes=").rstrip("-")) if asked and server.ranges else 0
        if self.headers.get("If-Range", server.tag) != server.tag:
            first = 0
        size = len(server.content)
        if first >= size:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{size}")
            self.end_headers()
            return
        self.send_response(206 if first else 200)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{size - 1}/{size}")
        self.send_header("Content-Length", str(size - first))
        self.send_header("ETag", server.tag)
        self.end_headers()
        body = server.content[first:]
        self.wfile.write(body[: server.cuts.pop(0)] if server.cuts else body)


@pytest.fixture
def server(monkeypatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = Server()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def load(server: Server, target: Path, sha256: str = SHA256, **options) -> Path:
    return download(server.url, target, sha256, backoff_s=0.01, **options)


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
    server.content, server.tag = CONTENT[::-1], '"two"'
    sha256 = hashlib.sha256(server.content).hexdigest()
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
    server.content = CONTENT[:-1] + b"!"
    found = hashlib.sha256(server.content).hexdigest()
    with pytest.raises(KwsError, match=f"SHA-256 is {found}, not {SHA256}"):
        load(server, tmp_path / "f")
    assert not any(tmp_path.iterdir())


def test_redirects_are_followed_to_http_and_nowhere_else(server, tmp_path):
    moved = server.url.replace("words.tar.gz", "moved")
    assert download(moved, tmp_path / "f", SHA256).read_bytes() == CONTENT
    for bad in ("file:///etc/passwd", "ftp://127.0.0.1/f"):
        server.redirect = bad
        with pytest.raises(KwsError, match=r"(?i)redirect"):
            download(moved, tmp_path / "g", SHA256)
    with pytest.raises(KwsError, match="no http or https address"):
        download("file:///etc/passwd", tmp_path / "g", SHA256)


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
        from kws.audio.download import download
        from kws.errors import KwsError
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, {resource.RLIM_INFINITY}))
        try:
            download({server.url!r}, Path({str(tmp_path / "f")!r}), {SHA256!r})
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
    monkeypatch.setattr("kws.audio.download.MAX_BYTES", 300_000)
    with pytest.raises(KwsError, match="sends more than 300000 bytes"):
        download(server.url, tmp_path / "words.tar.gz", SHA256)
    assert not (tmp_path / "words.tar.gz").exists()
    assert (tmp_path / "words.tar.gz.part").stat().st_size == 0
