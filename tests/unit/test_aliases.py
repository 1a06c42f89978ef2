"""The aliases file: addresses and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from sesmail.submission.aliases import Aliases

TEXT = """\
# comment: nobody@example.org
root: alice, Admin@example.org
ALICE:  alice@example.org,
\tal@example.net

"quoted": q@example.org
loop-a: loop-b
loop-b: loop-a
self: self, other@example.org
pipe: |/bin/false
quoted-pipe: "|/bin/false x"
file: /var/mail/x
include: :include:/etc/list
mixed: a@example.org, |/bin/false
broken: <a@example.org
empty:
local: unknown
no colon here
"""


@pytest.fixture
def aliases(tmp_path: Path) -> Aliases:
    """The aliases of TEXT."""
    (tmp_path / "aliases").write_text(TEXT)
    return Aliases(str(tmp_path / "aliases"))


def expand(aliases: Aliases, name: str) -> list[str] | None:
    """Return what ``name`` stands for, as text."""
    mailboxes = aliases.expand(name)
    return None if mailboxes is None else [mailbox.address() for mailbox in mailboxes]


def test_aliases_of_aliases(aliases: Aliases) -> None:
    """Names in any case, continuation lines, and bare names expanded in turn."""
    expected = ["alice@example.org", "al@example.net", "Admin@example.org"]
    assert expand(aliases, "root") == expected
    assert expand(aliases, "Root") == expected
    assert expand(aliases, "quoted") == ["q@example.org"]
    assert expand(aliases, "local") == ["unknown"]


@pytest.mark.parametrize(
    "name",
    ["pipe", "quoted-pipe", "file", "include", "mixed", "broken", "empty", "nobody", "# comment"],
)
def test_what_is_no_list_of_addresses_stays_local(aliases: Aliases, name: str) -> None:
    """Programs, files and includes are the real sendmail's; nothing is run or read by us."""
    assert expand(aliases, name) is None


def test_loops_end(aliases: Aliases) -> None:
    """An alias that leads to itself keeps the name that closes the circle."""
    assert expand(aliases, "self") == ["self", "other@example.org"]
    assert expand(aliases, "loop-a") == ["loop-a"]


def test_a_missing_file_has_no_aliases(tmp_path: Path) -> None:
    """No file, no aliases."""
    assert Aliases(str(tmp_path / "none")).expand("root") is None
