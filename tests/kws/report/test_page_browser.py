"""The page in a browser: no error, no request, fits a phone, clips by mouse and by keyboard."""

import pytest

from kws.report.page import render_report
from tests.chromium import CHROMIUM, Chromium

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
PHONE, DESK = 360, 1280
CELL = "button[popovertarget='confused-0-1']"
SHOWN = "document.querySelector('#confused-0-1').matches(':popover-open')"


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    with Chromium(tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.fixture
def browser(started) -> Chromium:
    started.forget()
    started.look(DESK)
    return started


@pytest.fixture
def opened(data, browser, tmp_path) -> Chromium:
    """The page, on a desk's screen."""
    file = tmp_path / "report.html"
    file.write_text(render_report(data), encoding="utf-8")
    browser.open(file.as_uri())
    return browser


def test_no_error_reaches_the_console_and_no_request_leaves_the_page(opened):
    assert opened.complaints == []
    assert [url for url in opened.asked if not url.startswith("data:")] == [
        opened.js("location.href")
    ]
    # The script puts its own buttons in the place of the browser's players.
    assert opened.js("document.querySelectorAll('.example.scripted').length") == 4
    assert opened.js("document.querySelectorAll('.example button[hidden]').length") == 0


def test_what_would_come_from_elsewhere_is_refused(data, browser, tmp_path):
    file = tmp_path / "asked.html"
    image = '<img src="http://127.0.0.1:9/elsewhere.png" alt=""></body>'
    file.write_text(render_report(data).replace("</body>", image), encoding="utf-8")
    browser.open(file.as_uri())
    browser.js("new Promise(done => setTimeout(done, 100))")
    assert any("Content Security Policy" in complaint for complaint in browser.complaints)


def test_the_embedded_sound_can_be_played(opened):
    seconds = opened.js(
        "new Promise(done => { const one = document.querySelector('.example audio');"
        "one.preload = 'auto'; one.addEventListener('loadedmetadata', () => done(one.duration));"
        "one.load(); })"
    )
    assert seconds == pytest.approx(2.3)  # the word, 0.8 s before it, 0.7 s after it


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_it_fits_the_screen_and_is_light_or_dark_as_the_reader_prefers(opened, width, dark):
    opened.look(width, dark)
    assert opened.js("document.documentElement.scrollWidth") == width
    corner = opened.picture().getpixel((3, 3))
    assert max(corner) < 40 if dark else min(corner) > 230


def test_resting_on_a_confused_cell_shows_its_clips_until_the_mouse_goes(opened):
    assert not opened.js(SHOWN)
    opened.hover(CELL)
    opened.until(SHOWN)
    inside = (
        "(box => box.left >= 0 && box.right <= innerWidth && box.top >= 0 && "
        "box.bottom <= innerHeight)"
        "(document.querySelector('#confused-0-1').getBoundingClientRect())"
    )
    assert opened.js(inside)
    opened.hover("#confused-0-1 audio")
    opened.js("new Promise(done => setTimeout(done, 400))")
    assert opened.js(SHOWN)
    opened.hover("h1")
    opened.until(f"!{SHOWN}")


def test_a_confused_cell_opens_by_keyboard_and_escape_leads_back_to_it(opened):
    opened.js(f'document.querySelector("{CELL}").focus()')
    opened.key("Enter")
    opened.until(SHOWN)
    opened.key("Escape")
    opened.until(f"!{SHOWN}")
    assert opened.js("document.activeElement.getAttribute('popovertarget')") == "confused-0-1"


def test_a_confused_cell_that_was_pressed_stays_open(opened):
    opened.click(CELL)
    opened.until(SHOWN)
    opened.hover("h1")
    opened.js("new Promise(done => setTimeout(done, 400))")
    assert opened.js(SHOWN)


def test_a_phone_opens_the_clips_inside_its_screen(opened):
    opened.look(PHONE)
    opened.click(CELL)
    opened.until(SHOWN)
    left, right = opened.js(
        "(box => [box.left, box.right])"
        "(document.querySelector('#confused-0-1').getBoundingClientRect())"
    )
    assert 0 <= left < right <= PHONE


def test_a_line_moves_over_the_plot_as_its_audio_plays(opened):
    opened.click(".example button")
    head = "document.querySelector('.example .playhead')"
    opened.until(f"getComputedStyle({head}).visibility == 'visible'")
    opened.until("document.querySelector('.example audio').currentTime > 0.3")
    opened.js("document.querySelector('.example audio').pause()")
    opened.until(f"getComputedStyle({head}).visibility == 'hidden'")
    seconds, moved, left, wide = opened.js(
        "(card => [card.querySelector('audio').currentTime,"
        f"{head}.transform.baseVal[0].matrix.e,"
        "Number(card.querySelector('svg').dataset.left),"
        "Number(card.querySelector('svg').dataset.wide)])(document.querySelector('.example'))"
    )
    # The example has 2.3 s; the last picture is of at most some hundredths before the pause.
    assert (moved - left) / wide * 2.3 == pytest.approx(seconds, abs=0.25)


def test_a_point_of_a_curve_is_seen_under_the_mouse_alone(opened):
    point = "#curves use.titled:nth-of-type(2)"
    opacity = f"getComputedStyle(document.querySelector('{point}')).fillOpacity"
    assert opened.js(opacity) == "0"
    opened.hover(point)
    opened.until(f"{opacity} == '1'")
    title = opened.js(f"document.querySelector('{point} title').textContent")
    assert title.startswith("threshold ") and " missed" in title
