"""`kws dashboard` of a run as a user has made it, in a browser."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.chromium import CHROMIUM, Chromium


@pytest.fixture(scope="module")
def url(pipeline, first_run):
    kws = str(Path(sys.executable).parent / "kws")
    with subprocess.Popen(
        [kws, "dashboard", str(pipeline.out), "--port", "0"],
        env=pipeline.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        try:
            yield re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())[0]
        finally:
            process.terminate()
            assert process.wait(30) == 0


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_the_pages_of_a_real_run_are_drawn_without_another_machine(url, tmp_path):
    with Chromium(tmp_path) as browser:
        browser.look(1280)
        browser.open(f"{url}/")
        assert browser.js("document.querySelectorAll('[data-series]').length") >= 5
        # The oldest: other tests may have run more.
        links = "[...document.querySelectorAll('a[href^=\"/run/tiny/\"]')].map(a => a.href)"
        browser.open(browser.js(links)[-1])
        root = "document.querySelector('#matrix').shadowRoot"
        browser.until(f"{root} && {root}.textContent.includes('Actual')")
        assert "forward" in browser.js(f"{root}.textContent")
        features = browser.js(
            "[...document.querySelectorAll('.feature')].map(f => f.dataset.feature)"
        )
        assert {"rms_dbfs", "duration_ms", "label", "word"} <= set(features)
        figures = "[aria-label='Figures of rms_dbfs'] tbody td:nth-child(2)"
        counts = browser.js(
            f'[...document.querySelectorAll("{figures}")]'
            ".map(cell => Number(cell.textContent.replace(',', '')))"
        )
        assert len(counts) == 3 and np.all(np.array(counts) > 0)  # train, eval, test
        assert browser.complaints == []
        assert all(asked.startswith((url, "data:")) for asked in browser.asked)


def test_where_no_run_has_been_there_is_one_line(pipeline, tmp_path):
    made = pipeline.kws("dashboard", str(tmp_path))
    assert made.returncode == 1
    assert "no run has been here" in made.stderr and "Traceback" not in made.stderr
