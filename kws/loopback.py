"""Pages for this machine alone: bound to loopback, and asked for by its own name.

A page from elsewhere can have its name point to 127.0.0.1 (DNS rebinding), and then read what is
served here; the browser still sends the foreign name as Host. So whatever serves a page refuses a
request whose Host is not this machine.
"""

import urllib.parse
from collections.abc import Callable, Iterable
from typing import Any

ADDRESS = "127.0.0.1"
NAMES = (ADDRESS, "localhost", "::1")
REFUSAL = "Only for this machine."

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def is_here(host: str | None, port: int | None = None) -> bool:
    """Whether a request's Host is this machine.

    Args:
      host: the header; None: there is none.
      port: that must be in it; None: any.
    """
    try:
        parts = urllib.parse.urlsplit(f"//{host or ''}")
        return parts.hostname in NAMES and port in (None, parts.port) and "@" not in parts.netloc
    except ValueError:
        return False


def only_here(app: WsgiApp) -> WsgiApp:
    """A WSGI application that answers 403 to whoever calls it by another name."""

    def guarded(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if is_here(environ.get("HTTP_HOST")):
            return app(environ, start_response)
        headers = [("Content-Type", "text/plain; charset=utf-8")]
        start_response("403 Forbidden", headers)
        return [f"{REFUSAL}\n".encode()]

    return guarded
