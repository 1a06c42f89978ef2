"""A drop takes at most 1.7 times the instructions of an empty Python: callers wait for them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench import callgrind
from tests.bench.instructions import DROP_BAR, EMPTY, drop, receptive_spool
from tests.installation import Installation
from tests.spool import message

_TEXT = "All is well with this line of text, as it was with the last one.\n" * 30


@pytest.fixture
def environ(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment that leads to a spool."""
    with receptive_spool(tmp_path) as made:
        yield made


def _ratio(command: Path, environ: dict[str, str], directory: Path) -> float:
    text = directory / "message"
    text.write_bytes(message(text=_TEXT))
    counts: list[int] = []
    for words in (drop(command), EMPTY):
        place = directory / f"counted-{len(counts)}"
        place.mkdir()
        counts.append(callgrind.count(words, environ, text, place))
    return counts[0] / counts[1]


def test_a_drop_stays_within_the_bar(
    installed: Installation, environ: dict[str, str], tmp_path: Path
) -> None:
    """The installed command, a message of 2 kB, and its drop."""
    assert _ratio(installed.sendmail, environ, tmp_path) <= DROP_BAR
    drops = list((tmp_path / "spool" / "drop").iterdir())
    assert len(drops) == 1
    assert drops[0].read_bytes().endswith(_TEXT.encode() + b"\n")


def test_one_large_import_is_above_the_bar(
    installed: Installation, environ: dict[str, str], tmp_path: Path
) -> None:
    """A copy of the command that imports `re` is caught."""
    command = tmp_path / "sendmail"
    shutil.copy(installed.command("sesmail"), command)
    text = command.read_text()
    command.write_text(text.replace("\nfrom sesmail.", "\nimport re\nfrom sesmail.", 1))
    assert _ratio(command, environ, tmp_path) > DROP_BAR
