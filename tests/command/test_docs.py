"""What README and docs/ show: each block is of a known kind, links lead somewhere.

tests/packages/test_docs.py runs the blocks.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests import pages
from tests.installation import CHECKOUT

_LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.mark.parametrize("page", pages.PAGES, ids=lambda page: page.name)
def test_each_block_is_of_a_known_kind(page: Path) -> None:
    """Nothing is passed over in silence: run, shown, a file, or not run for a reason."""
    for block in pages.blocks(page):
        assert block.kind != pages.NOT_RUN or block.argument in pages.REASONS, block.place
        assert block.kind != pages.FILE or block.argument.startswith("/"), block.place


def test_a_block_of_unknown_kind_is_an_error(tmp_path: Path) -> None:
    """In docs/ and in the README."""
    for name, text in (("x.md", "```\nrm -r /\n```\n"), ("README.md", "Do:\n\n    rm -r /\n")):
        (tmp_path / name).write_text(text)
        with pytest.raises(pages.UnknownBlock, match="rm -r"):
            pages.blocks(tmp_path / name)


def test_the_table_has_no_block_that_is_gone() -> None:
    """Each first line that it knows is in the README."""
    lines = {block.text.split("\n", 1)[0].strip() for block in pages.blocks(pages.PAGES[0])}
    assert lines == set(pages.README)


@pytest.mark.parametrize(
    "page", [*pages.PAGES, CHECKOUT / "docs/ARCHITECTURE.md"], ids=lambda page: page.name
)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    """Those inside the tree."""
    for link in _LINK.findall(page.read_text()):
        path, _, heading = link.partition("#")
        if "://" in link:
            continue
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not heading or heading in _headings(target), link


def _headings(page: Path) -> set[str]:
    """Return the anchors of headings, as GitHub makes them."""
    titles = re.findall(r"(?m)^#+ (.*)$", page.read_text())
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_json_can_be_read() -> None:
    """A policy that is shown is one."""
    policies = [block for page in pages.PAGES for block in pages.blocks(page)]
    found = [block for block in policies if block.info == "json"]
    assert found
    for block in found:
        assert json.loads(block.text)["Version"] == "2012-10-17"
