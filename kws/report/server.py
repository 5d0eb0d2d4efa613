"""Serves pages to this machine and to nobody else.

Bound to loopback and asked for by this machine's name: see `kws.loopback`. Only GET; nothing is
changed by a request.
"""

import dataclasses
import http.server
import threading
import urllib.parse
from collections.abc import Callable, Mapping
from http import HTTPStatus

from kws.loopback import ADDRESS, REFUSAL, is_here

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answer:
    """What is sent.

    Attributes:
      content: bytes of it.
      kind: its media type.
      policy: of its content; None for a file that brings its own.
    """

    content: bytes
    kind: str = "text/html; charset=utf-8"
    policy: str | None = POLICY


class NotHere(Exception):
    """There is nothing at this address; says what is missing."""


Site = Callable[[str, Mapping[str, str]], Answer]
"""From a path and its query to what is there; raises NotHere."""


def serve(site: Site, port: int) -> http.server.ThreadingHTTPServer:
    """A server that is bound and does not run yet.

    Args:
      site: asked by one request at a time.
      port: 0 takes a free one.

    Raises:
      OSError: the port is taken.
    """

    class Handler(_Handler):
        _site = staticmethod(site)
        _lock = threading.Lock()

    return http.server.ThreadingHTTPServer((ADDRESS, port), Handler)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "kws", ""
    server: http.server.HTTPServer
    _site: Site
    _lock: threading.Lock

    def do_GET(self) -> None:
        port = self.server.server_port
        if not is_here(self.headers.get("Host"), port):
            self._send(HTTPStatus.FORBIDDEN, _text(REFUSAL))
            return
        asked = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(asked.query))
        try:
            with self._lock:
                answer = self._site(urllib.parse.unquote(asked.path), query)
        except NotHere as missing:
            self._send(HTTPStatus.NOT_FOUND, _text(str(missing)))
        except Exception as error:
            self.log_error("%s: %s: %s", self.path, type(error).__name__, error)
            self._send(HTTPStatus.INTERNAL_SERVER_ERROR, _text(f"{type(error).__name__}: {error}"))
        else:
            self._send(HTTPStatus.OK, answer)

    def _send(self, status: HTTPStatus, answer: Answer) -> None:
        self.send_response(status)
        headers = {
            "Content-Type": answer.kind,
            "Content-Length": str(len(answer.content)),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Content-Security-Policy": answer.policy,
        }
        for name, value in headers.items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, format: str, *args: object) -> None:
        """To the log, not to the terminal."""
        import logging

        logging.getLogger(__name__).info(format, *args)


def _text(words: str) -> Answer:
    return Answer(content=f"{words}\n".encode(), kind="text/plain; charset=utf-8")
