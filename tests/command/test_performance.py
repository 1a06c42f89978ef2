"""docs/PERFORMANCE.md, its charts and the README's numbers: what becomes of the file of a run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from sesmail.control.report import style
from tests.bench import charts, document
from tests.bench.charts import Line
from tests.bench.compare import differences
from tests.bench.document import BEGIN, END, NotForThePage, Run
from tests.installation import CHECKOUT
from tests.unit.test_report_page import MARK, TEXT, contrast

EXAMPLE = (CHECKOUT / "tests" / "bench" / "example.json").read_text()  # numbers are invented
SVG = "{http://www.w3.org/2000/svg}"
PLACE = f"# sesmail\n\n{BEGIN}old\n{END}\nMore.\n"


@pytest.fixture(scope="module")
def written() -> dict[str, str]:
    """All that is made of the example."""
    return document.files(Run.read(EXAMPLE))


def drawn(written: dict[str, str], name: str) -> ElementTree.Element:
    """Return a chart, read as XML."""
    return ElementTree.fromstring(written[f"docs/performance/{name}.svg"])


def texts(chart: ElementTree.Element) -> list[str]:
    """Return what is written in a chart."""
    return [text.text or "" for text in chart.iter(f"{SVG}text")]


def changed(**keys: Any) -> str:
    """Return the example with another machine."""
    run = json.loads(EXAMPLE)
    run["machine"].update(keys)
    return json.dumps(run)


def without(part: str) -> str:
    """Return the example without a part."""
    run = json.loads(EXAMPLE)
    run["rows"] = [row for row in run["rows"] if row["part"] != part]
    return json.dumps(run)


# What is in the tree.


def test_what_is_in_the_tree_is_made_of_the_run_that_is_kept_there() -> None:
    """Page, charts and README tell the numbers of docs/performance/bench.json; or there is none."""
    assert differing(CHECKOUT) == []


def differing(checkout: Path) -> list[str]:
    """Return the files that are not what the kept run gives."""
    kept, readme = checkout / document.KEPT, (checkout / document.README).read_text()
    if not kept.exists():
        found = [document.PAGE] if (checkout / document.PAGE).exists() else []
        return found + ([document.README] if BEGIN in readme else [])
    run = Run.read(kept.read_text())
    wanted = document.files(run) | {document.README: document.with_numbers(readme, run)}
    return [name for name, text in wanted.items() if (checkout / name).read_text() != text]


@pytest.fixture
def tree(tmp_path: Path, written: dict[str, str]) -> Path:
    """A checkout that has what the example gives."""
    for name, text in written.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    readme = document.with_numbers(PLACE, Run.read(EXAMPLE))
    (tmp_path / document.README).write_text(readme)
    assert differing(tmp_path) == []
    return tmp_path


def test_another_number_in_the_readme_is_seen(tree: Path) -> None:
    """Nobody can make one up."""
    readme = tree / document.README
    assert "waits 1.5 times" in readme.read_text()
    readme.write_text(readme.read_text().replace("waits 1.5 times", "waits 1.4 times"))
    assert differing(tree) == [document.README]


def test_another_run_is_seen(tree: Path) -> None:
    """The page does not stay as it was."""
    (tree / document.KEPT).write_text(changed(cpu="Another"))
    assert document.PAGE in differing(tree)


def test_numbers_without_a_run_are_seen(tree: Path) -> None:
    """Neither the page nor the README may tell some that were never kept."""
    (tree / document.KEPT).unlink()
    assert differing(tree) == [document.PAGE, document.README]


def test_only_what_is_between_the_marks_changes() -> None:
    """A README without the marks is an error, and not left as it was."""
    readme = document.with_numbers(PLACE, Run.read(EXAMPLE))
    assert readme.startswith(f"# sesmail\n\n{BEGIN}- A caller")
    assert readme.endswith(f"{END}\nMore.\n")
    assert "old" not in readme
    with pytest.raises(NotForThePage, match="no place for numbers"):
        document.with_numbers("# sesmail\n", Run.read(EXAMPLE))


# The page.


def test_the_same_run_gives_the_same_bytes(written: dict[str, str]) -> None:
    """No time, no random, no order by chance."""
    assert document.files(Run.read(EXAMPLE)) == written


def test_each_row_is_in_a_table(written: dict[str, str]) -> None:
    """Also those of a part of which the page's text says nothing."""
    page = written[document.PAGE]
    for row in json.loads(EXAMPLE)["rows"]:
        assert page.count(f"\n| {row['name']} | ") == 1, row["name"]
    assert "$" not in page


def test_the_page_asks_for_parts_that_there_are() -> None:
    """One that is renamed or gone would leave the page without its table."""
    template = (CHECKOUT / "tests" / "bench" / "performance.md").read_text()
    parts = set(re.findall(r"\$table_(\w+)", template)) - {"rest"}
    modules = {path.stem: path.read_text() for path in (CHECKOUT / "tests" / "bench").glob("*.py")}
    assert {part for part in parts if f'NAME = "{part}"' in modules.get(part, "")} == parts
    assert len(parts) > 5


def test_a_floor_that_moved_is_told(written: dict[str, str]) -> None:
    """With what the run said of it; and nothing where it held still."""
    told = document.files(Run.read(changed(moved="the floor moved by +12%")))[document.PAGE]
    assert "ends with 3. Of this one it said: the floor moved by +12%." in told
    assert "Of this one it said" not in written[document.PAGE]


def test_a_bar_that_is_missed_is_called_missed(written: dict[str, str]) -> None:
    """And no other; what could not be measured says why."""
    page = written[document.PAGE]
    assert "| sesmail, relay to /bin/true | 1.25 x | 0.938-1.88 | 1.09-1.41 | at most 1," in page
    assert page.count("**missed**") == 1
    assert "| dma | - |  |  |  | not here: no network |" in page
    assert "- sesmail, drop; at most 1.7: a web page that sends mail waits for it." in page


@pytest.mark.parametrize(
    ("run", "why"),
    [(changed(quick=True), "quick"), (without("soak"), "soak"), (without("drain"), "drain")],
)
def test_a_run_that_is_not_whole_makes_no_page(run: str, why: str) -> None:
    """It would tell less, or less surely, than it seems to."""
    with pytest.raises(NotForThePage, match=why):
        document.files(Run.read(run))


# The charts.


@pytest.fixture(params=["wait", "drain", "scale"])
def chart(request: pytest.FixtureRequest, written: dict[str, str]) -> ElementTree.Element:
    """Each of them."""
    return drawn(written, request.param)


def styled(chart: ElementTree.Element) -> str:
    """Return a chart's style sheet."""
    (sheet,) = chart.iter(f"{SVG}style")
    return sheet.text or ""


def test_it_stands_alone(chart: ElementTree.Element) -> None:
    """It has a title, loads nothing, and defines each colour and class that it uses."""
    sheet = styled(chart)
    assert next(chart.iter(f"{SVG}title")).text
    assert not {"script", "image", "use", "a"} & {one.tag.removeprefix(SVG) for one in chart.iter()}
    light, dark = re.findall(r"svg \{ (.*?) \}", sheet)
    for colours in (light, dark):
        assert set(re.findall(r"var\((--\w+)\)", sheet)) <= set(re.findall(r"(--\w+):", colours))
    classes = {name for one in chart.iter() for name in one.get("class", "").split()}
    assert classes <= set(re.findall(r"\.(\w+)", sheet))
    assert "@media (prefers-color-scheme: dark)" in sheet


def test_nothing_is_outside(chart: ElementTree.Element) -> None:
    """Marks and the beginnings of texts are on the paper."""
    _, _, width, height = map(float, (chart.get("viewBox") or "").split())
    for one in chart.iter():
        for name, most in (("x", width), ("cx", width), ("y", height), ("cy", height)):
            assert 0 <= float(one.get(name, 0)) <= most, ElementTree.tostring(one)


def test_names_do_not_cover_each_other(chart: ElementTree.Element) -> None:
    """Texts that begin or end at the same place stand below each other."""
    places = sorted(
        (one.get("text-anchor"), float(one.get("x", 0)), float(one.get("y", 0)))
        for one in chart.iter(f"{SVG}text")
        if one.get("class") != "tick"
    )
    for (anchor, x, y), (next_anchor, next_x, next_y) in zip(places, places[1:], strict=False):
        assert (anchor, x) != (next_anchor, next_x) or next_y - y >= 13


@pytest.mark.parametrize("colours", [style._LIGHT, style._DARK], ids=["light", "dark"])
def test_all_can_be_seen(colours: dict[str, str]) -> None:
    """Text and marks stand out from the paper, in light and in dark."""
    for name in ("text", "muted"):
        assert contrast(colours[name], colours["paper"]) >= TEXT, name
    for name in charts.COLOURS:
        assert contrast(colours[name], colours["paper"]) >= MARK, name


def test_series_can_be_told_apart_without_colour() -> None:
    """By dashes and by shapes; and each has its name at its end."""
    series = [Line(f"series {n}", [(0, n + 1), (1, n + 2)]) for n in range(len(charts.COLOURS))]
    text = charts.lines("title", "x", "y", series)
    dashes = []
    for number in range(len(series)):
        (path,) = re.findall(rf'<path class="line l{number}"[^>]*>', text)
        dashes.append(re.findall(r'dasharray="([^"]*)"', path))
        assert f">series {number}</text>" in text
    assert len(set(map(tuple, dashes))) == len(series)
    assert len({shape_of(text, number) for number in range(len(series))}) == len(series)


def shape(text: str, number: int) -> str:
    """Return the first mark of a series."""
    found = re.search(rf'<(?:circle|polygon) class="c{number}"[^>]*>', text)
    assert found is not None
    return found[0]


def shape_of(text: str, number: int) -> tuple[str, tuple[str, ...]]:
    """Return the mark's element, and its corners as seen from the first."""
    mark = shape(text, number)
    corners = [tuple(map(float, each)) for each in re.findall(r"(-?[\d.]+),(-?[\d.]+)", mark)]
    return mark.split()[0], tuple(_seen_from(corners))


def _seen_from(corners: list[tuple[float, ...]]) -> Iterator[str]:
    for x, y in corners:
        yield f"{x - corners[0][0]:.0f} {y - corners[0][1]:.0f}"


def test_the_floor_is_marked(written: dict[str, str]) -> None:
    """Where an empty Python is; ours are full, the others hollow."""
    chart = drawn(written, "wait")
    (floor,) = [line for line in chart.iter(f"{SVG}line") if line.get("class") == "floor"]
    dots = list(chart.iter(f"{SVG}circle"))
    assert floor.get("x1") in {dot.get("cx") for dot in dots}
    assert "floor 8 ms" in texts(chart)
    hollow = [dot for dot in dots if "paper" in dot.get("style", "")]
    assert (len(dots), len(hollow)) == (8, 5)


def test_who_talks_to_the_server_is_drawn_at_a_distance(written: dict[str, str]) -> None:
    """And the others as they were; larger messages are not drawn."""
    shown = texts(drawn(written, "wait"))
    assert {"240 ms", "440 ms", "7 ms", "12 ms"} <= set(shown)  # msmtp, script, Postfix, drop
    assert not any("200 kB" in text or " / " in text for text in shown)


def test_lines_have_all_their_points(written: dict[str, str]) -> None:
    """Each series of the drain at its latencies, of the queue at its lengths."""
    drain = {
        path.get("class"): path.get("d", "").count(" ")
        for path in drawn(written, "drain").iter(f"{SVG}path")
    }
    assert drain == {"line l0": 7, "line l1": 7, "line l2": 5, "line l3": 5, "line l4": 5}
    names = set(texts(drawn(written, "scale")))
    assert {"take one more", "find the next due", "claim and finish one", "list 100"} <= names
    assert not any(name.startswith("commit") for name in names)


# Two runs.


def other(change: Callable[[dict[str, Any]], object], name: str = "sesmail, drop") -> Run:
    """Return the example with a change to what it says of a drop, or of something else."""
    run = json.loads(EXAMPLE)
    (row,) = [row for row in run["rows"] if row["name"] == name]
    change(row)
    return Run.read(json.dumps(run))


def test_two_runs_that_are_alike() -> None:
    """A difference that is not wider than the interval is none."""
    run = other(lambda row: row.update(value=row["value"] + 0.375))
    assert not list(differences(Run.read(EXAMPLE), run))


def test_a_ratio_without_an_interval_must_be_the_same() -> None:
    """It is one that does not vary; a digit that is not printed is no difference."""
    counted = "drop / an empty Python"
    same = other(lambda row: row.update(value=1.5001), counted)
    assert not list(differences(Run.read(EXAMPLE), same))
    another = other(lambda row: row.update(value=1.51), counted)
    assert list(differences(Run.read(EXAMPLE), another)) == [
        f"instructions: {counted}: 1.5 and 1.51, without an interval"
    ]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"value": 1.9}, "wait: sesmail, drop: 1.5 and 1.9, an interval of 0.375"),
        ({"value": None}, "wait: sesmail, drop: not measured in one of them"),
        ({"name": "sesmail"}, "wait: sesmail, drop: in one of them only"),
    ],
)
def test_two_runs_that_differ(change: dict[str, Any], line: str) -> None:
    """Each difference has its line."""
    assert line in differences(Run.read(EXAMPLE), other(lambda row: row.update(change)))
