"""The page in a browser: headless Chromium reports no error and asks for nothing but the file."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from kws.report.page import page

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


class Browser:
    """One page, opened once for each question."""

    def __init__(self, file: Path, folder: Path):
        self._file, self._folder = file, folder

    def run(self, *options: str) -> subprocess.CompletedProcess[str]:
        assert CHROMIUM is not None
        command = [
            CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            "--disable-background-networking", "--disable-component-update", "--no-first-run",
            # What the browser asks for on its own account goes nowhere.
            "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={self._folder / 'profile'}", "--enable-logging=stderr",
            *options, self._file.as_uri(),
        ]  # fmt: skip
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)

    def picture(self, width: int, height: int, dark: bool = False) -> Image.Image:
        file = self._folder / f"{width}-{dark}.png"
        scheme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
        self.run(f"--screenshot={file}", f"--window-size={width},{height}", scheme)
        return Image.open(file).convert("RGB")


@pytest.fixture
def browser(facts, tmp_path) -> Browser:
    file = tmp_path / "report.html"
    file.write_text(page.render(facts), encoding="utf-8")
    return Browser(file, tmp_path)


def test_no_error_reaches_the_console_and_the_script_has_run(browser):
    done = browser.run("--dump-dom")
    assert "CONSOLE" not in done.stderr
    # The script puts its own buttons in the place of the browser's players.
    assert done.stdout.count('class="moment scripted"') == 4
    play = re.findall('<button[^>]*aria-label="Play: [^>]*>', done.stdout)
    assert len(play) == 4 and not any(" hidden" in button for button in play)


def test_no_request_leaves_the_page(facts, tmp_path):
    ask = (
        "document.title = 'asked for ' + performance.getEntriesByType('resource').map(e => e.name)"
    )
    dom = _opened(facts, tmp_path, f"<script>addEventListener('load', () => {{ {ask} }})</script>")
    (title,) = re.findall("<title>asked for (.*?)</title>", dom.stdout)
    assert [name for name in title.split(",") if name and not name.startswith("data:")] == []


def test_what_would_come_from_elsewhere_is_refused(facts, tmp_path):
    done = _opened(facts, tmp_path, '<img src="http://127.0.0.1:9/elsewhere.png" alt="">')
    assert "CONSOLE" in done.stderr and "Content Security Policy" in done.stderr


def test_the_embedded_sound_can_be_played(facts, tmp_path):
    ask = (
        "<script>const one = document.querySelector('.moment audio'); one.preload = 'auto';"
        "one.addEventListener('loadedmetadata', () => document.title = 'long ' + one.duration);"
        "one.load()</script>"
    )
    dom = _opened(facts, tmp_path, ask, "--virtual-time-budget=4000").stdout
    (seconds,) = re.findall("<title>long (.*?)</title>", dom)
    assert float(seconds) == pytest.approx(2.3)  # the word, 0.8 s before it, 0.7 s after it


def test_it_is_light_or_dark_as_the_reader_prefers(browser):
    light, dark = (browser.picture(900, 700, dark) for dark in (False, True))
    assert min(light.getpixel((3, 3))) > 230
    assert max(dark.getpixel((3, 3))) < 40


def test_it_is_not_wider_than_a_phone(facts, tmp_path):
    # Tables scroll by themselves. 500 is the least that headless Chromium makes of a window.
    ask = "<script>document.title = 'wide ' + document.documentElement.scrollWidth</script>"
    dom = _opened(facts, tmp_path, ask, "--window-size=500,900").stdout
    assert "<title>wide 500</title>" in dom


def _opened(facts, folder: Path, more: str, *options: str) -> subprocess.CompletedProcess[str]:
    """The page with something at its end."""
    file = folder / "asked.html"
    file.write_text(page.render(facts).replace("</body>", f"{more}</body>"), encoding="utf-8")
    return Browser(file, folder).run("--dump-dom", *options)
