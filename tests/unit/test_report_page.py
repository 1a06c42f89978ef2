"""The page of a report: whole, escaped, and nothing in it that runs or is loaded."""

from __future__ import annotations

import datetime
import os
import re
import stat
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from sesmail.control.report import file, style, svg, wording
from sesmail.control.report.figures import Figures
from sesmail.control.report.page import page
from sesmail.control.report.svg import Series
from sesmail.sysexits import CannotCreate, UsageError
from tests.report_figures import HOSTILE, TODAY, figures

DAYS = [TODAY - datetime.timedelta(number) for number in (2, 1, 0)]
VOID = {"meta", "br"}
TEXT, MARK = 4.5, 3.0  # contrasts, WCAG 2.2: 1.4.3 and 1.4.11


class Reader(HTMLParser):
    """What a page has: elements with their attributes, and the text of each."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[tuple[str, str]] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Remember an element that opens."""
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Remember an element without content."""
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag: str) -> None:
        """Each end must be that of the last that opened."""
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Remember text, and in what it is."""
        self.text.append((self._open[-1] if self._open else "", data))

    def read(self, text: str) -> Reader:
        """Read a page to its end."""
        self.feed(text)
        self.close()
        assert self._open == []
        return self


@pytest.fixture(scope="module")
def whole() -> str:
    """A page of three identities."""
    return page(figures(), "host.example.net", "2026-11-24 10:02 CET", ["A <note>."])


def test_it_is_one_file_and_runs_nothing(whole: str) -> None:
    """Nothing is loaded, and its own policy forbids it."""
    reader = Reader().read(whole)
    tags = {tag for tag, _ in reader.elements}
    assert not tags & {"script", "link", "img", "iframe", "object", "a", "form", "image", "use"}
    for _, attributes in reader.elements:
        assert not {name for name in attributes if name.startswith("on")}
        assert not {"src", "href", "action", "style"} & attributes.keys()
    assert "url(" not in whole
    assert "@import" not in whole
    (policy,) = [
        attributes["content"]
        for _, attributes in reader.elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def test_what_others_chose_is_text(whole: str) -> None:
    """Names of identities and domains are shown as they are, and are no elements."""
    texts = Reader().read(whole).text
    assert ("h2", HOSTILE) in texts
    assert ("td", HOSTILE) in texts
    assert ("p", "A <note>.") in texts


def test_what_cannot_be_seen_is_shown_as_such() -> None:
    """A terminal's or a browser's controls in a name, too."""
    made = figures(1)
    made.take({"counts": [], "bounced": [["\x1b[31m\u202egpj.example", "x\0y.example", 1]]})
    text = page(made, "host", "now", [])
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "x?y.example" in text


def test_each_identity_has_its_part(whole: str) -> None:
    """And all together the first, if there are several."""
    headings = [text for tag, text in Reader().read(whole).text if tag == "h2"]
    assert headings == ["All identities", HOSTILE, "example.com", "news.example.org"]
    alone = Figures(1, TODAY)
    alone.take({"counts": [["a.example", "sent", alone.since // 900_000, 10, 1]], "bounced": []})
    texts = Reader().read(page(alone, "host", "now", [])).text
    assert [text for tag, text in texts if tag == "h2"] == ["a.example"]


def test_nothing_was_sent() -> None:
    """It is said, and there is no chart."""
    text = page(Figures(7, TODAY), "host", "now", [])
    assert "Nothing was sent." in text
    assert "<svg" not in text


def test_too_many_bounces_stand_out(whole: str) -> None:
    """Those of the one identity that has them, and of all; with the share in digits."""
    tiles = re.findall(r'<div class="bad"><dt>(\w+)</dt><dd>[\d,]+ <small>([^<]+)</small>', whole)
    assert [name for name, _ in tiles] == ["Bounced", "Bounced"]
    assert all(share.endswith(" %") for _, share in tiles)


# Charts.


def shapes(chart: str, tag: str) -> Iterator[ElementTree.Element]:
    """Yield the elements of a kind; the chart must be well-formed XML."""
    return ElementTree.fromstring(chart).iter(tag)


def test_columns_are_stacked_and_to_scale() -> None:
    """The heights are as the values, one begins where the last ended, nothing leaves the chart."""
    chart = svg.columns("t", DAYS, [Series("a", "a", [4, 0, 2]), Series("b", "b", [4, 0, None])])
    rects = [dict(one.items()) for one in shapes(chart, "rect")]
    assert [one["class"] for one in rects] == ["a", "b", "a"]
    heights = [float(one["height"]) for one in rects]
    assert heights == pytest.approx([heights[0], heights[0], heights[0] / 2], abs=0.1)
    assert float(rects[1]["y"]) + heights[1] == pytest.approx(float(rects[0]["y"]), abs=0.1)
    assert all(0 <= float(one["y"]) <= svg.HEIGHT for one in rects)
    titles = [one.text for one in shapes(chart, "title")]
    assert titles == ["t", "2026-11-22: a 4, b 4", "2026-11-24: a 2, b 0"]


def test_a_chart_of_nothing_says_so() -> None:
    """Else it would look broken."""
    chart = svg.columns("t", DAYS, [Series("a", "a", [0, 0, 0])])
    assert "none" in [one.text for one in shapes(chart, "text")]


@pytest.mark.parametrize("largest", [0, 1, 3, 9, 10, 99, 1234, 10**9])
def test_the_scale_ends_above_the_largest(largest: int) -> None:
    """With some lines of round numbers, the first of which is 0."""
    chart = svg.columns("t", DAYS, [Series("a", "a", [largest, 0, 0])])
    ticks = [str(one.text) for one in shapes(chart, "text") if one.get("text-anchor") == "end"]
    numbers = [int(tick.replace(",", "")) for tick in ticks]
    assert numbers[0] == 0
    assert numbers[-1] >= largest
    assert 2 <= len(numbers) <= 6
    assert str(numbers[1]).rstrip("0") in ("1", "2", "5")


def test_lines_have_a_gap_where_there_is_nothing() -> None:
    """A point alone is a point; higher is longer; nothing leaves the chart."""
    days = [TODAY - datetime.timedelta(number) for number in reversed(range(5))]
    chart = svg.lines(
        "t", days, [Series("a", "median", [100, 1000, None, 50, None])], wording.duration
    )
    assert len(list(shapes(chart, "path"))) == 1
    points = list(shapes(chart, "circle"))
    heights = [float(one.get("cy", "")) for one in points]
    assert heights[1] < heights[0] < heights[2]
    assert all(0 <= one <= svg.HEIGHT for one in heights)
    assert "".join(points[0].itertext()) == "2026-11-20: median 100 ms"


@pytest.mark.parametrize("value", [0, 1, 5, 10, 10**9, 10**12])
def test_any_latency_has_a_place(value: int) -> None:
    """From nothing to years."""
    chart = svg.lines("t", DAYS, [Series("a", "a", [value, None, value])], wording.duration)
    heights = [float(one.get("cy", "")) for one in shapes(chart, "circle")]
    assert all(0 <= one <= svg.HEIGHT for one in heights)


@pytest.mark.parametrize("days", [1, 2, 7, 8, 30, 366])
def test_labels_of_days_do_not_crowd(days: int) -> None:
    """Seven at most, today among them."""
    span = [TODAY - datetime.timedelta(number) for number in reversed(range(days))]
    chart = svg.columns("t", span, [Series("a", "a", [1] * days)])
    labels = [one.text for one in shapes(chart, "text") if one.get("text-anchor") == "middle"]
    assert "none" not in labels
    assert labels[-1] == "11-24"
    assert len(labels) <= 7


# Colours.


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2.2."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast of WCAG 2.2, 1 to 21."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colours", [style._LIGHT, style._DARK], ids=["light", "dark"])
@pytest.mark.parametrize("behind", ["paper", "panel"])
def test_all_can_be_read(colours: dict[str, str], behind: str) -> None:
    """Text and marks stand out from what is behind them, in light and in dark."""
    for name in ("text", "muted", "bounced"):  # a share that is too high is in that colour
        assert contrast(colours[name], colours[behind]) >= TEXT, name
    for name in style._MARKS:
        assert contrast(colours[name], colours[behind]) >= MARK, name


def test_contrast_is_that_of_the_standard() -> None:
    """Black on white is 21, and a known grey 4.54."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


def test_each_class_has_its_colour(whole: str) -> None:
    """No mark of a chart is without one."""
    used = set(re.findall(r'<(?:rect|circle) class="(\w+)"', whole))
    assert used <= set(style._MARKS)
    assert {"sent", "deferred", "bounced", "delivered", "slow"} <= used
    assert style._LIGHT.keys() == style._DARK.keys()


# The file.


def test_the_file_is_replaced_at_once(tmp_path: Path) -> None:
    """A new one is private; one that is there keeps its mode; nothing else is left."""
    path = tmp_path / "report.html"
    file.write(str(path), "one")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    before = path.open()
    file.write(str(path), "twö")
    assert path.read_text("utf-8") == "twö"
    assert before.read() == "one"  # whoever reads the old one reads it to its end
    before.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert os.listdir(tmp_path) == ["report.html"]


@pytest.mark.parametrize("kind", ["link", "directory", "fifo"])
def test_what_is_no_file_is_left_alone(tmp_path: Path, kind: str) -> None:
    """A link may lead to a file of others, and a device is not to be replaced."""
    path = tmp_path / "report.html"
    target = tmp_path / "target"
    target.write_text("precious")
    if kind == "link":
        path.symlink_to(target)
    elif kind == "directory":
        path.mkdir()
    else:
        os.mkfifo(path)
    with pytest.raises(UsageError, match="is there and no file"):
        file.write(str(path), "x")
    assert target.read_text() == "precious"
    assert sorted(os.listdir(tmp_path)) == ["report.html", "target"]


def test_no_directory(tmp_path: Path) -> None:
    """It says so, with the name."""
    with pytest.raises(CannotCreate, match="No such file or directory"):
        file.write(str(tmp_path / "none" / "report.html"), "x")
