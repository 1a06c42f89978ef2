"""The report's page in Chromium: nothing runs or complains, and all can be read, light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sesmail.control.report import style
from sesmail.control.report.page import page
from tests.clients.browser import Browser, Page
from tests.report_figures import HOSTILE, figures

COLOURS = {"light": style._LIGHT, "dark": style._DARK}
WIDTHS = {"wide": 1200, "narrow": 360}
# Relative luminance and contrast of WCAG 2.2, from the colours that the browser computed.
LEAST_CONTRAST = """(() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = (colour) => {
    const [r, g, b] = numbers(colour).map((c) => c / 255)
      .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if (numbers(colour)[3] !== 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  let least = [99, ""];
  for (const element of document.body.querySelectorAll("*")) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!own || element.localName === "title") continue;
    const look = getComputedStyle(element);
    const colour = element.namespaceURI.endsWith("svg") ? look.fill : look.color;
    const [high, low] = [luminance(colour), luminance(behind(element))].sort((a, b) => b - a);
    const contrast = (high + 0.05) / (low + 0.05);
    if (contrast < least[0]) least = [contrast, element.outerHTML.slice(0, 200)];
  }
  return least;
})()"""
# What sticks out of the page, but for tables in a box that can be scrolled.
OUTSIDE = """[...document.body.querySelectorAll("*")].filter((element) => {
  if (element.closest(".scroll") && !element.matches(".scroll")) return false;
  const box = element.getBoundingClientRect();
  return box.right > innerWidth + 0.5 || box.left < -0.5;
}).map((element) => element.outerHTML.slice(0, 200))"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of two weeks of three identities, one with a hostile name."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    notes = ["What is done is kept for 14 days (the setting history)."]
    path.write_text(page(figures(), "host.example.net", "2026-11-24 10:02 CET", notes), "utf-8")
    return path


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A running Chromium."""
    with Browser(tmp_path_factory.mktemp("chromium")) as running:
        yield running


@pytest.fixture(params=COLOURS)
def scheme(request: pytest.FixtureRequest) -> str:
    """Light, then dark."""
    name: str = request.param
    return name


@pytest.fixture(params=WIDTHS)
def shown(request: pytest.FixtureRequest, browser: Browser, file: Path, scheme: str) -> Page:
    """The page on a wide and on a narrow screen; a screenshot lies beside the file."""
    one = browser.open(file, scheme, WIDTHS[request.param])
    one.screenshot(file.with_name(f"{scheme}-{request.param}.png"))
    return one


def test_nothing_is_told_to_the_console(shown: Page) -> None:
    """No error, no warning, no word; and what a forged name would have run did not run."""
    assert shown.told == []
    assert shown.evaluate("document.scripts.length") == 0
    headings = "[...document.querySelectorAll('h2')].map((one) => one.textContent)"
    assert HOSTILE in shown.evaluate(headings)


def test_the_console_would_be_heard(browser: Browser, tmp_path: Path) -> None:
    """A page that complains, throws or loads what its policy forbids is found out."""
    path = tmp_path / "bad.html"
    path.write_text("<script>console.error('x')</script><script>throw new Error('y')</script>")
    told = browser.open(path, "light").told
    assert any("consoleAPICalled" in one or '"x"' in one for one in told)
    assert any("Error: y" in one for one in told)


def test_all_text_can_be_read(shown: Page) -> None:
    """Each text has a contrast of 4.5 to 1 with what the browser painted behind it."""
    contrast, element = shown.evaluate(LEAST_CONTRAST)
    assert contrast >= 4.5, element


def test_it_is_as_light_or_dark_as_wanted(shown: Page, scheme: str) -> None:
    """The colours are those of the scheme."""
    variable = "getComputedStyle(document.documentElement).getPropertyValue('--paper').trim()"
    assert shown.evaluate(variable) == COLOURS[scheme]["paper"]


def test_nothing_sticks_out(shown: Page) -> None:
    """Long names are broken, and wide tables have a box of their own."""
    assert shown.evaluate(OUTSIDE) == []
    assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_charts_are_drawn(shown: Page) -> None:
    """Each has a size, and marks in a colour that is not that of the paper."""
    boxes = "[...document.querySelectorAll('svg')].map((one) => one.getBoundingClientRect().height)"
    heights = shown.evaluate(boxes)
    assert len(heights) == 4 * 4  # all identities and three of them
    assert min(heights) > 100
    fills = "[...new Set([...document.querySelectorAll('rect')].map("
    fills += "(one) => getComputedStyle(one).fill))].length"
    assert shown.evaluate(fills) == 5  # sent and four kinds of trouble


def test_it_prints_light(browser: Browser, file: Path) -> None:
    """On paper the colours are the light ones, also for those who like it dark."""
    one = browser.open(file, "dark")
    feature = {"name": "prefers-color-scheme", "value": "dark"}
    one.call("Emulation.setEmulatedMedia", media="print", features=[feature])
    variable = "getComputedStyle(document.documentElement).getPropertyValue('--paper').trim()"
    assert one.evaluate(variable) == COLOURS["light"]["paper"]
    path = file.with_name("report.pdf")
    one.print_to(path)
    assert path.read_bytes().startswith(b"%PDF-")
