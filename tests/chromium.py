"""A headless Chromium that tests drive by the DevTools protocol, over a pipe: no port, no driver.

Opens pages, presses keys, moves the mouse, takes pictures, and keeps what a page complained of and
what it asked for. https://chromedevtools.github.io/devtools-protocol/
"""

import base64
import io
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
PATIENCE_S = 60.0


class Chromium:
    """One browser with one page. Use it as a context manager.

    Attributes:
      complaints: what reached the console as an error or a warning, and uncaught exceptions.
      asked: URLs of every request of the page, `data:` and WebSockets among them.
    """

    def __init__(self, folder: Path, options: Sequence[str] = ()):
        assert CHROMIUM is not None
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self._answers: dict[int, dict[str, Any]] = {}
        self._loaded = False
        self._count = 0
        self._rest = b""
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        self._read, self._write = ours_in, ours_out

        def as_three_and_four() -> None:
            # By way of high numbers: either may be 3 or 4 already.
            os.dup2(theirs_in, 93)
            os.dup2(theirs_out, 94)
            os.dup2(93, 3)
            os.dup2(94, 4)

        self._process = subprocess.Popen(
            [
                CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                "--disable-background-networking", "--disable-component-update", "--no-first-run",
                "--disable-dev-shm-usage", "--remote-debugging-pipe", "--mute-audio",
                # Nothing has a name but this machine: a request elsewhere fails, and is seen.
                "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
                f"--user-data-dir={folder / 'profile'}", *options, "about:blank",
            ],
            preexec_fn=as_three_and_four, close_fds=False,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(theirs_in)
        os.close(theirs_out)
        self._session: str | None = None
        pages = self("Target.getTargets")["targetInfos"]
        target = next(one["targetId"] for one in pages if one["type"] == "page")
        attached = self("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "DOM"):
            self(f"{domain}.enable")

    def __enter__(self) -> "Chromium":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)
        os.close(self._read)
        os.close(self._write)

    def __call__(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Sends a command and waits for its answer."""
        self._count += 1
        asked = self._count
        message: dict[str, Any] = {"id": asked, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        self._wait(lambda: asked in self._answers, method)
        answer = self._answers.pop(asked)
        assert "error" not in answer, (method, answer["error"])
        return dict(answer["result"])

    def forget(self) -> None:
        """Leaves the page, and with it what it complained of and asked for."""
        self.open("about:blank")
        self.complaints.clear()
        self.asked.clear()

    def look(self, width: int, dark: bool = False, height: int = 800) -> None:
        """A screen of this width (CSS pixels), as of a reader who prefers light or dark."""
        self("Emulation.setDeviceMetricsOverride", width=width, height=height,
             deviceScaleFactor=1, mobile=width < 600)  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self("Emulation.setEmulatedMedia", features=[scheme])

    def open(self, url: str) -> None:
        """Opens a page and waits for its load event."""
        self._loaded = False
        answer = self("Page.navigate", url=url)
        assert "errorText" not in answer, answer["errorText"]
        self._wait(lambda: self._loaded, f"loading {url}")

    def js(self, expression: str) -> Any:
        """The value of an expression in the page; promises are awaited."""
        answer = self(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True,
            userGesture=True,
        )  # fmt: skip
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, expression: str) -> None:
        """Waits until an expression in the page is true."""
        end = time.monotonic() + PATIENCE_S
        while not self.js(expression):
            assert time.monotonic() < end, f"never true: {expression}; {self.complaints}"
            time.sleep(0.05)

    def hover(self, selector: str) -> None:
        """Moves the mouse onto the middle of an element."""
        self("Input.dispatchMouseEvent", type="mouseMoved", **self._middle(selector))

    def click(self, selector: str) -> None:
        """Moves the mouse onto an element and presses it."""
        place = self._middle(selector)
        self("Input.dispatchMouseEvent", type="mouseMoved", **place)
        for kind in ("mousePressed", "mouseReleased"):
            self("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)

    def give_file(self, selector: str, file: Path) -> None:
        """As if a person had chosen it."""
        root = self("DOM.getDocument")["root"]["nodeId"]
        node = self("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self("DOM.setFileInputFiles", nodeId=node, files=[str(file)])

    def key(self, key: str) -> None:
        """Presses a key: `Enter`, `Tab`, `Escape`, or that of a character."""
        codes = {"Enter": 13, "Tab": 9, "Escape": 27}
        named: dict[str, Any] = {"key": key, "code": "Space" if key == " " else key}
        named["windowsVirtualKeyCode"] = codes[key] if key in codes else ord(key.upper())
        text = key if len(key) == 1 else {"Enter": "\r"}.get(key)
        down = {"type": "keyDown", "text": text} if text else {"type": "rawKeyDown"}
        self("Input.dispatchKeyEvent", **down, **named)
        self("Input.dispatchKeyEvent", type="keyUp", **named)

    def picture(self, whole: bool = False) -> Image.Image:
        """What is seen; with `whole`, the page from its top to its end."""
        made = self("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        return Image.open(io.BytesIO(base64.b64decode(made["data"]))).convert("RGB")

    def _middle(self, selector: str) -> dict[str, float]:
        place = self.js(
            f"(() => {{ const one = document.querySelector({json.dumps(selector)});"
            "one.scrollIntoView({block: 'center', inline: 'center', behavior: 'instant'});"
            "const box = one.getBoundingClientRect();"
            "return {x: box.x + box.width / 2, y: box.y + box.height / 2}; })()"
        )
        return dict(place)

    def _wait(self, done: Any, what: str) -> None:
        end = time.monotonic() + PATIENCE_S
        while not done():
            left = end - time.monotonic()
            assert left > 0, f"Chromium did not answer: {what}"
            if select.select([self._read], [], [], left)[0]:
                self._rest += os.read(self._read, 1 << 20)
                *messages, self._rest = self._rest.split(b"\0")
                for message in messages:
                    self._take(json.loads(message))

    def _take(self, message: dict[str, Any]) -> None:
        if "id" in message:
            self._answers[message["id"]] = message
            return
        kind, content = message["method"], message["params"]
        if kind == "Page.loadEventFired":
            self._loaded = True
        elif kind == "Network.requestWillBeSent":
            self.asked.append(content["request"]["url"])
        elif kind == "Network.webSocketCreated":
            self.asked.append(content["url"])
        elif kind == "Log.entryAdded" and content["entry"]["level"] in ("error", "warning"):
            self.complaints.append(content["entry"]["text"])
        elif kind == "Runtime.exceptionThrown":
            details = content["exceptionDetails"]
            self.complaints.append(str(details.get("exception", details).get("description")))
        elif kind == "Runtime.consoleAPICalled" and content["type"] in ("error", "warning"):
            self.complaints.append(
                " ".join(str(one.get("value", one.get("description"))) for one in content["args"])
            )
