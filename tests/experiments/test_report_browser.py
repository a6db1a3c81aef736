"""The report of a real run, opened in a real browser."""

import browser
import pytest

MISSING = browser.missing()
pytestmark = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))


@pytest.fixture(scope="module")
def opened():
    with browser.browser() as found:
        yield found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_the_report_fits_the_window_and_needs_nothing_else(smoke_run, opened, width, scheme):
    page = opened.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    address = (smoke_run / "report.html").as_uri()
    page.goto(address, wait_until="load")
    sizes = page.evaluate("Array.from(document.images, image => image.naturalWidth)")
    assert len(sizes) > 5
    assert min(sizes) > 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("window.innerWidth") == width
    wide = "Array.from(document.images, image => image.getBoundingClientRect().right)"
    assert max(page.evaluate(wide)) <= width
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [address]
    background, ink = page.evaluate(
        "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
    )
    assert (_brightness(background) > _brightness(ink)) == (scheme == "light")
    page.close()


@pytest.mark.parametrize("width", [1280, 400])
def test_that_of_sequences_fits_too_and_can_be_heard(latent_runs, opened, width):
    page = opened.new_page(viewport={"width": width, "height": 800})
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    address = (latent_runs("speech") / "report.html").as_uri()
    page.goto(address, wait_until="load")
    assert min(page.evaluate("Array.from(document.images, image => image.naturalWidth)")) > 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    known = "Array.from(document.querySelectorAll('audio')).every(sound => sound.duration > 0.01)"
    page.wait_for_function(known)
    assert page.evaluate("document.querySelectorAll('audio').length") == 9
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [address]
    page.close()


def test_links_within_the_page_lead_somewhere(smoke_run, opened):
    page = opened.new_page()
    page.goto((smoke_run / "report.html").as_uri())
    dead = """Array.from(document.querySelectorAll("a"))
        .filter(link => !document.getElementById(link.getAttribute("href").slice(1)))
        .map(link => link.outerHTML)"""
    assert page.evaluate("document.querySelectorAll('a').length") > 5
    assert page.evaluate(dead) == []
    page.close()


def _brightness(colour):
    return sum(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))
