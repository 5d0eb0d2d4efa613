"""The page and its WebSocket, on loopback alone.

A page that listens must not be reached by others: the socket is bound to 127.0.0.1, a request must
name this machine as its Host (so that no other site's name can be pointed here), and a WebSocket
must come from the page itself (Origin). The page may load nothing from elsewhere
(Content-Security-Policy).

    The browser sends     {"kind": "listen", "rate": Hz}, then int16 chunks, then {"kind": "stop"}
    or                    {"kind": "file", "name": ...}, then the file's bytes;
    and is answered by    hello once, heard again and again, end; or error.
"""

import asyncio
import concurrent.futures
import contextlib
import json
import socket
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import tornado.httpserver
import tornado.netutil
import tornado.web
import tornado.websocket

from kws.audio.read import Unreadable, read
from kws.corpus.listing import RECORDING_SUFFIXES
from kws.demo.session import Session, describe
from kws.detect import Spotter, load
from kws.errors import KwsError
from kws.loopback import ADDRESS, is_here

PAGE = Path(__file__).parent / "page"
FILES = {
    "": ("index.html", "text/html"),
    "demo.js": ("demo.js", "text/javascript"),
    "draw.js": ("draw.js", "text/javascript"),
    "worklet.js": ("worklet.js", "text/javascript"),
    "demo.css": ("demo.css", "text/css"),
}
MOST_BYTES = 100 * 2**20
"""Of a file that is dropped."""
MOST_FILE_MS = 30 * 60_000
FILE_CHUNK_MS = 400
RATES = (2000, 400_000)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
}


def listening(port: int) -> list[socket.socket]:
    """Sockets on loopback.

    Raises:
      KwsError: the port is taken or not allowed.
    """
    try:
        return tornado.netutil.bind_sockets(port, ADDRESS)
    except OSError as error:
        raise KwsError(
            f"port {port} of {ADDRESS} is not to be had: {error.strerror}",
            hint="--port with another, or 0 for any that is free",
        ) from error


async def serve(
    bundle: str,
    threshold: float | None,
    sockets: list[socket.socket],
    stop: asyncio.Event,
    sensitivity: str | None = None,
) -> None:
    """Serves the page until `stop` is set."""
    rules: list[Any] = [
        (r"/socket", _Socket, {"loaded": (bundle, threshold, sensitivity)}),
        (r"/([a-z.]*)", _Page),
    ]
    application = tornado.web.Application(
        rules, log_function=lambda handler: None, websocket_max_message_size=MOST_BYTES
    )
    server = tornado.httpserver.HTTPServer(application)
    server.add_sockets(sockets)
    await stop.wait()
    server.stop()
    await server.close_all_connections()


def _from_here(handler: tornado.web.RequestHandler) -> None:
    """Refuses a request that was sent to another name than this machine's."""
    if not is_here(handler.request.host):
        raise tornado.web.HTTPError(403)


class _Page(tornado.web.RequestHandler):
    """The page's few files."""

    def prepare(self) -> None:
        _from_here(self)

    def set_default_headers(self) -> None:
        for name, value in HEADERS.items():
            self.set_header(name, value)

    def get(self, name: str) -> None:
        if name not in FILES:
            raise tornado.web.HTTPError(404)
        file, kind = FILES[name]
        self.set_header("Content-Type", f"{kind}; charset=utf-8")
        self.set_header(
            "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
            f"connect-src 'self' ws://{self.request.host}; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'",
        )
        self.finish((PAGE / file).read_bytes())


class _Socket(tornado.websocket.WebSocketHandler):
    """One page's streams, one after the other."""

    def initialize(self, loaded: tuple[str, float | None, str | None]) -> None:
        self._loaded = loaded
        # One thread: what was stopped has ended before the next stream begins.
        self._worker = concurrent.futures.ThreadPoolExecutor(max_workers=1)
        self._session: Session | None = None
        self._file: str | None = None
        self._reading: asyncio.Task | None = None

    def prepare(self) -> None:
        _from_here(self)

    def check_origin(self, origin: str) -> bool:
        return origin == f"http://{self.request.host}"

    async def open(self) -> None:  # type: ignore[override]
        # A streaming model keeps the state of its stream: each page has one of its own.
        self._spotter: Spotter = await self._in_a_thread(load, *self._loaded)
        await self._send(describe(self._spotter))

    async def on_message(self, message: str | bytes) -> None:  # type: ignore[override]
        """Tornado reads no further message before this one is done, so that nothing piles up."""
        try:
            if isinstance(message, bytes):
                await self._sound(message)
            else:
                await self._command(json.loads(message))
        except Exception as error:  # the person at the page must hear of any
            await self._failed(error)

    def on_close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
        self._worker.shutdown(wait=False)

    async def _command(self, command: dict[str, Any]) -> None:
        kind = command["kind"]
        if kind == "stop":
            await self._stop()
        elif kind == "listen":
            await self._stop()
            rate = int(command["rate"])
            if not RATES[0] <= rate <= RATES[1]:
                raise ValueError(f"rate={rate}")
            self._session = Session(self._spotter, rate)
        elif kind == "file":
            await self._stop()
            self._file = str(command["name"])
        else:
            raise ValueError(f"kind={kind!r}")

    async def _sound(self, content: bytes) -> None:
        if self._file is not None:
            name, self._file = self._file, None
            audio = await self._in_a_thread(self._read, name, content)
            self._reading = asyncio.create_task(self._play(audio))
        elif self._session is not None:
            audio = np.frombuffer(content[: len(content) // 2 * 2], "<i2").astype(np.int16)
            await self._send(await self._in_a_thread(self._session.feed, audio))

    def _read(self, name: str, content: bytes) -> np.ndarray:
        """As `kws detect` reads it."""
        suffix = Path(name).suffix.lower()
        with tempfile.NamedTemporaryFile(
            suffix=suffix if suffix in RECORDING_SUFFIXES else ".wav"
        ) as file:
            file.write(content)
            file.flush()
            rate = self._spotter.frontend.params.sample_rate
            try:
                return read(Path(file.name), rate, max_duration_ms=MOST_FILE_MS).audio
            except Unreadable as error:
                raise KwsError(f"{name}: {error}") from error

    async def _play(self, audio: np.ndarray) -> None:
        """A whole recording, as fast as it goes."""
        rate = self._spotter.frontend.params.sample_rate
        size = rate * FILE_CHUNK_MS // 1000
        await self._send({"kind": "length", "ms": len(audio) * 1000 // rate})
        try:
            session = Session(self._spotter)
            for begin in range(0, len(audio), size):
                update = await self._in_a_thread(session.feed, audio[begin : begin + size])
                await self._send(update)
            await self._end(session)
        except Exception as error:
            await self._failed(error)

    async def _stop(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        session, self._session = self._session, None
        if session is not None:
            await self._end(session)

    async def _end(self, session: Session) -> None:
        await self._send(await self._in_a_thread(session.finish))
        await self._send({"kind": "end"})

    async def _failed(self, error: Exception) -> None:
        self._session = self._file = None
        known = isinstance(error, KwsError)
        text = str(error) if known else f"{type(error).__name__}: {error}"
        await self._send({"kind": "error", "text": text})

    async def _send(self, message: dict[str, Any]) -> None:
        # The page may be gone by now.
        with contextlib.suppress(tornado.websocket.WebSocketClosedError):
            await self.write_message(json.dumps(message))

    async def _in_a_thread(self, work: Any, *arguments: Any) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._worker, work, *arguments)
