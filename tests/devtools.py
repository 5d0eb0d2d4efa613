"""Headless Chromium over the DevTools protocol: pages that are clicked, asked and looked at."""

import base64
import contextlib
import itertools
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import websocket

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
START_S = 60.0


class Page:
    """One tab, and all that it has asked for and complained about since it was opened."""

    def __init__(self, address: str):
        self._socket = websocket.create_connection(address, suppress_origin=True, timeout=60)
        self._numbers = itertools.count(1)
        self.events: list[dict[str, Any]] = []
        for domain in ("Page", "Runtime", "Network", "Log", "DOM"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command of the protocol, and its result; events that come meanwhile are kept."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]
            self.events.append(message)

    def open(self, url: str) -> None:
        self.ask("Page.navigate", url=url)

    def value(self, expression: str) -> Any:
        """What a JavaScript expression gives; a promise is awaited."""
        result = self.ask(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait_for(self, expression: str, seconds: float = 30.0) -> None:
        """Until an expression is true."""
        end = time.monotonic() + seconds
        while not self.value(expression):
            assert time.monotonic() < end, f"not in {seconds} s: {expression}; {self.complaints()}"
            time.sleep(0.1)

    def give_file(self, selector: str, file: Path) -> None:
        """As if a person had chosen it."""
        root = self.ask("DOM.getDocument")["root"]["nodeId"]
        node = self.ask("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.ask("DOM.setFileInputFiles", nodeId=node, files=[str(file)])

    def press(self, key: str) -> None:
        for kind in ("keyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, text=key)

    def look(self, width: int, height: int, dark: bool) -> None:
        """The size of the screen, and which colours its owner prefers."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=width < 700,
        )  # fmt: skip

    def picture(self, file: Path) -> None:
        content = self.ask("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        file.write_bytes(base64.b64decode(content))

    def complaints(self) -> list[str]:
        """Errors and warnings of console and browser, and exceptions that nobody caught."""
        self.value("1")  # fetches what has come since
        found = []
        for event in self.events:
            parameters = event.get("params", {})
            if event["method"] == "Runtime.exceptionThrown":
                found.append(json.dumps(parameters["exceptionDetails"]))
            elif event["method"] == "Runtime.consoleAPICalled":
                if parameters["type"] in ("error", "warning", "assert"):
                    found.append(json.dumps(parameters["args"]))
            elif event["method"] == "Log.entryAdded":
                found.append(json.dumps(parameters["entry"]))
        return found

    def requests(self) -> list[str]:
        """Every URL that the page asked for, WebSockets too."""
        self.value("1")
        return [
            event["params"]["request"]["url"]
            if event["method"] == "Network.requestWillBeSent"
            else event["params"]["url"]
            for event in self.events
            if event["method"] in ("Network.requestWillBeSent", "Network.webSocketCreated")
        ]


@contextlib.contextmanager
def chromium(folder: Path, *options: str) -> Iterator[Page]:
    """A browser with one empty tab; its profile is in the folder."""
    assert CHROMIUM is not None
    profile = folder / "profile"
    command = [
        CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        "--disable-background-networking", "--disable-component-update", "--no-first-run",
        f"--user-data-dir={profile}", "--remote-debugging-port=0",
        # What the browser asks for on its own account goes nowhere.
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        *options, "about:blank",
    ]  # fmt: skip
    with open(folder / "chromium.log", "w") as log:
        browser = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        page = Page(_address(profile / "DevToolsActivePort"))
        yield page
        page._socket.close()
    finally:
        browser.terminate()
        browser.wait(timeout=30)


def _address(written: Path) -> str:
    """The tab's WebSocket, once the browser has said on which port it may be asked."""
    end = time.monotonic() + START_S
    while True:
        with contextlib.suppress(OSError, StopIteration, IndexError):
            port = written.read_text().splitlines()[0]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
                tabs = json.load(answer)
            return next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
        assert time.monotonic() < end, "Chromium did not start"
        time.sleep(0.1)
