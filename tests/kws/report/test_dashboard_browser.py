"""The pages in a browser: TFMA's own component draws, nothing is asked of another machine."""

import threading

import pytest

from kws.report import dashboard, data_statistics, server
from pipeline.dashboard import Dashboard
from tests.chromium import CHROMIUM, Chromium

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
LABELS = ["_silence_", "</script><b>"]
MATRIX = {
    "matrices": [
        {
            "entries": [
                {"numWeightedExamples": 4.0},
                {"actualClassId": 1, "predictedClassId": 0, "numWeightedExamples": 7.0},
                {"actualClassId": 1, "predictedClassId": 1, "numWeightedExamples": 5.0},
            ]
        }
    ]
}
SLICES = [
    ("all clips", {"example_count": 16.0, "accuracy": 0.5625}),
    ("word: no", {"example_count": 4.0, "accuracy": 1.0}),
    ("word: yes", {"example_count": 12.0, "accuracy": 5 / 12}),
]


@pytest.fixture
def url(runs, content, tmp_path):
    """Our pages of plain data, the files as `kws dashboard` serves them."""
    served = Dashboard(tmp_path)
    statistics = dashboard.Statistics(
        features=data_statistics.features({"train": content, "test": content}),
        datasets=["train", "test"],
        parts=data_statistics.slices(content),
        part="All Examples",
        others=["tiny#1"],
    )
    made = {
        "/": dashboard.runs_page(runs),
        "/run/tiny/2": dashboard.run_page(runs[0], None, MATRIX, LABELS, SLICES, statistics),
    }

    def site(path, query):
        if path in made:
            return server.Answer(content=made[path].encode())
        return served(path, query)

    running = server.serve(site, 0)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{running.server_address[1]}"
    running.shutdown()
    running.server_close()


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    with Chromium(tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.fixture
def browser(started, url) -> Chromium:
    """On the page of a run."""
    started.forget()
    started.look(1280)
    started.open(f"{url}/run/tiny/2")
    return started


def _in_tfma(script: str) -> str:
    return f"(root => {script})(document.querySelector('#matrix').shadowRoot)"


def test_no_request_leaves_this_machine_and_no_error_reaches_the_console(browser, url):
    browser.until(_in_tfma("root && root.textContent.includes('Actual')"))
    browser.open(f"{url}/")
    assert browser.complaints == []
    assert browser.asked and all(
        asked.startswith((f"{url}/", "data:")) for asked in browser.asked
    ), browser.asked


def test_tfma_s_component_draws_the_counts_under_the_labels_names(browser):
    browser.until(_in_tfma("root && root.textContent.includes('Actual')"))
    seen = browser.js(_in_tfma("[...root.querySelectorAll('*')].map(e => e.innerText).join('\\n')"))
    assert all(label in seen for label in LABELS)
    words = seen.split()
    assert "12" in words and "7" in words and "5" in words  # a total, an error, what was right


def test_slices_are_sorted_and_thinned_out(browser):
    column = "[...document.querySelectorAll('#slicing tbody tr')].filter(r => !r.hidden)"
    names = f"{column}.map(r => r.cells[0].textContent)"
    button = (
        "[...document.querySelectorAll('#slicing .sort')].find(b => b.textContent == 'accuracy')"
    )
    browser.js(f"{button}.click()")
    assert browser.js(names) == ["word: yes", "all clips", "word: no"]
    browser.js(f"{button}.click()")
    assert browser.js(names) == ["word: no", "all clips", "word: yes"]
    browser.js(
        "(f => { f.value = 5; f.dispatchEvent(new Event('input')); })"
        "(document.querySelector('[data-least]'))"
    )
    assert browser.js(names) == ["all clips", "word: yes"]


def test_a_feature_is_found_by_its_name(browser):
    browser.js(
        "(f => { f.value = 'LEV'; f.dispatchEvent(new Event('input')); })"
        "(document.querySelector('[data-find]'))"
    )
    shown = "[...document.querySelectorAll('.feature')].filter(f => f.offsetHeight > 0)"
    assert browser.js(f"{shown}.map(f => f.dataset.feature)") == ["level"]


@pytest.mark.parametrize("page", ["/", "/run/tiny/2"])
def test_a_phone_need_not_scroll_sideways(started, url, page):
    started.look(360)
    started.open(f"{url}{page}")
    assert started.js("document.documentElement.scrollWidth") == 360
