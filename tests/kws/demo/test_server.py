"""The demo's server: on loopback only, for its own page only, and every error is told."""

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tornado.httpclient
import tornado.websocket

from kws import detect as detecting
from kws.bundle import publishing
from kws.bundle.contents import BundleContents
from kws.demo import server
from kws.errors import KwsError
from pipeline.cli.demo import newest
from tests.kws.runtime.conftest import *  # noqa: F403  the fixtures `contents`, `trial`, ...
from tests.kws.test_listen import RATE, _audio

THRESHOLD = 0.3
AUDIO = _audio(4)


@pytest.fixture
def folder(contents: BundleContents, tmp_path: Path) -> str:
    publishing.push(contents, tmp_path / "bundles")
    return str(tmp_path / "bundles")


def served(folder: str, visit):
    """Serves a bundle while `visit(port)` runs, and returns what it returns."""

    async def both():
        sockets = server.listening(0)
        assert {one.getsockname()[0] for one in sockets} == {"127.0.0.1"}
        stop = asyncio.Event()
        serving = asyncio.create_task(server.serve(folder, THRESHOLD, sockets, stop))
        try:
            return await asyncio.wait_for(visit(sockets[0].getsockname()[1]), 60)
        finally:
            stop.set()
            await serving

    return asyncio.run(both())


async def fetched(port: int, path: str, **headers: str) -> tornado.httpclient.HTTPResponse:
    request = tornado.httpclient.HTTPRequest(f"http://127.0.0.1:{port}/{path}", headers=headers)
    return await tornado.httpclient.AsyncHTTPClient().fetch(request, raise_error=False)


async def connected(port: int, **headers: str) -> tornado.websocket.WebSocketClientConnection:
    request = tornado.httpclient.HTTPRequest(f"ws://127.0.0.1:{port}/socket", headers=headers)
    return await tornado.websocket.websocket_connect(request)


async def answers(socket, last: str) -> list[dict]:
    """All messages up to one of a kind."""
    found: list[dict] = []
    while not found or found[-1]["kind"] not in (last, "error"):
        found.append(json.loads(await socket.read_message()))
    return found


def test_only_this_machines_names_are_answered_and_nothing_from_elsewhere_may_load(folder):
    async def visit(port: int) -> None:
        page = await fetched(port, "")
        assert page.code == 200 and b"<canvas" in page.body
        policy = page.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'") and "http" not in policy
        for name in ("demo.js", "draw.js", "worklet.js", "demo.css"):
            assert (await fetched(port, name)).code == 200
        assert (await fetched(port, "server.py")).code == 404
        assert (await fetched(port, "", Host="evil.example")).code == 403
        assert (await fetched(port, "", Host=f"localhost:{port}")).code == 200

    served(folder, visit)


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Host": "evil.example"}],
)
def test_another_sites_page_gets_no_socket(folder, headers):
    async def visit(port: int) -> int:
        with pytest.raises(tornado.httpclient.HTTPClientError) as refused:
            await connected(port, **headers)
        return refused.value.code

    assert served(folder, visit) == 403


def test_a_file_is_heard_as_kws_detect_hears_it_and_then_the_microphone(folder, tmp_path):
    soundfile.write(tmp_path / "a.flac", AUDIO, RATE)
    spotter = detecting.load(folder, THRESHOLD)
    expected = detecting.listen_to(spotter, tmp_path / "a.flac").to_dict(RATE)["detections"]

    async def visit(port: int) -> None:
        socket = await connected(port, Origin=f"http://127.0.0.1:{port}")
        hello = (await answers(socket, "hello"))[0]
        assert hello["threshold"] == THRESHOLD and hello["sample_rate"] == RATE
        for _ in range(2):  # one after the other
            await socket.write_message(json.dumps({"kind": "file", "name": "a.flac"}))
            await socket.write_message((tmp_path / "a.flac").read_bytes(), binary=True)
            heard = await answers(socket, "end")
            assert heard[0] == {"kind": "length", "ms": 4000}
            found = [one for update in heard for one in update.get("detections", [])]
            assert found == expected
        await socket.write_message(json.dumps({"kind": "listen", "rate": RATE}))
        for begin in range(0, len(AUDIO), 640):
            chunk = AUDIO[begin : begin + 640].astype("<i2").tobytes()
            await socket.write_message(chunk, binary=True)
        await socket.write_message(json.dumps({"kind": "stop"}))
        heard = await answers(socket, "end")
        assert [one for update in heard for one in update.get("detections", [])] == expected
        socket.close()

    served(folder, visit)


def test_what_is_wrong_is_told_and_the_socket_stays(folder):
    async def visit(port: int) -> list[str]:
        socket = await connected(port)
        await answers(socket, "hello")
        told = []
        for message in ('{"kind": "dance"}', "no json", '{"kind": "listen", "rate": 1}'):
            await socket.write_message(message)
            told.append((await answers(socket, "error"))[-1]["text"])
        await socket.write_message('{"kind": "file", "name": "a.wav"}')
        await socket.write_message(np.zeros(9, np.int16).tobytes(), binary=True)
        told.append((await answers(socket, "error"))[-1]["text"])
        return told

    dance, syntax, rate, unreadable = served(folder, visit)
    assert "dance" in dance and "JSON" in syntax and "rate=1" in rate
    assert unreadable.startswith("a.wav: ")


def test_a_taken_port_is_one_line(folder):
    taken = server.listening(0)
    with pytest.raises(KwsError, match="is not to be had"):
        server.listening(taken[0].getsockname()[1])
    taken[0].close()


def test_the_newest_bundle_is_the_default(tmp_path):
    import os

    with pytest.raises(KwsError, match="no bundle"):
        newest(tmp_path)
    for age, name in enumerate(("new", "old")):
        file = tmp_path / name / "bundles" / "LATEST"
        file.parent.mkdir(parents=True)
        file.touch()
        os.utime(file, (1000 - age, 1000 - age))
    assert newest(tmp_path) == tmp_path / "new" / "bundles"
