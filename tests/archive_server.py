"""An HTTP server on this machine that does what servers do on bad days."""

import contextlib
import http.server
import threading
import time
from collections.abc import Iterator


class ArchiveServer(http.server.ThreadingHTTPServer):
    """Serves files; the attributes say how badly.

    Attributes:
      files: path -> content.
      tag: the ETag of all of them.
      ranges: does it know them?
      cuts: after how many bytes of an answer the connection breaks, one a request; then it holds.
      statuses: answered instead, one a request.
      redirects: path -> where to.
      pause_s: between the pieces of an answer.
      asked: the Range header of every request ("" for none).
      paths: of every request.
    """

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.tag, self.ranges = dict(files), '"one"', True
        self.cuts: list[int] = []
        self.statuses: list[int] = []
        self.redirects: dict[str, str] = {}
        self.pause_s = 0.0
        self.asked: list[str] = []
        self.paths: list[str] = []

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request, client_address) -> None:
        """A client that hangs up is no news."""


class Handler(http.server.BaseHTTPRequestHandler):
    server: ArchiveServer

    def log_message(self, format: str, *args) -> None:
        pass

    def do_GET(self) -> None:
        server = self.server
        if self.path in server.redirects:
            self.send_response(302)
            self.send_header("Location", server.redirects[self.path])
            self.end_headers()
            return
        asked = self.headers.get("Range", "")
        server.asked.append(asked)
        server.paths.append(self.path)
        if server.statuses:
            self.send_error(server.statuses.pop(0))
            return
        content = server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        first = int(asked.removeprefix("bytes=").rstrip("-")) if asked and server.ranges else 0
        if self.headers.get("If-Range", server.tag) != server.tag:
            first = 0
        size = len(content)
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
        body = content[first:]
        body = body[: server.cuts.pop(0)] if server.cuts else body
        pieces = 4 if server.pause_s else 1
        step = -(-len(body) // pieces) or 1
        for start in range(0, len(body), step):
            self.wfile.write(body[start : start + step])
            time.sleep(server.pause_s)


@contextlib.contextmanager
def served(files: dict[str, bytes]) -> Iterator[ArchiveServer]:
    """A running server."""
    server = ArchiveServer(files)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
