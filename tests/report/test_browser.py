"""The pages in a real browser: nothing is fetched, nothing fails, nothing runs over, dark and light, on a desk and on a phone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from bnnverify.report.comparison.page import page as comparison
from bnnverify.report.html.study import page as study_page
from bnnverify.results.finding import Verdict
from tests.support.results import certified, compared, study

PAGES: dict[str, Callable[[], str]] = {
    "comparison": lambda: comparison.page(compared()),
    "study": lambda: study_page(study(certified(*Verdict), certified(Verdict.ROBUST))),
}
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
)
DESK, PHONE = 1280, 390  # pixels


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Yield a headless Chromium with an empty profile."""
    selenium = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    chromium, driver = which("chromium") or which("google-chrome"), which("chromedriver")
    if not chromium or not driver:
        pytest.skip("no chromium, or no chromedriver, on this machine")
    options = selenium.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    running = selenium.Chrome(options=options, service=selenium.ChromeService(driver))
    yield running
    running.quit()


@pytest.fixture(scope="module", params=PAGES)
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the address of each page in turn, as a file."""
    path: Path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(PAGES[request.param](), "utf-8")
    return path.as_uri()


def opened(browser: Any, address: str, *, width: int = DESK, scheme: str = "light") -> None:
    """Open the page at this width in this colour scheme, everything folded out."""
    phone = width < 500
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": phone}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    wish = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": wish})
    browser.get_log("browser"), browser.get_log("performance")  # what went before is not this page's
    browser.get(address)
    browser.execute_script("for (const part of document.querySelectorAll('details')) part.open = true")


def test_nothing_fails_and_nothing_is_fetched(browser: Any, address: str) -> None:
    opened(browser, address)
    assert browser.get_log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    requested = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    assert address in requested
    assert [url for url in requested if url != address and not url.startswith("data:")] == []
    assert browser.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)") == []


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_nothing_is_wider_than_the_window(browser: Any, address: str, width: int) -> None:
    opened(browser, address, width=width)
    root = "document.documentElement"
    inner, seen = browser.execute_script(f"return [{root}.scrollWidth, window.innerWidth]")
    assert seen == width
    assert inner <= width


def test_every_image_is_drawn(browser: Any, address: str) -> None:
    opened(browser, address)
    sizes = browser.execute_script("return [...document.images].map(image => image.complete ? image.naturalWidth : 0)")
    assert len(sizes) >= 2
    assert all(size > 100 for size in sizes)


def test_text_is_readable_on_a_phone(browser: Any, address: str) -> None:
    opened(browser, address, width=PHONE)
    sizes = """
      const parts = [...document.body.querySelectorAll('p, li, td, th, small, figcaption, dd')];
      return parts.map(part => parseFloat(getComputedStyle(part).fontSize));
    """
    assert min(browser.execute_script(sizes)) >= 11


def test_dark_readers_get_a_dark_page_with_light_ink(browser: Any, address: str) -> None:
    script = "const style = getComputedStyle(document.body); return [style.backgroundColor, style.color]"
    found = {}
    for scheme in ("light", "dark"):
        opened(browser, address, scheme=scheme)
        found[scheme] = [brightness(color) for color in browser.execute_script(script)]
    (light_ground, light_ink), (dark_ground, dark_ink) = found["light"], found["dark"]
    assert light_ground - light_ink > 300
    assert dark_ink - dark_ground > 300


def brightness(color: str) -> int:
    """Return the sum of the parts of rgb(r, g, b)."""
    return sum(int(part) for part in color.removeprefix("rgb(").removesuffix(")").split(","))


MEAN_GREY = """
  const image = document.images[0], canvas = document.createElement('canvas');
  canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
  const pen = canvas.getContext('2d'); pen.drawImage(image, 0, 0);
  const dots = pen.getImageData(0, 0, canvas.width, canvas.height).data;
  let sum = 0, seen = 0;
  for (let i = 0; i < dots.length; i += 4) {
    const [red, green, blue, cover] = dots.slice(i, i + 4);
    if (cover > 250 && Math.max(red, green, blue) - Math.min(red, green, blue) < 9) { sum += red; seen += 1; }
  }
  return seen ? sum / seen : -1;
"""


def test_ink_of_the_plots_follows_the_reader(browser: Any, address: str) -> None:
    """What is grey in the first plot is its ink: dark on a light page, light on a dark one; its ground is transparent."""
    inks = {}
    for scheme in ("light", "dark"):
        opened(browser, address, scheme=scheme)
        inks[scheme] = browser.execute_script(MEAN_GREY)
    assert 0 <= inks["light"] < 90
    assert inks["dark"] > 165
