"""`kws demo` as a person has it: headless Chromium, whose microphone plays a recording."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from kws.audio.read import read
from tests.chromium import CHROMIUM, Chromium

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

RATE = 16000
THRESHOLD = "0.3"
"""The tiny model is not sure of much."""
FOUND = (
    "[...document.querySelectorAll('#detections li')].reverse()"
    ".map(entry => [entry.dataset.label, Number(entry.dataset.ms)])"
)


@pytest.fixture(scope="module")
def recording(pipeline, first_run, tmp_path_factory) -> Path:
    """The clips of the bundle's test vectors, one after the other, with pauses between."""
    pause = np.zeros(RATE, np.int16)
    clips = sorted(pipeline.versions[0].glob("test_vectors/*.wav"))[:8]
    parts = [part for clip in clips for part in (pause, read(clip, RATE).audio)]
    audio = np.concatenate([*parts, pause])
    hiss = np.random.default_rng(5).normal(scale=20, size=len(audio))
    file = tmp_path_factory.mktemp("demo") / "words.wav"
    soundfile.write(file, (audio + hiss).astype(np.int16), RATE)
    return file


@pytest.fixture(scope="module")
def expected(pipeline, recording) -> list[dict]:
    """What `kws detect` finds in it."""
    bundles = str(pipeline.out / "tiny" / "bundles")
    options = ["--bundle", bundles, "--threshold", THRESHOLD, "--json"]
    detections = json.loads(pipeline.kws("detect", str(recording), *options).stdout)[0]
    assert detections["detections"], "the tiny model hears nothing: choose other clips"
    return detections["detections"]


@pytest.fixture(scope="module")
def page(pipeline, recording, tmp_path_factory) -> Iterator[Chromium]:
    bundles = str(pipeline.out / "tiny" / "bundles")
    command = [shutil.which("kws", path=str(Path(sys.executable).parent)) or "kws", "demo"]
    command += ["--bundle", bundles, "--threshold", THRESHOLD, "--port", "0"]
    demo = subprocess.Popen(
        command,
        env=pipeline.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert demo.stdout is not None
        url = demo.stdout.readline().split()[0]
        assert url.startswith("http://127.0.0.1:")
        with Chromium(
            tmp_path_factory.mktemp("browser"),
            [
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
                f"--use-file-for-fake-audio-capture={recording}",
            ],
        ) as page:
            page.open(url)
            page.until("document.querySelector('#listen')?.disabled === false")
            yield page
            assert page.complaints == []
            # The page's own files, and the socket: nothing else, and nowhere else.
            here = url.removeprefix("http://")
            names = ("", "demo.css", "draw.js", "demo.js", "worklet.js", "socket")
            asked = {request.partition("://")[2] for request in page.asked}
            assert asked <= {here + name for name in names} and here + "socket" in asked
        demo.send_signal(signal.SIGINT)
        assert demo.wait(timeout=60) == 0
    finally:
        demo.kill()
        demo.wait()


def test_a_chosen_file_shows_what_kws_detect_finds(page, recording, expected):
    page.give_file("#file", recording)
    page.until("document.body.dataset.state === 'ended'")
    assert page.js(FOUND) == [[one["label"], one["end_ms"]] for one in expected]
    assert page.js("document.querySelector('#count').textContent") == str(len(expected))


def test_a_dropped_file_does_too(page, recording, expected):
    page.js("document.body.dataset.state = 'dropping'")
    content = list(recording.read_bytes())
    page.js(
        "(() => { const carried = new DataTransfer();"
        f"carried.items.add(new File([new Uint8Array({content})], 'words.wav'));"
        "document.body.dispatchEvent("
        "  new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: carried }));"
        "})()"
    )
    page.until("document.body.dataset.state === 'ended'")
    assert page.js(FOUND) == [[one["label"], one["end_ms"]] for one in expected]


def test_the_microphone_is_listened_to_and_the_keyword_shown(page, expected):
    # What is surest in the file is heard through a sound card's clock too. It plays in a loop.
    surest = max(expected, key=lambda one: one["score"])["label"]
    page.key("l")
    page.until("document.querySelector('#listen').getAttribute('aria-pressed') === 'true'")
    page.until(f"{FOUND}.some(([label]) => label === '{surest}')")
    assert surest in page.js("document.querySelector('#detections').textContent")
    page.key("l")
    page.until("document.body.dataset.state === 'ended'")
    assert page.js("document.querySelector('#problem').hidden")


def test_the_pictures_are_drawn_light_and_dark_and_fit_a_phone(page):
    for width, dark in ((1000, False), (390, True)):
        page.look(width, dark, 900)
        page.until(f"document.documentElement.clientWidth === {width}")
        page.js("new Promise(done => setTimeout(done, 300))")
        assert page.js("document.documentElement.scrollWidth") == width
        picture = page.picture(whole=True)
        assert (max(picture.getpixel((2, 2))) < 60) == dark
        for canvas in ("spectrogram", "posteriors"):
            box = page.js(
                f"(() => {{ const box = document.getElementById('{canvas}')"
                ".getBoundingClientRect(); return [box.left, box.top, box.right, box.bottom]; })()"
            )
            part = picture.crop(tuple(round(edge) for edge in box))
            assert len(part.getcolors(1 << 20)) > 10, canvas
